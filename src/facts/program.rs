//! What a program holds, read from its file: dockerd has 90 MB and takes 50 to 130 ms to say
//! `--help`, while clients wait for their certificates.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use memchr::memmem;

/// Pieces overlap by so much, which is the longest text that is surely found.
pub const LONGEST: usize = 64;

/// Whether the program has `text` in it; `None` where it cannot be read.
pub fn contains(program: &Path, text: &str) -> Option<bool> {
    let finder = memmem::Finder::new(text);
    read_until(File::open(program).ok()?, |piece| {
        finder.find(piece).is_some()
    })
    .ok()
}

/// Shows `look` all of the program, in pieces, until it has seen enough; says whether it has.
pub fn read_until(mut program: impl Read, mut look: impl FnMut(&[u8]) -> bool) -> io::Result<bool> {
    let mut buffer = vec![0; 256 << 10];
    let mut kept = 0;
    loop {
        let length = match program.read(&mut buffer[kept..]) {
            Ok(0) => return Ok(false),
            Ok(read) => kept + read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if look(&buffer[..length]) {
            return Ok(true);
        }
        kept = length.min(LONGEST);
        buffer.copy_within(length - kept..length, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_text_is_found_wherever_one_piece_ends_and_the_next_begins() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("dockerd");
        for shift in [0, 1, 10, 63, 64, 65, 200] {
            let before = vec![b'.'; (256 << 10) - shift];
            fs::write(&program, [&before, &b"default-network-opt"[..]].concat()).unwrap();
            assert_eq!(
                contains(&program, "default-network-opt"),
                Some(true),
                "{shift}"
            );
            assert_eq!(contains(&program, "default-network-opts"), Some(false));
        }
        assert_eq!(contains(&directory.path().join("none"), "x"), None);
    }
}
