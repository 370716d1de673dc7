//! Whether another dockerd uses the data directory: it keeps its databases locked (bbolt, with
//! `flock(2)`), and a second one gives up after seconds without saying why.

use std::{fs::File, os::unix::fs::MetadataExt, path::Path, time::Duration};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
};

use crate::system::retry;

/// dockerd's volumes and networks, and its containerd's metadata.
const DATABASES: [&str; 3] = [
    "volumes/metadata.db",
    "network/files/local-kv.db",
    "containerd/daemon/io.containerd.metadata.v1.bolt/meta.db",
];

/// The database that is locked still when `patience` is over, or when this process is asked to
/// stop: the last job's dockerd may be stopping.
///
/// `is_ours` says of an inode that this very container's service has the lock.
pub fn wait_until_free(
    data_root: &Path,
    patience: Duration,
    is_ours: impl Fn(u64) -> bool,
) -> Option<String> {
    let mut locked = None;
    retry::until_some(patience, || {
        locked = locked_database(data_root, &is_ours);
        locked.is_none().then_some(())
    });
    locked
}

fn locked_database(data_root: &Path, is_ours: impl Fn(u64) -> bool) -> Option<String> {
    DATABASES
        .iter()
        .map(|database| data_root.join(database))
        .find(|path| locked_inode(path).is_some_and(|inode| !is_ours(inode)))
        .map(|path| path.display().to_string())
}

/// A lock that we get is gone at once. NFS wants the file open for writing.
fn locked_inode(path: &Path) -> Option<u64> {
    let file = File::options().read(true).write(true).open(path).ok()?;
    let inode = file.metadata().ok()?.ino();
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Err((_, Errno::EWOULDBLOCK)) => Some(inode),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, thread};

    use super::*;

    fn nobody(_inode: u64) -> bool {
        false
    }

    #[test]
    fn only_a_lock_of_another_says_that_the_directory_is_in_use() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(wait_until_free(root.path(), Duration::ZERO, nobody), None);

        let database = root.path().join(DATABASES[1]);
        fs::create_dir_all(database.parent().unwrap()).unwrap();
        let file = File::create(&database).unwrap();
        assert_eq!(wait_until_free(root.path(), Duration::ZERO, nobody), None);

        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).unwrap();
        let locked = wait_until_free(root.path(), Duration::ZERO, nobody);
        assert_eq!(locked, Some(database.display().to_string()));
        let inode = lock.metadata().unwrap().ino();
        let ours = |locked| locked == inode;
        assert_eq!(wait_until_free(root.path(), Duration::ZERO, ours), None);
        drop(lock);
        assert_eq!(wait_until_free(root.path(), Duration::ZERO, nobody), None);
    }

    #[test]
    fn a_daemon_that_is_stopping_is_waited_for() {
        let root = tempfile::tempdir().unwrap();
        let database = root.path().join(DATABASES[0]);
        fs::create_dir_all(database.parent().unwrap()).unwrap();
        let file = File::create(&database).unwrap();
        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).unwrap();
        let (held, release) = std::sync::mpsc::channel::<()>();
        thread::scope(|scope| {
            let waiter =
                scope.spawn(|| wait_until_free(root.path(), Duration::from_secs(60), nobody));
            scope.spawn(move || {
                let _ = release.recv();
                drop(lock);
            });
            drop(held);
            assert_eq!(waiter.join().unwrap(), None);
        });
    }
}
