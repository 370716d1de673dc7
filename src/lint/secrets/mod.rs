//! Tokens and passwords in the files, which are never shown.
//!
//! Only by its name, its form or its key can be told what is secret, and the text may be broken:
//! so lines are looked at, not documents. What a variable holds is taken for a secret unless we
//! know the variable. Too much is hidden rather than too little.

mod names;

use std::ops::Range;

use self::names::Name;

/// The same text, every secret character replaced by one of the same length in bytes.
pub fn masked(text: &str) -> String {
    masked_lines(text, 1..usize::MAX, |_| true)
}

/// How many lines before those that are shown are looked at: no secret is longer.
const LONGEST_SECRET: usize = 10_000;

/// The lines of `range` that are wanted, by their numbers from 1; the others become spaces.
pub fn masked_lines(text: &str, range: Range<usize>, is_wanted: impl Fn(usize) -> bool) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut below = Below::Nothing;
    let near = range.start.saturating_sub(LONGEST_SECRET)..range.end;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let number = index + 1;
        let content = line.trim_end_matches(['\n', '\r']);
        let is_shown = range.contains(&number) && is_wanted(number);
        let start = masked.len();
        let matters = || below != Below::Nothing || may_begin_something(content);
        if is_shown || (near.contains(&number) && matters()) {
            below = mask_line(content, below, &mut masked);
        }
        if !is_shown {
            masked.truncate(start);
            masked.extend(std::iter::repeat_n(' ', content.len()));
        }
        masked.push_str(&line[content.len()..]);
    }
    masked
}

/// Whether later lines can depend on this one.
fn may_begin_something(line: &str) -> bool {
    memchr::memchr2(b':', b'=', line.as_bytes()).is_some() || line.contains("-----BEGIN")
}

/// Without what is secret by its form: for sentences that quote a value.
pub fn without_tokens(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    mask_tokens(text, &mut masked);
    masked
}

/// What an earlier line has begun.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Below {
    Nothing,
    /// A secret of YAML: all that is indented deeper.
    Indented(usize),
    /// A secret string of TOML, up to these quotes.
    Quoted(&'static str),
    /// A secret list or table, up to a line that begins with a closing bracket.
    Bracketed,
    PrivateKey,
}

fn mask_line(line: &str, below: Below, masked: &mut String) -> Below {
    let indentation = line.len() - line.trim_start().len();
    match below {
        Below::Indented(depth) => {
            let item = line.trim_start().starts_with("- ") && indentation == depth;
            if line.trim().is_empty() || indentation > depth || item {
                hide(line, masked);
                return below;
            }
        }
        Below::Quoted(quotes) => {
            hide(line, masked);
            return match line.contains(quotes) {
                true => Below::Nothing,
                false => below,
            };
        }
        Below::Bracketed => {
            hide(line, masked);
            return match line.trim_start().starts_with([']', '}']) {
                true => Below::Nothing,
                false => below,
            };
        }
        Below::PrivateKey => {
            hide(line, masked);
            return match line.contains("-----END") {
                true => Below::Nothing,
                false => below,
            };
        }
        Below::Nothing => {}
    }
    if let Some(start) = line.find("-----BEGIN")
        && line[start..].contains("PRIVATE KEY")
    {
        let (before, key) = line.split_at(start);
        mask_values(before, masked);
        hide(key, masked);
        return match key.contains("-----END") {
            true => Below::Nothing,
            false => Below::PrivateKey,
        };
    }
    match mask_values(line, masked) {
        Rest::Nothing => Below::Nothing,
        Rest::OfYaml => Below::Indented(indentation),
        Rest::Quoted(quotes) => Below::Quoted(quotes),
        Rest::Bracketed => Below::Bracketed,
    }
}

/// How a secret goes on in the next line.
#[derive(Clone, Copy, Debug)]
enum Rest {
    Nothing,
    OfYaml,
    Quoted(&'static str),
    Bracketed,
}

/// Hides the values of all names in a line that are not known to be harmless, and what looks like
/// a secret wherever it is.
fn mask_values(line: &str, masked: &mut String) -> Rest {
    let mut rest_of_secret = Rest::Nothing;
    // Up to where the line is in `masked`.
    let mut done = 0;
    let mut quotes = Quotes::default();
    let mut previous = ' ';
    for (at, separator) in line.char_indices() {
        let before = std::mem::replace(&mut previous, separator);
        if at < done {
            continue;
        }
        let is_separator = matches!(separator, '=' | ':') || (separator == ' ' && before != ' ');
        if is_separator && Name::before(&line[..at], separator) != Name::Harmless {
            let value = at + 1;
            let end = match quotes.open {
                Some(quote) => value + end_of_quoted(&line[value..], quote),
                None => value + end_of_value(&line[value..]),
            };
            mask_tokens(&line[done..value], masked);
            if quotes.open.is_none() {
                rest_of_secret = rest(&line[value..], separator);
            }
            hide(&line[value..end], masked);
            done = end;
        } else {
            quotes.go_on(separator);
        }
    }
    mask_tokens(&line[done..], masked);
    rest_of_secret
}

#[derive(Debug, Default)]
struct Quotes {
    open: Option<char>,
    is_escaped: bool,
}

impl Quotes {
    fn go_on(&mut self, character: char) {
        match (self.open, character) {
            _ if self.is_escaped => self.is_escaped = false,
            (Some('"'), '\\') => self.is_escaped = true,
            (Some(quote), character) if quote == character => self.open = None,
            (None, '"' | '\'') => self.open = Some(character),
            _ => {}
        }
    }
}

/// Where a string ends of which `text` is the rest.
fn end_of_quoted(text: &str, quote: char) -> usize {
    let mut quotes = Quotes {
        open: Some(quote),
        is_escaped: false,
    };
    let end = text.char_indices().find(|(_, character)| {
        quotes.go_on(*character);
        quotes.open.is_none()
    });
    end.map_or(text.len(), |(end, _)| end)
}

/// Where the value ends with which `text` begins: with its quotes, or with the line, since what
/// follows a comma may be a part of a password.
fn end_of_value(text: &str) -> usize {
    let value = text.trim_start();
    let start = text.len() - value.len();
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) if !value.starts_with(&quote.to_string().repeat(3)) => {
            start + 1 + end_of_quoted(&value[1..], quote)
        }
        _ => text.len(),
    }
}

/// Whether the value with which `text` begins goes on below.
fn rest(text: &str, separator: char) -> Rest {
    let value = text.trim();
    for quotes in ["\"\"\"", "'''"] {
        if let Some(inside) = value.strip_prefix(quotes) {
            return match inside.contains(quotes) {
                true => Rest::Nothing,
                false => Rest::Quoted(quotes),
            };
        }
    }
    match separator {
        ':' => Rest::OfYaml,
        '=' if value.starts_with(['[', '{']) && !value.ends_with([']', '}']) => Rest::Bracketed,
        _ => Rest::Nothing,
    }
}

/// No token, and no address with a login, is shorter.
const SHORTEST_TOKEN: usize = 8;

/// Hides what is a secret by its form: tokens, and who logs in to a URL.
fn mask_tokens(text: &str, masked: &mut String) {
    let is_border = |it: char| it.is_whitespace() || "\"'`,;()[]{}<>=".contains(it);
    for word in text.split_inclusive(is_border) {
        if word.len() < SHORTEST_TOKEN {
            masked.push_str(word);
        } else if names::is_token(word) {
            hide(word, masked);
        } else if let Some((scheme, rest)) = word.split_once("://")
            && let Some(end) = rest.rfind('@')
        {
            masked.push_str(scheme);
            masked.push_str("://");
            hide(&rest[..end], masked);
            masked.push_str(&rest[end..]);
        } else {
            masked.push_str(word);
        }
    }
}

fn hide(text: &str, masked: &mut String) {
    // White space and quotes show how the file is built, and no secret is made of them.
    masked.extend(text.chars().map(|character| match character {
        ' ' | '\t' | '"' | '\'' => character,
        _ => match character.len_utf8() {
            1 => '*',
            2 => '·',
            3 => '•',
            _ => '🞄',
        },
    }));
}

#[cfg(test)]
mod tests;
