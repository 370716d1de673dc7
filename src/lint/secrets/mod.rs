//! What of the files may be printed: they hold tokens and passwords.
//!
//! What is secret cannot be told by its name or its form, so that it is the other way round: shown
//! are the headers of tables, and the keys and values that lint speaks of, where they have the
//! form that such values have. Everything else becomes `…`, comments too. A line is judged by
//! itself, whatever it is a part of: the text may be broken.

mod line;
mod tokens;
mod vocabulary;

use std::{collections::HashSet, ops::Range};

pub use self::tokens::without_tokens;

/// A line as it may be printed.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct ShownLine {
    pub text: String,
    parts: Vec<Part>,
}

/// A part of a line, and what has become of it.
#[derive(Debug, Eq, PartialEq)]
struct Part {
    written: Range<usize>,
    shown: Range<usize>,
    is_hidden: bool,
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

/// Shorter ones are parts of other words.
const SHORTEST_HIDDEN: usize = 6;

/// The values that are not shown of the lines of `text` in `span`.
pub fn hidden_values(text: &str, span: Range<usize>) -> Vec<&str> {
    let mut values = Vec::new();
    let mut start = span.start;
    for line in text[span].split('\n') {
        let shown = shown_line(text, start);
        let mut parts = shown.parts.iter().peekable();
        while let Some(part) = parts.next() {
            let next = parts
                .peek()
                .map_or("", |next| &shown.text[next.shown.clone()]);
            let next = next.trim_start_matches(['"', '\'', ' ']);
            let is_key = next.starts_with([':', '=']);
            let value = &line[part.written.clone()];
            // No sentence is made of a comment.
            let is_comment = shown.text[..part.shown.start].trim_end().ends_with('#');
            if part.is_hidden && !is_key && !is_comment && !is_word(value) {
                values.push(value);
            }
        }
        start += line.len() + 1;
    }
    values
}

/// The variables whose values sentences quote, wherever they are set, by a part of the name.
const QUOTED: [&str; 5] = ["DOCKER_", "DIND_", "HEALTHCHECK_", "_PROXY", "_proxy"];

/// The values in `text` that a sentence may quote, and that are not shown.
pub fn hidden_variables(text: &str) -> HashSet<&str> {
    let mut values = HashSet::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end_matches(['\n', '\r']).len();
        if line.len() <= LONGEST_LINE && QUOTED.iter().any(|name| line.contains(name)) {
            values.extend(hidden_values(text, start..end));
        }
        start += line.len();
    }
    values
}

/// A sentence without the words that are such values.
pub fn without_values(sentence: &str, values: &HashSet<&str>) -> String {
    let words = sentence.split_inclusive(char::is_whitespace);
    let shown = words.map(|word| {
        let value = word.trim_matches(|it: char| it.is_whitespace() || "\"'`,.;".contains(it));
        match values.contains(value) {
            true => word.replace(value, "…"),
            false => word.to_owned(),
        }
    });
    shown.collect()
}

/// One that may be a part of a sentence by itself.
fn is_word(value: &str) -> bool {
    value.len() < SHORTEST_HIDDEN || value.bytes().all(|it| it.is_ascii_lowercase())
}

impl ShownLine {
    fn push(&mut self, line: &str, span: Range<usize>, is_shown: bool) {
        let start = self.text.len();
        match is_shown {
            true => self.text.push_str(&line[span.clone()]),
            false if span.is_empty() => {}
            false => self.text.push(HIDDEN),
        }
        self.parts.push(Part {
            written: span,
            shown: start..self.text.len(),
            is_hidden: !is_shown,
        });
    }

    /// Where the span of the line is in what is shown; what is hidden, as a whole.
    pub fn place_of(&self, span: Range<usize>) -> Range<usize> {
        let end = self.text.len();
        let part_at = |offset: usize| {
            let mut parts = self.parts.iter();
            parts.find(|part| part.written.contains(&offset))
        };
        let start = part_at(span.start).map_or(end, |part| match part.is_hidden {
            true => part.shown.start,
            false => part.shown.start + (span.start - part.written.start),
        });
        // The last byte that belongs to it.
        let last = span.end.max(span.start + 1) - 1;
        let stop = part_at(last).map_or(end, |part| match part.is_hidden {
            true => part.shown.end,
            false => part.shown.start + (last - part.written.start) + 1,
        });
        match span.is_empty() {
            true => start..start,
            false => start..stop.max(start),
        }
    }
}

#[cfg(test)]
mod tests;
