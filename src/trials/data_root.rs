//! Writing into the data directory.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use nix::{errno::Errno, unistd::mkdtemp};

use crate::system::background::{Background, PATIENCE};

/// dockerd's own databases need more than this before it is ready.
const SIZE: usize = 256 << 10;

/// Why nothing could be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Failure {
    ReadOnly,
    NoRoom(Errno),
    /// Another user's directory, or a network file system that does not trust root.
    Denied(Errno),
}

/// A directory of our own in the data directory, which goes when this is dropped.
#[derive(Debug)]
pub struct Probe(PathBuf);

impl Probe {
    /// Makes it in `parent`. What is no failure of the place is no failure.
    pub fn make(parent: &Path) -> Result<Self, Failure> {
        match mkdtemp(&parent.join(".dind-init-trial-XXXXXX")) {
            Ok(directory) => Ok(Self(directory)),
            Err(errno) => Err(Failure::from(errno)),
        }
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes as much as dockerd needs at least.
    pub fn write(&self) -> Result<(), Failure> {
        let file = self.0.join("file");
        // Not all zeros: a file system that compresses would need no room for them.
        let bytes: Vec<u8> = (0..SIZE as u64 / 8)
            .flat_map(|at| at.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_ne_bytes())
            .collect();
        let written = fs::write(&file, bytes);
        let _ = fs::remove_file(file);
        written.map_err(|error| {
            let errno = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
            Failure::from(errno)
        })
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let directory = self.0.clone();
        // Waited for, so that a program that ends now leaves nothing behind.
        Background::ask(&[&self.0], move || fs::remove_dir_all(directory))
            .wait(Instant::now() + PATIENCE);
    }
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::EROFS => Self::ReadOnly,
            Errno::ENOSPC | Errno::EDQUOT => Self::NoRoom(errno),
            _ => Self::Denied(errno),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_leaves_nothing_behind() {
        let root = tempfile::tempdir().unwrap();
        let probe = Probe::make(root.path()).unwrap();
        assert_eq!(probe.write(), Ok(()));
        assert_eq!(fs::read_dir(probe.path()).unwrap().count(), 0);
        fs::write(probe.path().join("left"), "over").unwrap();
        drop(probe);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_without_room_or_rights_says_which() {
        // Nobody, root included, can make a directory in /proc.
        let failure = Probe::make(Path::new("/proc")).unwrap_err();
        assert!(matches!(failure, Failure::Denied(_)), "{failure:?}");
        assert_eq!(Failure::from(Errno::EROFS), Failure::ReadOnly);
        let full = Failure::from(Errno::EDQUOT);
        assert_eq!(full, Failure::NoRoom(Errno::EDQUOT));
    }
}
