//! From the scanner's events to the tree, within bounds.

use std::{collections::HashMap, rc::Rc};

use saphyr_parser::{Event, Parser, ScanError, Tag};

use super::{
    Documents, Entry, Error, Mapping, Node, Scalar, Value,
    characters::{MARK, Offsets, check, check_number},
};
use crate::lint::source::{FileId, Span};

/// How deep values may be nested, aliases resolved; GitLab's own limit (`max_yaml_depth`).
pub const MAXIMAL_DEPTH: usize = 100;

/// How many values there may be, each counted as often as aliases repeat it. A file as large as
/// GitLab takes it (2 MiB, `max_yaml_size_bytes`) has some 100 000.
pub const MAXIMAL_NODES: usize = 500_000;

/// The documents of the only file there is.
pub fn parse(text: &str) -> Result<Documents, Error> {
    parse_file(FileId::default(), text)
}

/// The documents of a text; none, if it is empty.
pub fn parse_file(file: FileId, text: &str) -> Result<Documents, Error> {
    check(text)?;
    check_number(text)?;
    let mut reader = Reader::new(file, text);
    for event in Parser::new_from_str(text.strip_prefix(MARK).unwrap_or(text)) {
        let (event, span) = event.map_err(|error| reader.error(&error))?;
        let span = reader.span(span);
        reader.read(event, span)?;
    }
    Ok(reader.documents)
}

struct Reader<'a> {
    file: FileId,
    text: &'a str,
    offsets: Offsets<'a>,
    documents: Documents,
    /// What is open, from the outermost on.
    open: Vec<Collection>,
    /// By the scanner's number of their anchors.
    anchors: HashMap<usize, (Node, Weight)>,
    /// Of all that has been read.
    nodes: usize,
}

/// A sequence or mapping of which not all has been read.
struct Collection {
    start: usize,
    /// Where its last child ends.
    end: usize,
    anchor: usize,
    tag: Option<Rc<str>>,
    children: Children,
    weight: Weight,
}

enum Children {
    Items(Vec<Node>),
    /// With the key that waits for its value.
    Entries(Vec<Entry>, Option<Node>),
}

/// What a value costs whoever walks through it.
#[derive(Clone, Copy)]
struct Weight {
    nodes: usize,
    /// 1 for a scalar.
    height: usize,
}

impl<'a> Reader<'a> {
    fn new(file: FileId, text: &'a str) -> Self {
        Self {
            file,
            text,
            offsets: Offsets::new(text),
            documents: Documents::default(),
            open: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
        }
    }

    /// Without the white space that the scanner counts in.
    fn span(&self, span: saphyr_parser::Span) -> Span {
        let span = self.offsets.byte(span.start.index())..self.offsets.byte(span.end.index());
        let written = self.text.get(span.clone()).unwrap_or_default().trim_end();
        span.start..span.start + written.len()
    }

    fn read(&mut self, event: Event<'_>, span: Span) -> Result<(), Error> {
        match event {
            // An anchor is one of its own document.
            Event::DocumentStart(_) => self.anchors.clear(),
            Event::Scalar(text, style, anchor, tag) => {
                let is_marked = anchor > 0 || tag.is_some();
                let text = text.into();
                let scalar = Scalar::new(text, style, is_marked, span.clone(), self.text);
                let node = Node {
                    file: self.file,
                    span,
                    tag: tag.as_deref().map(name),
                    value: Value::Scalar(Rc::new(scalar)),
                };
                self.add(node, anchor, Weight::SCALAR)?;
            }
            Event::Alias(anchor) => {
                let Some((node, weight)) = self.anchors.get(&anchor).cloned() else {
                    return Err(Error::new("this alias refers to what it is in", span));
                };
                self.count(weight.nodes, &span)?;
                self.put(node, weight, &span)?;
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(
                    span.start,
                    anchor,
                    tag.as_deref(),
                    Children::Items(Vec::new()),
                );
            }
            Event::MappingStart(anchor, tag) => {
                let children = Children::Entries(Vec::new(), None);
                self.open(span.start, anchor, tag.as_deref(), children);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn open(&mut self, start: usize, anchor: usize, tag: Option<&Tag>, children: Children) {
        self.open.push(Collection {
            start,
            end: start,
            anchor,
            tag: tag.map(name),
            children,
            weight: Weight::SCALAR,
        });
    }

    fn close(&mut self, end: Span) -> Result<(), Error> {
        // The scanner closes only what it has opened.
        let Some(collection) = self.open.pop() else {
            return Ok(());
        };
        let value = match collection.children {
            Children::Items(items) => Value::Sequence(items.into()),
            Children::Entries(entries, _) => {
                let duplicates = &mut self.documents.duplicates;
                Value::Mapping(Rc::new(Mapping::new(entries, duplicates)))
            }
        };
        let node = Node {
            file: self.file,
            // The end of one without brackets is where the next thing begins.
            span: collection.start..match end.is_empty() {
                true => collection.end,
                false => end.end,
            },
            tag: collection.tag,
            value,
        };
        self.add(node, collection.anchor, collection.weight)
    }

    /// Takes in what is written at its place.
    fn add(&mut self, node: Node, anchor: usize, weight: Weight) -> Result<(), Error> {
        let span = node.span.clone();
        self.count(1, &span)?;
        // The scanner numbers anchors from 1.
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), weight));
        }
        self.put(node, weight, &span)
    }

    fn count(&mut self, nodes: usize, span: &Span) -> Result<(), Error> {
        self.nodes = self.nodes.saturating_add(nodes);
        match self.nodes <= MAXIMAL_NODES {
            true => Ok(()),
            false => Err(Error::too_many(span.clone())),
        }
    }

    /// Gives a node to what is open. `span` is where it is asked for: that of the alias.
    fn put(&mut self, node: Node, weight: Weight, span: &Span) -> Result<(), Error> {
        if self.open.len() + weight.height > MAXIMAL_DEPTH {
            return Err(Error::too_deep(span.clone()));
        }
        let Some(parent) = self.open.last_mut() else {
            self.documents.nodes.push(node);
            return Ok(());
        };
        parent.end = parent.end.max(span.end);
        parent.weight.nodes = parent.weight.nodes.saturating_add(weight.nodes);
        parent.weight.height = parent.weight.height.max(weight.height + 1);
        match &mut parent.children {
            Children::Items(items) => items.push(node),
            Children::Entries(entries, key) => match key.take() {
                Some(key) => entries.push(Entry { key, value: node }),
                None => *key = Some(node),
            },
        }
        Ok(())
    }

    /// The scanner's own, with the place of a tab that is to blame.
    fn error(&self, error: &ScanError) -> Error {
        let at = self.offsets.byte(error.marker().index());
        if let Some(tab) = self.tab_to_blame(at, error.info()) {
            return Error::new("YAML allows no tab here", tab..tab + 1)
                .with_help("indent with spaces");
        }
        let next = self.text[at..].chars().next();
        let span = at..at + next.map_or(0, |c| if c == '\n' { 0 } else { c.len_utf8() });
        let info = error.info();
        // The scanner's own bound, of brackets, is 255.
        if info.contains("recursion limit") {
            return Error::too_deep(span);
        }
        let problem = Error::new(format!("this is not YAML: {info}"), span);
        match info.contains("mapping values are not allowed") {
            true => problem.with_help("put quotes around text that has a colon and a space in it"),
            false => problem,
        }
    }

    /// One that indents the line in question, or that the scanner speaks of.
    fn tab_to_blame(&self, at: usize, info: &str) -> Option<usize> {
        let start = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let line = self.text[start..].lines().next().unwrap_or_default();
        let content = line.trim_start_matches([' ', '\t']);
        let in_indentation = line[..line.len() - content.len()].find('\t');
        in_indentation.map(|tab| start + tab).or_else(|| {
            let is_named = info.split_whitespace().any(|word| word.starts_with("tab"));
            let tab = || self.text[at..].find('\t').map(|tab| at + tab);
            is_named.then(tab).flatten()
        })
    }
}

impl Weight {
    const SCALAR: Self = Self {
        nodes: 1,
        height: 1,
    };
}

fn name(tag: &Tag) -> Rc<str> {
    format!("{}{}", tag.handle, tag.suffix).into()
}
#[cfg(test)]
mod tests;
