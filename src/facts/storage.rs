//! What lies below Docker's data directory.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use nix::sys::statvfs::{FsFlags, statvfs};

use super::{Fact, Unread, mounts::Mounts};
use crate::system::background;

/// The file system of the data directory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Storage {
    pub data_root: PathBuf,
    /// The data directory, or the nearest directory above it that exists; links resolved.
    pub existing: PathBuf,
    /// As mountinfo names it: `ext4`, `overlay`, `nfs4`, `fuse.sshfs`; empty where it says nothing.
    pub file_system: String,
    pub mount_point: PathBuf,
    pub room: Fact<Room>,
}

/// What statvfs(3) says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Room {
    pub read_only: bool,
    /// Bytes that are free for this user.
    pub bytes: u64,
    /// `None` where the file system does not count them (btrfs, some tmpfs).
    pub inodes: Option<u64>,
}

impl Storage {
    pub fn read(data_root: &Path, mounts: &Mounts) -> Self {
        let existing = data_root
            .ancestors()
            .find_map(|path| path.canonicalize().ok())
            .unwrap_or_else(|| "/".into());
        let room = Room::of(&existing);
        Self::on(mounts, data_root, existing, room)
    }

    /// Where its volume does not answer.
    pub fn unanswered(data_root: &Path, mounts: &Mounts) -> Self {
        let room = Err(Unread::new(data_root, background::no_answer()));
        Self::on(mounts, data_root, data_root.to_owned(), room)
    }

    fn on(mounts: &Mounts, data_root: &Path, existing: PathBuf, room: Fact<Room>) -> Self {
        let mount = mounts.holding(&existing);
        Self {
            data_root: data_root.to_owned(),
            file_system: mount.map(|m| m.file_system.clone()).unwrap_or_default(),
            mount_point: mount.map_or_else(|| "/".into(), |m| m.point.clone()),
            existing,
            room,
        }
    }

    pub fn exists(&self) -> bool {
        self.data_root
            .canonicalize()
            .is_ok_and(|path| path == self.existing)
    }

    /// Such as `/var/lib/docker (ext4, mounted at /var/lib/docker)`.
    pub fn place(&self) -> String {
        format!(
            "{} ({}, mounted at {})",
            self.data_root.display(),
            self.file_system,
            self.mount_point.display()
        )
    }
}

impl Room {
    fn of(directory: &Path) -> Fact<Self> {
        let answer = statvfs(directory).map_err(|errno| Unread::new(directory, errno))?;
        Ok(Self {
            read_only: answer.flags().contains(FsFlags::ST_RDONLY),
            bytes: answer
                .blocks_available()
                .saturating_mul(answer.fragment_size()),
            inodes: (answer.files() > 0).then(|| answer.files_available()),
        })
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bytes >> 20 {
            0 => write!(f, "{} KiB", self.bytes >> 10)?,
            mebibytes @ ..10_240 => write!(f, "{mebibytes} MiB")?,
            mebibytes => write!(f, "{} GiB", mebibytes >> 10)?,
        }
        match self.inodes {
            Some(inodes) => write!(f, " and {inodes} inodes free"),
            None => f.write_str(" free"),
        }
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "data directory: {}", self.place())?;
        if !self.exists() {
            f.write_str(", missing")?;
        }
        match &self.room {
            Ok(room) if room.read_only => f.write_str(", read-only"),
            Ok(room) => write!(f, ", {room}"),
            Err(unread) => write!(f, ", {unread}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_data_directory_is_judged_by_the_one_above() {
        let root = tempfile::tempdir().unwrap();
        let mounts = Mounts::parse("1 0 8:1 / / rw - ext4 /dev/a rw");
        let storage = Storage::read(&root.path().join("var/lib/docker"), &mounts);
        assert_eq!(storage.existing, root.path().canonicalize().unwrap());
        assert_eq!(storage.file_system, "ext4");
        assert!(!storage.exists());
        assert!(storage.room.as_ref().unwrap().bytes > 0);
        assert!(storage.to_string().contains(", missing"), "{storage}");
        assert!(Storage::read(root.path(), &mounts).exists());
    }

    #[test]
    fn room_is_told_in_the_unit_that_suits() {
        let room = |bytes, inodes| {
            Room {
                read_only: false,
                bytes,
                inodes,
            }
            .to_string()
        };
        assert_eq!(room(100 << 10, Some(3)), "100 KiB and 3 inodes free");
        assert_eq!(room(700 << 20, None), "700 MiB free");
        assert_eq!(room(62 << 30, None), "62 GiB free");
    }
}
