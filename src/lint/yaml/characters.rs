//! What is looked at before the scanner sees the text, and from its places to ours.

use super::{Error, MAXIMAL_NODES};

/// Refuses what is not a character of YAML (section 5.1 of its specification).
///
/// libyaml, which GitLab reads with, refuses it too, while our scanner would take a NUL for the
/// text's end.
pub fn check(text: &str) -> Result<(), Error> {
    let mut bad = text.char_indices().filter(|(_, c)| !is_allowed(*c));
    // The mark that Windows' editors begin a file with.
    let Some((offset, bad)) = bad.find(|found| *found != (0, MARK)) else {
        return Ok(());
    };
    let error = Error::new(
        format!("the character U+{:04X} is not allowed in YAML", bad as u32),
        offset..offset + bad.len_utf8(),
    );
    Err(match bad {
        '\0' => error.with_help("this looks like UTF-16: save the file as UTF-8"),
        _ => error,
    })
}

/// Refuses what has more values than we take, as far as that can be told from single characters.
///
/// The scanner looks ahead as far as a key may reach, which is to the end of brackets, and keeps
/// what it finds: 170 bytes for each comma.
pub fn check_number(text: &str) -> Result<(), Error> {
    let bytes = text.as_bytes();
    let is_separator = |(at, byte): &(usize, &u8)| match byte {
        b',' | b'[' | b'{' => true,
        b'-' | b'?' | b':' => bytes.get(at + 1).is_none_or(u8::is_ascii_whitespace),
        _ => false,
    };
    match bytes
        .iter()
        .enumerate()
        .filter(is_separator)
        .nth(MAXIMAL_NODES)
    {
        Some((at, _)) => Err(Error::too_many(at..at + 1)),
        None => Ok(()),
    }
}

/// The byte order mark, with which a text may begin.
pub const MARK: char = '\u{feff}';

fn is_allowed(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' | '\u{85}' => true,
        MARK | '\u{fffe}' | '\u{ffff}' => false,
        _ => !c.is_control(),
    }
}

/// Where each character begins. The scanner counts characters, we count bytes.
#[derive(Debug)]
pub struct Offsets<'a> {
    text: &'a str,
    /// The offset of each [`STRIDE`]th character; empty if all of them are ASCII.
    checkpoints: Vec<usize>,
    /// How many characters the scanner has not seen.
    skipped: usize,
}

const STRIDE: usize = 128;

impl<'a> Offsets<'a> {
    /// Of a text of which the scanner gets all but the mark.
    pub fn new(text: &'a str) -> Self {
        let checkpoints = match text.is_ascii() {
            true => Vec::new(),
            false => text
                .char_indices()
                .step_by(STRIDE)
                .map(|(at, _)| at)
                .collect(),
        };
        Self {
            text,
            checkpoints,
            skipped: usize::from(text.starts_with(MARK)),
        }
    }

    /// The offset of a character by its number; that of the end if there is none.
    pub fn byte(&self, character: usize) -> usize {
        let character = character + self.skipped;
        if self.checkpoints.is_empty() {
            return character.min(self.text.len());
        }
        let Some(&start) = self.checkpoints.get(character / STRIDE) else {
            return self.text.len();
        };
        let mut rest = self.text[start..].char_indices();
        let found = rest.nth(character % STRIDE);
        found.map_or(self.text.len(), |(offset, _)| start + offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_found_by_their_number() {
        for text in [
            "",
            "abc",
            "äöü",
            &"aä".repeat(STRIDE),
            &"€".repeat(STRIDE * 2),
        ] {
            let offsets = Offsets::new(text);
            let mut count = 0;
            for (number, (offset, _)) in text.char_indices().enumerate() {
                assert_eq!(offsets.byte(number), offset, "{text} {number}");
                count += 1;
            }
            for past in [count, count + 1, count + STRIDE] {
                assert_eq!(offsets.byte(past), text.len(), "{text} {past}");
            }
        }
    }

    #[test]
    fn what_yaml_does_not_allow_is_told_with_its_place() {
        for (text, span) in [
            ("a: b\0", Some(4..5)),
            ("ä: \u{1b}[1m", Some(4..5)),
            ("a: \u{7f}", Some(3..4)),
            ("a: \u{feff}", Some(3..6)),
            ("\u{feff}a: b", None),
            ("a: \u{85}\u{2028}\u{10ffff}\t\r\n", None),
        ] {
            let error = check(text).err();
            assert_eq!(
                error.as_ref().map(|error| error.span.clone()),
                span,
                "{text:?}"
            );
        }
    }
}
