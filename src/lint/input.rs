//! From a file's bytes to its text, or to what is the matter with it.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use super::{
    problem::SyntaxError,
    source::{FileId, Files, Place, Source, Span},
};

/// The name that means standard input.
pub const STANDARD_INPUT: &str = "-";

/// How standard input is called in what is said.
const STANDARD_INPUT_NAME: &str = "(standard input)";

/// More than any configuration has; what is larger is something else, or has no end.
const LARGEST: u64 = 32 << 20;

/// Reads a file, `-` for standard input. One that cannot be read is there all the same, empty, so
/// that the error has a place.
pub fn read(path: &str, files: &mut Files) -> Result<FileId, SyntaxError> {
    let bytes = match path {
        STANDARD_INPUT => bytes(io::stdin().lock()),
        path => File::open(path).and_then(bytes),
    };
    let name = match path {
        STANDARD_INPUT => STANDARD_INPUT_NAME,
        path => path,
    };
    match bytes {
        Ok(bytes) => decode(name, bytes, files),
        Err(error) => {
            let file = files.add(Source::unreadable(name, String::new()));
            Err(refuse(
                file,
                0..0,
                format!("this cannot be read: {error}"),
                "",
            ))
        }
    }
}

/// The text of a file that is followed from another one; what is wrong with it is said when it is
/// read to be judged.
pub(super) fn text(path: &Path) -> Option<String> {
    String::from_utf8(File::open(path).and_then(bytes).ok()?).ok()
}

fn bytes(input: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(LARGEST + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > LARGEST {
        true => {
            let limit = format!("it has more than {} MiB", LARGEST >> 20);
            Err(io::Error::new(io::ErrorKind::FileTooLarge, limit))
        }
        false => Ok(bytes),
    }
}

/// GitLab, its runner and Helm all read UTF-8 and nothing else.
fn decode(name: &str, bytes: Vec<u8>, files: &mut Files) -> Result<FileId, SyntaxError> {
    let error = match String::from_utf8(bytes) {
        Ok(text) => return Ok(files.add(Source::new(name, text))),
        Err(error) => error,
    };
    let is_utf16 = [[0xff, 0xfe], [0xfe, 0xff]]
        .iter()
        .any(|mark| error.as_bytes().starts_with(mark));
    if is_utf16 {
        let file = files.add(Source::unreadable(name, String::new()));
        let help = "save the file as UTF-8; Windows' editors call it that, too";
        return Err(refuse(file, 0..0, "this is UTF-16, not UTF-8".into(), help));
    }
    let start = error.utf8_error().valid_up_to();
    let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
    let file = files.add(Source::unreadable(name, text));
    let replaced = start..start + char::REPLACEMENT_CHARACTER.len_utf8();
    let message = "this is not UTF-8".to_owned();
    Err(refuse(file, replaced, message, "save the file as UTF-8"))
}

fn refuse(file: FileId, span: Span, message: String, help: &str) -> SyntaxError {
    SyntaxError {
        message,
        place: Place::new(file, span),
        help: help.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_utf_8_is_said_with_its_place() {
        for (bytes, message, line, column) in [
            (&b"ok\n"[..], None, 0, 0),
            ("a: ü\n".as_bytes(), None, 0, 0),
            (b"a: 1\nb: \xfc\n", Some("not UTF-8"), 2, 4),
            (b"\xff\xfea\0", Some("UTF-16"), 1, 1),
            (b"\xfe\xff\0a", Some("UTF-16"), 1, 1),
        ] {
            let mut files = Files::default();
            let result = decode("x", bytes.to_vec(), &mut files);
            let Some(message) = message else {
                assert!(result.is_ok());
                continue;
            };
            let error = result.unwrap_err();
            assert!(error.message.contains(message), "{error:?}");
            let position = files.position(&error.place);
            assert_eq!((position.line, position.column), (line, column));
        }
    }

    #[test]
    fn what_has_no_end_is_not_read_to_it() {
        assert!(bytes(io::repeat(b'a')).is_err());
        assert_eq!(bytes(&b"abc"[..]).unwrap(), b"abc");
    }
}
