//! Whether another dockerd uses the data directory: it keeps its databases locked (bbolt, with
//! `flock(2)`), and a second one gives up after seconds without saying why.

use std::{
    fs::File,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
};

use crate::system::signals;

/// dockerd's volumes and networks, and its containerd's metadata.
const DATABASES: [&str; 3] = [
    "volumes/metadata.db",
    "network/files/local-kv.db",
    "containerd/daemon/io.containerd.metadata.v1.bolt/meta.db",
];

const RETRY: Duration = Duration::from_millis(20);

/// The database that is locked still when `patience` is over, or when this process is asked to
/// stop: the last job's dockerd may be stopping.
pub fn wait_until_free(data_root: &Path, patience: Duration) -> Option<String> {
    let deadline = Instant::now() + patience;
    loop {
        let locked = locked_database(data_root)?;
        if Instant::now() >= deadline || signals::pending_stop().is_some() {
            return Some(locked);
        }
        thread::sleep(RETRY);
    }
}

fn locked_database(data_root: &Path) -> Option<String> {
    DATABASES
        .iter()
        .map(|database| data_root.join(database))
        .find(|path| is_locked(path))
        .map(|path| path.display().to_string())
}

/// A lock that we get is gone at once. NFS wants the file open for writing.
fn is_locked(path: &Path) -> bool {
    let Ok(file) = File::options().read(true).write(true).open(path) else {
        return false;
    };
    matches!(
        Flock::lock(file, FlockArg::LockExclusiveNonblock),
        Err((_, Errno::EWOULDBLOCK))
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_a_lock_of_another_says_that_the_directory_is_in_use() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(wait_until_free(root.path(), Duration::ZERO), None);

        let database = root.path().join(DATABASES[1]);
        fs::create_dir_all(database.parent().unwrap()).unwrap();
        let file = File::create(&database).unwrap();
        assert_eq!(wait_until_free(root.path(), Duration::ZERO), None);

        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).unwrap();
        let locked = wait_until_free(root.path(), Duration::ZERO);
        assert_eq!(locked, Some(database.display().to_string()));
        drop(lock);
        assert_eq!(wait_until_free(root.path(), Duration::ZERO), None);
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
            let waiter = scope.spawn(|| wait_until_free(root.path(), Duration::from_secs(60)));
            scope.spawn(move || {
                let _ = release.recv();
                drop(lock);
            });
            drop(held);
            assert_eq!(waiter.join().unwrap(), None);
        });
    }
}
