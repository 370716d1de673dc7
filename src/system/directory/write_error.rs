//! What could not be written, and where.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// Something could not be written.
#[derive(Debug)]
pub struct WriteError {
    /// The verb and its object, as in "cannot write".
    pub action: &'static str,
    pub path: PathBuf,
    pub source: io::Error,
}

impl WriteError {
    pub fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self {
            action,
            path,
            source,
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot {} {}: {}",
            self.action,
            self.path.display(),
            self.source
        )
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
