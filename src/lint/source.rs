//! The files that are read: their names, their text, and places in it.

use std::ops::Range;

use super::embedded::Embedding;

/// A range of bytes within a file's text, on the borders of characters.
pub type Span = Range<usize>;

/// A file, by its position in [`Files`].
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FileId(usize);

/// All files that are judged together.
#[derive(Debug, Default)]
pub struct Files(Vec<Source>);

impl Files {
    pub fn add(&mut self, source: Source) -> FileId {
        self.0.push(source);
        FileId(self.0.len() - 1)
    }

    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        let numbered = self.0.iter().enumerate();
        numbered.map(|(index, source)| (FileId(index), source))
    }

    pub fn get(&self, file: FileId) -> &Source {
        // A FileId comes from `add`, or is that of the first one, and nothing is ever removed.
        &self.0[file.0]
    }

    /// Those that were given, without what lies within them.
    pub fn given(&self) -> Self {
        let sources = self.0.iter();
        let given = sources.filter(|source| source.embedding.is_none());
        Self(given.cloned().collect())
    }

    /// How many were given.
    pub fn count(&self) -> usize {
        let sources = self.0.iter();
        sources.filter(|source| source.embedding.is_none()).count()
    }

    pub fn replace(&mut self, file: FileId, source: Source) {
        self.0[file.0] = source;
    }

    pub fn position(&self, place: &Place) -> Position {
        self.get(place.file).position(place.span.start)
    }
}

/// A span in one of the files.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Place {
    pub file: FileId,
    pub span: Span,
}

impl Place {
    pub fn new(file: FileId, span: Span) -> Self {
        Self { file, span }
    }
}

/// A value, and where it is written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Located<T> {
    pub value: T,
    pub place: Place,
}

/// As editors count: both from 1, columns in characters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// A file's name, as it was given, and its text.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    text: String,
    /// Where each line begins.
    line_starts: Vec<usize>,
    /// How many characters come before each [`STRIDE`]th byte: a line may be as long as the file.
    characters: Vec<usize>,
    embedding: Option<Embedding>,
    is_readable: bool,
}

const STRIDE: usize = 4096;

impl Source {
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let ends = memchr::memchr_iter(b'\n', text.as_bytes());
        let line_starts = std::iter::once(0).chain(ends.map(|end| end + 1)).collect();
        let strides = text.as_bytes().chunks(STRIDE);
        let counts = strides.scan(0, |total, stride| {
            let before = *total;
            *total += count_characters(stride);
            Some(before)
        });
        let characters = counts.collect();
        Self {
            name: name.into(),
            text,
            line_starts,
            characters,
            embedding: None,
            is_readable: true,
        }
    }

    /// A text that lies within the file that is called `name`.
    pub fn embedded(name: String, text: String, embedding: Embedding) -> Self {
        Self {
            embedding: Some(embedding),
            ..Self::new(name, text)
        }
    }

    /// A file of which `text` is no more than what can be shown: it is neither judged nor changed.
    pub fn unreadable(name: &str, text: String) -> Self {
        Self {
            is_readable: false,
            ..Self::new(name, text)
        }
    }

    pub fn is_readable(&self) -> bool {
        self.is_readable
    }

    /// Where it lies, if it is no file of its own.
    pub fn embedding(&self) -> Option<&Embedding> {
        self.embedding.as_ref()
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// That of the byte at `offset`; past the end, that of the end.
    pub fn position(&self, offset: usize) -> Position {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts[line - 1];
        Position {
            line,
            column: self.characters_before(offset) - self.characters_before(start) + 1,
        }
    }

    fn characters_before(&self, offset: usize) -> usize {
        let stride = (offset / STRIDE).min(self.characters.len().saturating_sub(1));
        let counted = self.characters.get(stride).copied().unwrap_or_default();
        counted + count_characters(&self.text.as_bytes()[stride * STRIDE..offset])
    }

    /// How its first line ends, and so the others.
    pub fn line_end(&self) -> &'static str {
        let end = self.line_starts.get(1).map(|start| start - 1);
        match end.is_some_and(|end| self.text[..end].ends_with('\r')) {
            true => "\r\n",
            false => "\n",
        }
    }

    /// The whole lines, without the last one's end, on which `span` lies.
    pub fn lines_of(&self, span: &Span) -> Span {
        let first = self.position(span.start).line;
        // What ends with a line's end does not touch the next line.
        let last = self.position(span.end.max(span.start + 1) - 1).line;
        let start = self.line_starts[first - 1];
        let end = self.line_starts.get(last).map_or(self.text.len(), |next| {
            let line = &self.text[start..next - 1];
            start + line.strip_suffix('\r').unwrap_or(line).len()
        });
        start..end
    }
}

/// Each begins with a byte that goes on with no other.
fn count_characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte as i8) >= -0x40).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let source = Source::new("x", "ab\nü é\r\n\nlast");
        for (part, line, column) in [("a", 1, 1), ("b", 1, 2), ("ü", 2, 1), ("é", 2, 3)] {
            let offset = source.text().find(part).unwrap();
            assert_eq!(source.position(offset), Position { line, column }, "{part}");
        }
        let end = Position { line: 4, column: 5 };
        assert_eq!(source.position(source.text().len()), end);
        assert_eq!(source.position(1000), end);
        let empty = Source::new("x", "").position(0);
        assert_eq!(empty, Position { line: 1, column: 1 });
    }

    #[test]
    fn columns_are_right_in_lines_of_any_length() {
        for word in ["a", "ü", "a€", "😀é"] {
            let text = format!("x\n{}", word.repeat(3 * STRIDE));
            let source = Source::new("x", text.as_str());
            for (number, (offset, _)) in text[2..].char_indices().enumerate().step_by(97) {
                assert_eq!(source.position(offset + 2).column, number + 1, "{word}");
            }
        }
    }

    #[test]
    fn an_excerpt_is_whole_lines_without_the_last_ones_end() {
        let source = Source::new("x", "one\ntwo\r\nthree");
        let line = |span: Span| &source.text()[source.lines_of(&span)];
        assert_eq!(line(0..0), "one");
        assert_eq!(line(1..4), "one");
        assert_eq!(line(4..5), "two");
        assert_eq!(line(1..5), "one\ntwo");
        assert_eq!(line(9..14), "three");
        assert_eq!(line(14..14), "three");
        assert_eq!(
            &Source::new("x", "").text()[Source::new("x", "").lines_of(&(0..0))],
            ""
        );
    }
}
