//! The door through which every directory is entered that others write to: jobs, their services,
//! and whoever planted something there before.
//!
//! A [`Directory`] is opened once, without being led elsewhere (see [`mod@walk`]), and all below it
//! goes by that descriptor. Nothing here follows a link that lies in it, opens what is no regular
//! file, waits, or reads without end.

mod staged;
mod walk;
mod write_error;

use std::{
    ffi::{OsStr, OsString},
    fs::{File, Permissions},
    io::{self, Read, Write},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::{ffi::OsStrExt, fs::PermissionsExt},
    },
    path::{Path, PathBuf},
};

use nix::{
    dir::Dir,
    errno::Errno,
    fcntl::{AT_FDCWD, OFlag, openat, renameat},
    sys::stat::{FileStat, Mode, SFlag, fstat},
    unistd::{UnlinkatFlags, unlinkat},
};

#[cfg(test)]
pub use self::walk::tempdir_on_root_mount;
use self::walk::{Given, Missing, kind, walk, walk_below};
pub use self::{
    staged::{is_staged, staged},
    write_error::WriteError,
};

/// The largest file that is read, in bytes: Mozilla's whole list of CAs has a quarter of that.
pub const LIMIT: u64 = 1 << 20;

/// More entries than this are not looked at.
const MOST_ENTRIES: usize = 100_000;

/// An open directory.
#[derive(Debug)]
pub struct Directory {
    handle: OwnedFd,
    /// For messages alone.
    path: PathBuf,
}

impl Directory {
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::reach(path, Given::ToService, Missing::Fails)
    }

    /// Of a user's own files, where they may have put links.
    pub fn open_of_user(path: &Path) -> io::Result<Self> {
        Self::reach(path, Given::ByUser, Missing::Fails)
    }

    /// Makes it and its parents where they are missing, with mode 0755.
    pub fn make(path: &Path) -> Result<Self, WriteError> {
        Self::reach(path, Given::ToService, Missing::IsMade)
            .map_err(WriteError::at("make the directory", path))
    }

    fn reach(path: &Path, given: Given, missing: Missing) -> io::Result<Self> {
        let place = walk(path, given, missing)?;
        Self::at(place.as_fd(), path.to_owned())
    }

    fn at(place: BorrowedFd<'_>, path: PathBuf) -> io::Result<Self> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        Ok(Self {
            handle: openat(place, ".", flags, Mode::empty())?,
            path,
        })
    }

    /// A directory in this one, and no link to one.
    pub fn child(&self, name: impl AsRef<OsStr>) -> io::Result<Self> {
        let name = single(name.as_ref())?;
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        Ok(Self {
            handle: openat(self, name, flags, Mode::empty())?,
            path: self.path.join(name),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn stat(&self) -> io::Result<FileStat> {
        Ok(fstat(self)?)
    }

    /// Whether this is what lies at its path now.
    pub fn is_still_there(&self) -> bool {
        let there = walk(&self.path, Given::ToService, Missing::Fails);
        match (self.stat(), there.and_then(|there| Ok(fstat(&there)?))) {
            (Ok(held), Ok(there)) => (held.st_dev, held.st_ino) == (there.st_dev, there.st_ino),
            _ => false,
        }
    }

    /// Everything in it, sorted.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        // With a position of its own.
        let mut entries = Dir::from_fd(openat(self, ".", flags, Mode::empty())?)?;
        let mut names = Vec::new();
        for entry in entries.iter().take(MOST_ENTRIES) {
            let name = OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// What `name` is, links not followed.
    pub fn stat_of(&self, name: impl AsRef<OsStr>) -> io::Result<FileStat> {
        Ok(fstat(&self.place(name.as_ref())?)?)
    }

    /// What `name` is, or leads to as [`read`](Self::read) would.
    pub fn stat_of_target(&self, name: impl AsRef<OsStr>) -> io::Result<FileStat> {
        Ok(fstat(&walk_below(self.as_fd(), single(name.as_ref())?)?)?)
    }

    pub fn is_directory(&self, name: impl AsRef<OsStr>) -> bool {
        let stat = self.stat_of(name);
        stat.is_ok_and(|stat| kind(&stat) == SFlag::S_IFDIR)
    }

    /// A regular file of at most [`LIMIT`] bytes, which may be reached by a link as
    /// [`mod@walk`] follows them.
    pub fn read(&self, name: impl AsRef<OsStr>) -> io::Result<Vec<u8>> {
        let name = single(name.as_ref())?;
        read_all(&walk_below(self.as_fd(), name)?, LIMIT)
    }

    /// A regular file that lies here itself and nowhere else as well: neither by a link nor by a
    /// hard link.
    pub fn read_own(&self, name: impl AsRef<OsStr>) -> io::Result<Vec<u8>> {
        read_all(&self.own(name.as_ref())?, LIMIT)
    }

    /// Writes a file that is seen whole or not at all: under a hidden name, then renamed. `mode`
    /// holds whatever the umask is. It is not synced to disk: for what is made anew at each start.
    pub fn replace(&self, name: &str, content: &[u8], mode: u32) -> io::Result<()> {
        self.replace_after(name, content, mode, |_| Ok(()))
    }

    /// `finish`: what is to be done to the file before it has its name.
    pub fn replace_after(
        &self,
        name: &str,
        content: &[u8],
        mode: u32,
        finish: impl FnOnce(&File) -> io::Result<()>,
    ) -> io::Result<()> {
        let hidden = self.stage(name, content, mode, finish)?;
        self.rename(&hidden, name).inspect_err(|_| {
            // What has no name of its own is of no use to anybody.
            let _ = self.remove(&hidden);
        })
    }

    /// Writes a new file for `name` under a hidden name, which is returned.
    pub fn stage(
        &self,
        name: &str,
        content: &[u8],
        mode: u32,
        finish: impl FnOnce(&File) -> io::Result<()>,
    ) -> io::Result<String> {
        single(name.as_ref())?;
        let hidden = staged(name);
        let flags =
            OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let bits = Mode::from_bits_truncate(mode);
        let mut file = File::from(openat(self, hidden.as_str(), flags, bits)?);
        let write = |file: &mut File| {
            file.set_permissions(Permissions::from_mode(mode))?;
            file.write_all(content)?;
            finish(file)
        };
        write(&mut file).inspect_err(|_| {
            let _ = self.remove(&hidden);
        })?;
        Ok(hidden)
    }

    /// Appends to a regular file that is there, with one write, and never makes it.
    pub fn append(&self, name: &str, text: &[u8]) -> io::Result<()> {
        self.open_to_write(name, OFlag::O_APPEND)?.write_all(text)
    }

    /// Writes a regular file that is there where it lies, so that a reader may see half of it: for
    /// what can be neither renamed nor made anew.
    pub fn overwrite(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let mut file = self.open_to_write(name, OFlag::empty())?;
        file.write_all(content)?;
        file.set_len(content.len() as u64)
    }

    /// Renames within the directory. What had the name is gone, and never followed.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (single(from.as_ref())?, single(to.as_ref())?);
        Ok(renameat(self, from, self, to)?)
    }

    /// Removes a file, or a link and not where it leads. One that is not there is no error.
    pub fn remove(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        let name = single(name.as_ref())?;
        missing_is_fine(unlinkat(self, name, UnlinkatFlags::NoRemoveDir))
    }

    /// Removes the files that a killed process has left under hidden names for `name`.
    pub fn remove_staged(&self, name: &str) -> io::Result<()> {
        for hidden in self.names()? {
            if hidden
                .to_str()
                .is_some_and(|hidden| is_staged(hidden, name))
                && !self.is_directory(&hidden)
            {
                self.remove(&hidden)?;
            }
        }
        Ok(())
    }

    /// Removes a directory in this one, and says whether it is gone: one that holds something
    /// stays.
    pub fn remove_if_empty(&self, name: impl AsRef<OsStr>) -> io::Result<bool> {
        let name = single(name.as_ref())?;
        match unlinkat(self, name, UnlinkatFlags::RemoveDir) {
            // POSIX allows both.
            Err(Errno::ENOTEMPTY | Errno::EEXIST) => Ok(false),
            removed => missing_is_fine(removed).map(|()| true),
        }
    }

    /// Makes renames last through a power cut, where the file system can.
    pub fn sync(&self) -> io::Result<()> {
        match nix::unistd::fsync(self) {
            // Some network and FUSE file systems sync no directories.
            Err(Errno::EINVAL) | Ok(()) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// What lies there, opened as nothing but a place: not even a device hears of that.
    fn place(&self, name: &OsStr) -> io::Result<OwnedFd> {
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        Ok(openat(self, single(name)?, flags, Mode::empty())?)
    }

    /// The place of what has no other name: that may be one which somebody else cares for.
    ///
    /// The kernel looks a name up first and counts the links then, so a link that is taken away in
    /// between is not counted. Whoever is after that would have to hit that instant each time.
    fn own(&self, name: &OsStr) -> io::Result<OwnedFd> {
        const LOOKS: usize = 4;
        let place = self.place(name)?;
        let held = fstat(&place)?;
        for _ in 0..LOOKS {
            let there = self.stat_of(name)?;
            // One of two names may have been taken away meanwhile, but then it is not this one.
            let is_there = (held.st_dev, held.st_ino) == (there.st_dev, there.st_ino);
            if !is_there || there.st_nlink != 1 {
                return Err(io::Error::other("a file that has another name as well"));
            }
        }
        Ok(place)
    }

    fn open_to_write(&self, name: &str, how: OFlag) -> io::Result<File> {
        open_regular(&self.own(name.as_ref())?, OFlag::O_WRONLY | how)
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}

/// Reads a file of which nothing is known but its path.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read_all(&walk(path, Given::ToService, Missing::Fails)?, limit)
}

/// Where a path of a user's leads, without links.
pub fn resolved(path: &Path) -> io::Result<PathBuf> {
    let place = walk(path, Given::ByUser, Missing::Fails)?;
    let link = format!("/proc/self/fd/{}", place.as_raw_fd());
    Ok(nix::fcntl::readlink(link.as_str())?.into())
}

fn read_all(place: &OwnedFd, limit: u64) -> io::Result<Vec<u8>> {
    let file = open_regular(place, OFlag::O_RDONLY)?;
    let mut content = Vec::new();
    file.take(limit + 1).read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        let text = format!("larger than {} MiB", limit.div_ceil(1 << 20));
        return Err(io::Error::other(text));
    }
    Ok(content)
}

/// Opens what a place has been found to be: a pipe would make us wait, a device would do something.
fn open_regular(place: &OwnedFd, flags: OFlag) -> io::Result<File> {
    if kind(&fstat(place)?) != SFlag::S_IFREG {
        return Err(io::Error::other("not a regular file"));
    }
    // The kernel's own link, which leads to this very file (`man 5 proc_pid_fd`).
    let path = format!("/proc/self/fd/{}", place.as_raw_fd());
    let flags = flags | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    Ok(File::from(openat(
        AT_FDCWD,
        path.as_str(),
        flags,
        Mode::empty(),
    )?))
}

/// A name within a directory, which leads nowhere else.
fn single(name: &OsStr) -> io::Result<&OsStr> {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes == b"." || bytes == b".." || bytes.contains(&b'/') {
        return Err(Errno::EINVAL.into());
    }
    Ok(name)
}

fn missing_is_fine(done: nix::Result<()>) -> io::Result<()> {
    match done {
        Err(Errno::ENOENT) | Ok(()) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests;
