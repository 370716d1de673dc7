//! From a path to what lies there, without being led elsewhere.
//!
//! A path is walked name by name, each opened without following a link, so that nothing which is
//! swapped meanwhile leads away. `openat2(2)` does that in one call, but older kernels lack it, and
//! the seccomp profiles of older container runtimes forbid it: one way for all is simpler.
//!
//! A link is followed where nobody can have planted it:
//!
//! - on the mount of `/`, if root or we ourselves own it, as in `/var/run -> /run`. Each container
//!   has its own root file system, and a job reaches only the volumes of its service;
//! - on a mount that is read-only, as long as it stays in it: a Secret or ConfigMap is read through
//!   `ca.pem -> ..data/ca.pem` and `..data -> ..2026_…` (kubelet, `pkg/volume/util/atomic_writer.go`);
//! - in a path that a user gave for files of their own, if they or root own the link.

use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
    fs, io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    path::{Component, Path},
};

use nix::{
    dir::Dir,
    errno::Errno,
    fcntl::{AT_FDCWD, OFlag, openat, readlinkat},
    sys::{
        stat::{FileStat, Mode, SFlag, fchmod, fstat, mkdirat},
        statvfs::{FsFlags, fstatvfs},
    },
    unistd::Uid,
};

/// As many as the kernel follows (`man 7 path_resolution`).
const MOST_LINKS: usize = 40;

/// Whose path it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Given {
    /// A service's: others write to its volumes.
    ToService,
    /// A user's, for files of their own.
    ByUser,
}

/// What becomes of directories that are not there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Missing {
    Fails,
    IsMade,
}

/// The descriptor (`O_PATH`) of what lies at `path`, of any kind but a link.
pub fn walk(path: &Path, given: Given, missing: Missing) -> io::Result<OwnedFd> {
    let start = if path.is_absolute() { "/" } else { "." };
    let start = openat(AT_FDCWD, start, PLACE | OFlag::O_DIRECTORY, Mode::empty())?;
    Walk::new(start, given, missing).go(path)
}

/// The same of a name below an open directory, which may be a link within a read-only mount.
pub fn walk_below(directory: BorrowedFd<'_>, name: &OsStr) -> io::Result<OwnedFd> {
    let start = openat(directory, ".", PLACE | OFlag::O_DIRECTORY, Mode::empty())?;
    Walk::new(start, Given::ToService, Missing::Fails).go(Path::new(name))
}

const PLACE: OFlag = OFlag::O_PATH
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

struct Walk {
    /// From where it began to where it is.
    places: Vec<OwnedFd>,
    /// What is still to go.
    names: VecDeque<OsString>,
    /// How many of the places are never left, once a link in a volume has been followed.
    floor: Option<usize>,
    links: usize,
    given: Given,
    missing: Missing,
}

impl Walk {
    fn new(start: OwnedFd, given: Given, missing: Missing) -> Self {
        Self {
            places: vec![start],
            names: VecDeque::new(),
            floor: None,
            links: 0,
            given,
            missing,
        }
    }

    fn go(mut self, path: &Path) -> io::Result<OwnedFd> {
        self.put_first(path);
        while let Some(name) = self.names.pop_front() {
            if name == ".." {
                self.go_up()?;
            } else {
                self.step(&name)?;
            }
        }
        self.places
            .pop()
            .ok_or_else(|| io::Error::other("a walk that is nowhere"))
    }

    fn put_first(&mut self, path: &Path) {
        let names = path.components().filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            _ => None,
        });
        for (position, name) in names.enumerate() {
            self.names.insert(position, name);
        }
    }

    fn go_up(&mut self) -> io::Result<()> {
        if self.places.len() > self.floor.unwrap_or(1) {
            self.places.pop();
            return Ok(());
        }
        if self.floor.is_some() {
            return Err(leads_out());
        }
        // Above where it began; above `/` is `/` itself.
        let up = openat(self.here(), "..", PLACE | OFlag::O_DIRECTORY, Mode::empty())?;
        self.places = vec![up];
        Ok(())
    }

    fn step(&mut self, name: &OsStr) -> io::Result<()> {
        let open = |here: BorrowedFd<'_>| openat(here, name, PLACE, Mode::empty());
        let found = match open(self.here()) {
            Err(Errno::ENOENT) if self.missing == Missing::IsMade => {
                return self.make(name);
            }
            found => found?,
        };
        let stat = fstat(&found)?;
        if kind(&stat) == SFlag::S_IFLNK {
            return self.follow(&found, &stat);
        }
        self.places.push(found);
        Ok(())
    }

    fn make(&mut self, name: &OsStr) -> io::Result<()> {
        let mode = Mode::from_bits_truncate(0o755);
        let made = mkdirat(self.here(), name, mode);
        if !matches!(made, Ok(()) | Err(Errno::EEXIST)) {
            made?;
        }
        let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let found = openat(self.here(), name, flags, Mode::empty())?;
        // Whatever the umask was. What somebody has swapped for it meanwhile is not touched.
        if made.is_ok() && is_new(&found)? {
            fchmod(&found, mode)?;
        }
        self.places.push(found);
        Ok(())
    }

    fn follow(&mut self, link: &OwnedFd, stat: &FileStat) -> io::Result<()> {
        self.links += 1;
        if self.links > MOST_LINKS {
            return Err(Errno::ELOOP.into());
        }
        let target = readlinkat(link, "")?;
        let target = Path::new(&target);
        let is_of_root_or_ours = stat.st_uid == 0 || stat.st_uid == Uid::effective().as_raw();
        let is_trusted = is_of_root_or_ours
            && (self.given == Given::ByUser || mount_of(link)? == mount_of(&root()?)?);
        if !is_trusted {
            if !fstatvfs(link)?.flags().contains(FsFlags::ST_RDONLY) {
                return Err(io::Error::other(
                    "a symbolic link where others can write, which is not followed",
                ));
            }
            let volume = self.first_place_of(mount_of(link)?)?;
            self.floor = self.floor.max(Some(volume));
        }
        if target.is_absolute() {
            if self.floor.is_some() {
                return Err(leads_out());
            }
            self.places = vec![root()?];
        }
        self.put_first(target);
        Ok(())
    }

    /// How many places there are up to the first of this mount.
    fn first_place_of(&self, mount: u64) -> io::Result<usize> {
        for (position, place) in self.places.iter().enumerate() {
            if mount_of(place)? == mount {
                return Ok(position + 1);
            }
        }
        Err(io::Error::other("a link that lies nowhere"))
    }

    fn here(&self) -> BorrowedFd<'_> {
        // A walk begins at a place, and `go_up` and `follow` leave one.
        self.places[self.places.len() - 1].as_fd()
    }
}

fn leads_out() -> io::Error {
    io::Error::other("a symbolic link that leads out of its volume, which is not followed")
}

fn root() -> nix::Result<OwnedFd> {
    openat(AT_FDCWD, "/", PLACE | OFlag::O_DIRECTORY, Mode::empty())
}

/// Just made by us, and nothing in it.
fn is_new(directory: &OwnedFd) -> io::Result<bool> {
    let is_ours = fstat(directory)?.st_uid == Uid::effective().as_raw();
    let mut entries = Dir::from_fd(directory.try_clone()?)?;
    Ok(is_ours
        && entries
            .iter()
            .all(|entry| entry.is_ok_and(|entry| [c".", c".."].contains(&entry.file_name()))))
}

/// Which mount a descriptor is on (`man 5 proc_pid_fdinfo`); `st_dev` does not tell a volume from
/// the root file system where both are directories of one disk.
fn mount_of(descriptor: &impl AsRawFd) -> io::Result<u64> {
    let path = format!("/proc/self/fdinfo/{}", descriptor.as_raw_fd());
    let text = fs::read_to_string(path)?;
    let number = text.lines().find_map(|line| line.strip_prefix("mnt_id:"));
    let number = number.and_then(|number| number.trim().parse().ok());
    number.ok_or_else(|| io::Error::other("the kernel does not tell mounts apart"))
}

/// Regular file, directory, link and so on.
pub fn kind(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT
}

/// A directory for tests in which links are followed, wherever this machine has its `/tmp`: Debian 13
/// has it on a mount of its own.
#[cfg(test)]
pub fn tempdir_on_root_mount() -> tempfile::TempDir {
    let of_root = mount_of(&root().unwrap()).unwrap();
    let is_on_it = |place: &std::path::PathBuf| {
        let place = walk(place, Given::ByUser, Missing::Fails);
        place.is_ok_and(|place| mount_of(&place).unwrap() == of_root)
    };
    let mut places = [std::env::temp_dir(), "/var/tmp".into(), "/".into()].into_iter();
    tempfile::tempdir_in(places.find(is_on_it).unwrap()).unwrap()
}
