//! Plain data about this container, read once; nothing here judges or changes anything.

pub mod certificates;
pub mod client;
pub mod control_groups;
pub mod docker_version;
pub mod file;
pub mod graph_drivers;
pub mod identity;
pub mod memory_limits;
pub mod mounts;
pub mod network;
pub mod nftables;
pub mod own_service;
pub mod ports;
pub mod privileges;
pub mod process_limits;
pub mod program;
pub mod storage;

use std::{fmt, fs, path::PathBuf};

/// A fact, or why it could not be read, which is a fact as well.
pub type Fact<T> = Result<T, Unread>;

/// What could not be read, and what the system said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unread {
    pub source: PathBuf,
    pub error: String,
}

impl Unread {
    pub fn new(source: impl Into<PathBuf>, error: impl fmt::Display) -> Self {
        Self {
            source: source.into(),
            error: error.to_string(),
        }
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: not read ({})", self.source.display(), self.error)
    }
}

fn read(source: &str) -> Fact<String> {
    fs::read_to_string(source).map_err(|error| Unread::new(source, error))
}
