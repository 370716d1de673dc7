//! Only one live dind writes to a certificate directory.
//!
//! The lock is a `flock(2)` on the directory itself, so that nothing is left behind: the kernel
//! drops it when the process ends, however it ends. It works across containers of one node.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    time::Duration,
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    sys::stat::fstat,
};

use super::{
    directory::{Directory, WriteError},
    retry,
};

/// How long a lock that someone else holds is asked for again: the last job's dind may be stopping.
pub const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// The lock, held until it is dropped.
#[derive(Debug)]
pub struct DirectoryLock {
    directory: Directory,
    _lock: Flock<OwnedFd>,
}

/// What came of asking for a lock.
#[derive(Debug)]
pub enum Locking {
    Held(DirectoryLock),
    /// Another process holds it.
    InUse,
    /// The file system has no locks for directories.
    Unsupported(Errno),
}

impl DirectoryLock {
    /// Locks the directory, which is made if it is missing. Who is asked to stop meanwhile does not
    /// wait any longer.
    ///
    /// Errors are those of making and opening the directory.
    pub fn acquire(directory: &Path, patience: Duration) -> Result<Locking, WriteError> {
        let attempt = || match Directory::make(directory).and_then(Self::attempt) {
            Ok(Locking::InUse) => None,
            other => Some(other),
        };
        retry::until_some(patience, attempt).unwrap_or(Ok(Locking::InUse))
    }

    /// Locks what is open already, if nobody else holds the lock.
    pub fn attempt(directory: Directory) -> Result<Locking, WriteError> {
        let failed = |error| WriteError::at("lock", directory.path())(error);
        let handle = directory.as_fd().try_clone_to_owned().map_err(failed)?;
        match Flock::lock(handle, FlockArg::LockExclusiveNonblock) {
            Ok(lock) if directory.is_still_there() => Ok(Locking::Held(Self {
                directory,
                _lock: lock,
            })),
            // Its last owner removed the directory in between, and another one may be locked.
            Ok(_) => Ok(Locking::InUse),
            Err((_, Errno::EWOULDBLOCK | Errno::EINTR)) => Ok(Locking::InUse),
            // EBADF: NFS locks only what is open for writing, which a directory never is.
            Err((
                _,
                errno @ (Errno::EOPNOTSUPP | Errno::ENOLCK | Errno::EBADF | Errno::ENOSYS),
            )) => Ok(Locking::Unsupported(errno)),
            Err((_, errno)) => Err(failed(io::Error::from(errno))),
        }
    }

    /// What is locked.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }
}

/// The inode of a directory that another process has locked; `None` where it is free, or where
/// there is none. Changes nothing: it asks for a lock that many may have, and drops it.
pub fn locked_inode(directory: &Path) -> Option<u64> {
    let directory = Directory::open(directory).ok()?;
    let handle = directory.as_fd().try_clone_to_owned().ok()?;
    let inode = fstat(&handle).ok()?.st_ino;
    match Flock::lock(handle, FlockArg::LockSharedNonblock) {
        Err((_, Errno::EWOULDBLOCK)) => Some(inode),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn acquire(directory: &Path) -> Locking {
        DirectoryLock::acquire(directory, Duration::ZERO).unwrap()
    }

    #[test]
    fn a_lock_excludes_others_until_it_is_dropped_and_leaves_nothing_behind() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("certs/client");
        let Locking::Held(lock) = acquire(&directory) else {
            panic!("a new directory is free");
        };
        assert!(matches!(acquire(&directory), Locking::InUse));
        assert!(locked_inode(&directory).is_some());
        drop(lock);
        assert_eq!(locked_inode(&directory), None);
        assert!(matches!(acquire(&directory), Locking::Held(_)));
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_that_was_removed_and_made_again_is_locked_anew() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("client");
        let old = acquire(&directory);
        fs::remove_dir(&directory).unwrap();
        assert!(matches!(acquire(&directory), Locking::Held(_)));
        drop(old);
    }

    /// Between its opening and its locking: two would hold a lock, each on another directory.
    #[test]
    fn a_directory_that_was_replaced_after_it_was_opened_is_not_held() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("client");
        let opened = Directory::make(&path).unwrap();
        fs::remove_dir(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let locking = DirectoryLock::attempt(opened).unwrap();
        assert!(matches!(locking, Locking::InUse), "{locking:?}");
        let there = Directory::open(&path).unwrap();
        let locking = DirectoryLock::attempt(there).unwrap();
        assert!(matches!(locking, Locking::Held(_)), "{locking:?}");
    }
}
