//! A scalar, and from places in its text to places in the file.

use std::ops::Range;

use saphyr_parser::ScalarStyle;

use crate::lint::source::Span;

/// How a scalar is written.
pub use saphyr_parser::ScalarStyle as Style;

/// What the scalar says, and how and where it is written.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// Unquoted and unescaped; block scalars without their indentation.
    pub text: Box<str>,
    pub style: Style,
    span: Span,
    origin: Origin,
}

/// Where the text is in the file.
#[derive(Clone, Debug)]
enum Origin {
    /// As it is, from this offset on.
    Verbatim(usize),
    /// Line by line: its offset in the text, and that in the file.
    Lines(Box<[(usize, usize)]>),
    /// Written otherwise: with escapes, or folded.
    Rewritten,
}

impl Scalar {
    /// `span` is that of the scanner: it begins with the anchor or tag, if there is one, else with
    /// the content, and that of a block scalar begins after the indentation of its first line that
    /// is not empty.
    pub(super) fn new(
        text: Box<str>,
        style: Style,
        is_marked: bool,
        span: Span,
        source: &str,
    ) -> Self {
        let origin = match style {
            ScalarStyle::Literal if is_marked => {
                // The anchor or tag may have a line for itself.
                let next = |from: &usize| Some(from + line_length(&source[*from..]));
                let starts = std::iter::successors(next(&span.start), next).take(3);
                let mut origins = starts.map(|start| lines(&text, start, source));
                origins.find(Origin::is_known).unwrap_or(Origin::Rewritten)
            }
            ScalarStyle::Literal => {
                let empty = text.bytes().take_while(|byte| *byte == b'\n').count();
                let mut breaks = memchr::memrchr_iter(b'\n', &source.as_bytes()[..span.start]);
                let start = breaks.nth(empty).map_or(0, |end| end + 1);
                lines(&text, start, source)
            }
            ScalarStyle::Folded => Origin::Rewritten,
            ScalarStyle::Plain => verbatim(&text, &source[..span.end]),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                verbatim(&text, &source[..span.end.saturating_sub(1)])
            }
        };
        Self {
            text,
            style,
            span,
            origin,
        }
    }

    /// Nothing, or `null` without quotes.
    pub fn is_null(&self) -> bool {
        self.style == ScalarStyle::Plain
            && matches!(&*self.text, "" | "~" | "null" | "Null" | "NULL")
    }

    /// Where a part of the text is written; the whole scalar, if that cannot be told.
    pub fn place_of(&self, part: Range<usize>) -> Span {
        let start = self.offset(part.start);
        let end = match part.is_empty() {
            true => start,
            // By its last byte: the next one may be on another line.
            false => self.offset(part.end - 1).map(|last| last + 1),
        };
        match (start, end) {
            (Some(start), Some(end)) => start..end,
            _ => self.span.clone(),
        }
    }

    /// Whether every part of the text has a place of its own: in the file it is as it is here,
    /// apart from its indentation and its lines' ends.
    pub fn is_verbatim(&self) -> bool {
        self.origin.is_known()
    }

    fn offset(&self, in_text: usize) -> Option<usize> {
        match &self.origin {
            Origin::Verbatim(start) => Some(start + in_text),
            Origin::Lines(lines) => {
                let after = lines.partition_point(|(start, _)| *start <= in_text);
                let (start, in_file) = lines[after.checked_sub(1)?];
                Some(in_file + (in_text - start))
            }
            Origin::Rewritten => None,
        }
    }
}

impl Origin {
    fn is_known(&self) -> bool {
        !matches!(self, Self::Rewritten)
    }
}

/// `source` ends with the text, if it is written as it is.
fn verbatim(text: &str, source: &str) -> Origin {
    let before = source.strip_suffix(text);
    before.map_or(Origin::Rewritten, |before| Origin::Verbatim(before.len()))
}

/// The lines of a literal block scalar, whose first one begins at `start`: each is written as it
/// is after its indentation.
fn lines(text: &str, start: usize, source: &str) -> Origin {
    let mut lines = Vec::new();
    let (mut in_text, mut in_file) = (0, start);
    for line in text.split_inclusive('\n') {
        let written = &source[in_file..in_file + line_length(&source[in_file..])];
        let content = written.trim_end_matches(['\n', '\r']);
        let indentation = match content.strip_suffix(line.trim_end_matches('\n')) {
            Some(before) if before.bytes().all(|byte| byte == b' ') => before.len(),
            _ => return Origin::Rewritten,
        };
        lines.push((in_text, in_file + indentation));
        in_text += line.len();
        in_file += written.len();
    }
    Origin::Lines(lines.into())
}

/// With its end.
fn line_length(text: &str) -> usize {
    memchr::memchr(b'\n', text.as_bytes()).map_or(text.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::yaml::parse;

    /// The place of `part` in the value of `a`, whose text is `text`.
    fn place(source: &str, text: &str, part: &str) -> Span {
        let documents = parse(source).unwrap();
        let scalar = documents[0].get("a").unwrap().as_scalar().unwrap();
        assert_eq!(&*scalar.text, text, "{source:?}");
        let start = text.find(part).unwrap();
        scalar.place_of(start..start + part.len())
    }

    #[test]
    fn a_part_of_the_text_has_its_place_in_the_file() {
        for (source, text) in [
            ("ü: 1\na: xy # z", "xy"),
            ("a: 'xy'", "xy"),
            ("{a: \"xy\"}", "xy"),
            ("a: &anchor xy", "xy"),
            ("a: !tag 'xy'\nb: 1", "xy"),
            ("a: |\n  one\n\n    xy\nb: 1", "one\n\n  xy\n"),
            ("a: |\n\n \n  xy\n", "\n\nxy\n"),
            ("a: |2-\n    xy\n  z\n\n", "  xy\nz"),
            ("a: |+ # comment\n  # xy\n\n\n# no part of it", "# xy\n\n\n"),
            ("a: |\r\n  one\r\n  xy\r\n", "one\nxy\n"),
            ("a: &anchor |\n  one\n  xy\n", "one\nxy\n"),
            ("a: !tag\n  |\n  xy\n", "xy\n"),
            ("\u{feff}a: |\n ü\n xy\n", "ü\nxy\n"),
        ] {
            let start = source.find("xy").unwrap();
            assert_eq!(place(source, text, "xy"), start..start + 2, "{source:?}");
        }
    }

    #[test]
    fn a_part_may_go_over_lines_and_an_empty_one_is_a_point() {
        let source = "a: |\n  one\n  two\n";
        assert_eq!(place(source, "one\ntwo\n", "ne\ntw"), 8..15);
        assert_eq!(place(source, "one\ntwo\n", ""), 7..7);
        let end = source.find("two").unwrap() + 3;
        assert_eq!(place(source, "one\ntwo\n", "two\n"), end - 3..end + 1);
    }

    #[test]
    fn what_is_written_otherwise_has_the_place_of_the_whole() {
        for (source, text, written) in [
            ("a: \"x\\ty\"", "x\ty", "\"x\\ty\""),
            ("a: 'it''s'", "it's", "'it''s'"),
            ("a: one\n  two\nb: 1", "one two", "one\n  two"),
            ("a: >\n  one\n  two\n\nb: 1", "one two\n", "one\n  two"),
        ] {
            let start = source.find(written).unwrap();
            let whole = start..start + written.len();
            assert_eq!(place(source, text, &text[..1]), whole, "{source:?}");
        }
    }

    #[test]
    fn null_is_nothing_or_the_word_without_quotes() {
        for (source, is_null) in [
            ("a:", true),
            ("a: ~", true),
            ("a: null", true),
            ("a: ''", false),
            ("a: 'null'", false),
            ("a: nil", false),
            ("a: |\n", false),
        ] {
            let documents = parse(source).unwrap();
            assert_eq!(
                documents[0].get("a").unwrap().is_null(),
                is_null,
                "{source}"
            );
        }
    }
}
