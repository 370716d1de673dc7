//! A line of TOML or YAML, in parts that are shown and parts that are not.
//!
//! One reader for both, that knows quotes, brackets, keys and comments. Where a line is not what it
//! expects, nothing more of it is shown.

use std::ops::Range;

use super::vocabulary::{is_harmless, is_known, last_segment};

/// A part of the line, and whether it is shown.
pub type Part = (Range<usize>, bool);

/// All of a line. `enclosing` is the key of the list that it is in, if it begins with an item.
pub fn parts<'t>(line: &'t str, enclosing: impl FnOnce() -> Option<&'t str>) -> Vec<Part> {
    let mut reader = Reader {
        line,
        at: 0,
        parts: Vec::new(),
        safe: 0,
        key: None,
        brackets: Vec::new(),
    };
    if !reader.header() {
        let begins_with_item = key_at(line, line.len() - item_of(line).len()).is_none();
        reader.key = begins_with_item.then(enclosing).flatten();
        if reader.content().is_none() {
            reader.give_up();
        }
    }
    reader.parts
}

/// How far above an item its list's key may be.
const LONGEST_LIST: usize = 100;

/// The key of the list, begun in the lines `above`, of which `line` is a part.
pub fn enclosing_key<'t>(above: &'t str, line: &str) -> Option<&'t str> {
    let depth = indentation(line);
    for line in above.lines().rev().take(LONGEST_LIST) {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let start = line.len() - item_of(line).len();
        let Some(key) = key_at(line, start) else {
            continue;
        };
        // In a list of tables, other entries of the same table may come between.
        if start > depth || indentation(line) > depth {
            continue;
        }
        let value = line[key.end..].trim_start_matches([' ', '\t', ':', '=']);
        let begins_list = value.is_empty() || value.starts_with(['#', '&', '[']);
        return begins_list.then(|| last_segment(&line[key.name]));
    }
    None
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The line without indentation, and without the dashes of a list's items.
fn item_of(line: &str) -> &str {
    let mut rest = line.trim_start();
    while let Some(item) = rest.strip_prefix("- ") {
        rest = item.trim_start();
    }
    rest
}

/// A key with what separates it from its value.
struct Key {
    /// Without quotes.
    name: Range<usize>,
    /// After `=` or `:`.
    end: usize,
}

fn key_at(line: &str, start: usize) -> Option<Key> {
    let rest = &line[start..];
    let (name, after) = match rest.chars().next()? {
        quote @ ('"' | '\'') => {
            let end = start + 1 + rest[1..].find(quote)?;
            (start + 1..end, end + 1)
        }
        _ => {
            let is_part = |it: char| it.is_ascii_alphanumeric() || "_-.$/<".contains(it);
            let length = rest.find(|it| !is_part(it)).unwrap_or(rest.len());
            (start..start + length, start + length)
        }
    };
    let after = after + indentation(&line[after..]);
    let mut rest = line[after..].chars();
    let separates = match rest.next()? {
        '=' => true,
        ':' => rest.next().is_none_or(char::is_whitespace),
        _ => false,
    };
    // An option of a command line has a sign of equality, too.
    let is_option = line[name.clone()].starts_with('-');
    (separates && !name.is_empty() && !is_option).then_some(Key {
        name,
        end: after + 1,
    })
}

/// Where a string ends of which `text` is the rest.
fn end_of_quoted(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    let mut characters = text.char_indices();
    let end = characters.find(|(_, character)| {
        let is_end = *character == quote && !is_escaped;
        is_escaped = quote == '"' && *character == '\\' && !is_escaped;
        is_end
    });
    end.map(|(end, _)| end)
}

struct Reader<'t> {
    line: &'t str,
    at: usize,
    parts: Vec<Part>,
    /// How many of the parts are shown whatever follows.
    safe: usize,
    /// Of the value that comes next.
    key: Option<&'t str>,
    /// What each open bracket's items are values of: nothing, in a table.
    brackets: Vec<Option<&'t str>>,
}

/// More of them are nobody's configuration.
const DEEPEST: usize = 16;

impl<'t> Reader<'t> {
    /// `[runners.kubernetes]`; whether it is one.
    fn header(&mut self) -> bool {
        let start = indentation(self.line);
        let code = self.line.split('#').next().unwrap_or_default().trim_end();
        let inside = code[start.min(code.len())..].trim_start_matches('[');
        let opened = code.len() - inside.len();
        let inside = inside.trim_end_matches(']');
        let is_name = |it: char| it.is_ascii_alphanumeric() || "_-. ".contains(it);
        let is_header = opened > start
            && opened + inside.len() < code.len()
            && !inside.is_empty()
            && inside.chars().all(is_name);
        if !is_header {
            return false;
        }
        let is_known = inside.split('.').all(|name| is_known(name.trim()));
        self.push(opened, true);
        self.push(opened + inside.len(), is_known);
        self.push(code.len(), true);
        self.comment();
        true
    }

    /// `None` where something else comes than is expected.
    fn content(&mut self) -> Option<()> {
        let outer = self.key;
        loop {
            self.spaces();
            let rest = &self.line[self.at..];
            let Some(next) = rest.chars().next() else {
                return Some(());
            };
            match next {
                '#' => {
                    self.comment();
                    return Some(());
                }
                '-' if rest.len() == 1 || rest.starts_with("- ") => self.mark(),
                '[' | '{' => {
                    let key = self.key.take().filter(|_| next == '[');
                    self.brackets.push(key);
                    self.key = key;
                    (self.brackets.len() <= DEEPEST).then(|| self.mark())?;
                }
                ']' | '}' => {
                    self.brackets.pop();
                    self.mark();
                    self.end_of_value()?;
                }
                ',' => {
                    self.key = self.brackets.last().copied().unwrap_or(outer);
                    self.mark();
                }
                _ => match key_at(self.line, self.at) {
                    Some(key) => self.begin_entry(&key),
                    None => {
                        self.value()?;
                        self.end_of_value()?;
                    }
                },
            }
        }
    }

    fn begin_entry(&mut self, key: &Key) {
        let name = &self.line[key.name.clone()];
        self.push(key.name.start, true);
        self.push(
            key.name.end,
            name.split('.').all(is_known) || is_known(name),
        );
        self.push(key.end, true);
        self.safe = self.parts.len();
        self.key = Some(if is_known(name) {
            name
        } else {
            last_segment(name)
        });
    }

    fn value(&mut self) -> Option<()> {
        let rest = &self.line[self.at..];
        match rest.chars().next()? {
            quote @ ('"' | '\'') => {
                let length = end_of_quoted(&rest[1..], quote)?;
                let content = &rest[1..1 + length];
                // Three of them, or one that is doubled: not what it seems to be.
                if rest[length + 2..].starts_with(quote) {
                    return None;
                }
                self.push(self.at + 1, true);
                // One with escapes says something else than is written.
                match content.contains('\\') {
                    true => self.push(self.at + length, false),
                    false => self.text(content),
                }
                self.push(self.at + 1, true);
            }
            _ => {
                let in_brackets = !self.brackets.is_empty();
                let ends = |it: char| in_brackets && matches!(it, ',' | ']' | '}');
                let end = rest.find(ends).unwrap_or(rest.len());
                let end = rest.find(" #").unwrap_or(end).min(end);
                self.text(rest[..end].trim_end());
            }
        }
        Some(())
    }

    fn text(&mut self, text: &str) {
        let end = self.at + text.len();
        if is_harmless(self.key, text) {
            self.push(end, true);
            return;
        }
        // `NAME=value`, an entry of `environment`.
        if let Some((name, value)) = text.split_once('=')
            && self.key == Some("environment")
            && is_known(name)
        {
            self.push(self.at + name.len() + 1, true);
            self.push(end, is_harmless(Some(name), value));
            return;
        }
        self.push(end, false);
    }

    /// After a value its entry is over, or it is not what it seemed to be.
    fn end_of_value(&mut self) -> Option<()> {
        let before = self.at;
        self.spaces();
        match self.line[self.at..].chars().next() {
            None | Some(',' | ']' | '}') => {
                self.safe = self.parts.len();
                Some(())
            }
            Some('#') if self.at > before => Some(()),
            _ => None,
        }
    }

    fn spaces(&mut self) {
        self.push(self.at + indentation(&self.line[self.at..]), true);
    }

    /// A character that shows how the file is built.
    fn mark(&mut self) {
        self.push(self.at + 1, true);
        self.safe = self.parts.len();
    }

    fn comment(&mut self) {
        self.spaces();
        let rest = &self.line[self.at..];
        let marks = rest.len() - rest.trim_start_matches('#').len();
        self.push(self.at + marks, true);
        self.spaces();
        self.push(self.line.len(), false);
        self.safe = self.parts.len();
    }

    fn give_up(&mut self) {
        self.parts.truncate(self.safe);
        self.at = self.parts.last().map_or(0, |(span, _)| span.end);
        self.spaces();
        self.push(self.line.len(), false);
    }

    fn push(&mut self, end: usize, is_shown: bool) {
        if end > self.at {
            self.parts.push((self.at..end, is_shown));
            self.at = end;
        }
    }
}
