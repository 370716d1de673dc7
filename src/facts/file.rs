//! Reading a file of which nothing is known but its path.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use crate::{
    reasons::printable,
    system::directory::{self, LIMIT},
};

/// Reads at most [`LIMIT`], and never from a pipe or device, which could block for ever.
pub fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    directory::read(path, LIMIT).map_err(|error| ReadError::new(path, &error))
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
        let path = printable::value(&self.path.to_string_lossy());
        write!(f, "{path}: {}", self.message)
    }
}
