//! What of the files may be printed: they hold tokens and passwords.
//!
//! What is secret cannot be told by its name or its form, so that it is the other way round: shown
//! are the headers of tables, and the keys and values that lint speaks of, where they have the
//! form that such values have. Everything else becomes `…`, comments too. A line is judged by
//! itself, whatever it is a part of: the text may be broken.

mod line;
mod tokens;
mod vocabulary;

use std::ops::Range;

pub use self::tokens::without_tokens;

/// A line as it may be printed.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct ShownLine {
    pub text: String,
    /// The parts of the line, and what has become of them.
    parts: Vec<(Range<usize>, Range<usize>)>,
}

/// In place of what is not shown.
const HIDDEN: char = '…';

/// Longer lines are nobody's configuration, and reading them takes its time.
const LONGEST_LINE: usize = 2000;

/// The line of `text` that begins at `start`, without its end.
pub fn shown_line(text: &str, start: usize) -> ShownLine {
    let rest = &text.as_bytes()[start..];
    let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    let line = &text[start..start + length];
    let line = line.strip_suffix('\r').unwrap_or(line);
    let mut shown = ShownLine::default();
    if line.len() > LONGEST_LINE {
        shown.push(line, 0..line.len(), false);
        return shown;
    }
    let parts = line::parts(line, || line::enclosing_key(&text[..start], line));
    for (span, is_shown) in parts {
        shown.push(line, span, is_shown);
    }
    shown
}

impl ShownLine {
    fn push(&mut self, line: &str, span: Range<usize>, is_shown: bool) {
        let start = self.text.len();
        match is_shown {
            true => self.text.push_str(&line[span.clone()]),
            false if span.is_empty() => {}
            false => self.text.push(HIDDEN),
        }
        self.parts.push((span, start..self.text.len()));
    }

    /// Where the span of the line is in what is shown; what is hidden, as a whole.
    pub fn place_of(&self, span: Range<usize>) -> Range<usize> {
        let end = self.text.len();
        let part = |offset: usize| {
            let found = self
                .parts
                .iter()
                .find(|(from, _)| from.contains(&offset))?;
            Some((found, offset - found.0.start))
        };
        let is_copied = |(from, to): &(Range<usize>, Range<usize>)| from.len() == to.len();
        let start = part(span.start).map_or(end, |(part, within)| match is_copied(part) {
            true => part.1.start + within,
            false => part.1.start,
        });
        // The last byte that belongs to it.
        let last = span.end.max(span.start + 1) - 1;
        let stop = part(last).map_or(end, |(part, within)| match is_copied(part) {
            true => part.1.start + within + 1,
            false => part.1.end,
        });
        match span.is_empty() {
            true => start..start,
            false => start..stop.max(start),
        }
    }
}

#[cfg(test)]
mod tests;
