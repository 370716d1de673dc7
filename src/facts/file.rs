//! Reading a file of which nothing is known but its path.

use std::{
    fmt, fs,
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use nix::libc;

/// The largest file that is read, in bytes: Mozilla's whole list of CAs has a quarter of that.
pub const LIMIT: u64 = 1 << 20;

/// Reads at most [`LIMIT`], and never from a pipe or device, which could block for ever.
pub fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    let attempt = || {
        let file = fs::File::options()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let mut content = Vec::new();
        file.take(LIMIT + 1).read_to_end(&mut content)?;
        if content.len() as u64 > LIMIT {
            return Err(io::Error::other("larger than 1 MiB"));
        }
        Ok(content)
    };
    attempt().map_err(|error| ReadError::new(path, &error))
}

/// Why something could not be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReadError {
    pub path: PathBuf,
    pub kind: io::ErrorKind,
    pub message: String,
}

impl ReadError {
    pub fn new(path: &Path, error: &io::Error) -> Self {
        Self {
            path: path.to_owned(),
            kind: error.kind(),
            message: error.to_string(),
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.message)
    }
}
