//! Only one live dind writes to a certificate directory.
//!
//! The lock is a `flock(2)` on the directory itself, so that nothing is left behind: the kernel
//! drops it when the process ends, however it ends. It works across containers of one node.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
    time::Duration,
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    libc,
};

use super::{
    directory::{WriteError, make_directory},
    retry,
};

/// How long a lock that someone else holds is asked for again: the last job's dind may be stopping.
pub const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// The lock, held until it is dropped.
#[derive(Debug)]
pub struct DirectoryLock(#[expect(dead_code, reason = "held for its Drop")] Flock<fs::File>);

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
        let attempt = || Self::attempt(directory).transpose();
        let locking = retry::until_some(patience, attempt).transpose()?;
        Ok(locking.unwrap_or(Locking::InUse))
    }

    /// `None` where another process holds it, or has just removed the directory.
    fn attempt(directory: &Path) -> Result<Option<Locking>, WriteError> {
        make_directory(directory)?;
        let handle = fs::File::options()
            .read(true)
            .custom_flags(libc::O_DIRECTORY)
            .open(directory)
            .map_err(WriteError::at("open", directory))?;
        match Flock::lock(handle, FlockArg::LockExclusiveNonblock) {
            Ok(lock) if is_still_at(&lock, directory) => Ok(Some(Locking::Held(Self(lock)))),
            // Its last owner removed the directory in between: the new one is to be locked.
            Ok(_) | Err((_, Errno::EWOULDBLOCK | Errno::EINTR)) => Ok(None),
            // EBADF: NFS locks only what is open for writing, which a directory never is.
            Err((
                _,
                errno @ (Errno::EOPNOTSUPP | Errno::ENOLCK | Errno::EBADF | Errno::ENOSYS),
            )) => Ok(Some(Locking::Unsupported(errno))),
            Err((_, errno)) => Err(WriteError::at("lock", directory)(io::Error::from(errno))),
        }
    }
}

/// The inode of a directory that another process has locked; `None` where it is free, or where
/// there is none. Changes nothing: it asks for a lock that many may have, and drops it.
pub fn locked_inode(directory: &Path) -> Option<u64> {
    let handle = fs::File::options()
        .read(true)
        .custom_flags(libc::O_DIRECTORY)
        .open(directory)
        .ok()?;
    let inode = handle.metadata().ok()?.ino();
    match Flock::lock(handle, FlockArg::LockSharedNonblock) {
        Err((_, Errno::EWOULDBLOCK)) => Some(inode),
        _ => None,
    }
}

fn is_still_at(handle: &fs::File, directory: &Path) -> bool {
    match (handle.metadata(), fs::metadata(directory)) {
        (Ok(held), Ok(there)) => (held.dev(), held.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
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

    /// Whoever waits for the lock may open the directory just before its owner removes it.
    #[test]
    fn a_handle_on_a_directory_that_is_gone_locks_nothing() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("client");
        fs::create_dir(&directory).unwrap();
        let handle = fs::File::open(&directory).unwrap();
        assert!(is_still_at(&handle, &directory));
        fs::remove_dir(&directory).unwrap();
        assert!(!is_still_at(&handle, &directory), "it is gone");
        fs::create_dir(&directory).unwrap();
        assert!(!is_still_at(&handle, &directory), "it is another one");
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
}
