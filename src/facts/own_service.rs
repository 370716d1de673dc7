//! The service of this very container: what it holds is not taken from it. `dind-init check` runs
//! beside it, and the service itself looks as well.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use crate::system::process;

/// Whether the process is a dind-init like this one, or was started by one.
///
/// Only processes of this container count: another container's executable is another file, and
/// its processes have no number here.
pub fn includes(pid: i32) -> bool {
    let Some(ourselves) = executable(Path::new("/proc/self")) else {
        return false;
    };
    let mut next = Some(pid);
    while let Some(pid) = next.filter(|pid| *pid > 0) {
        if executable(&Path::new("/proc").join(pid.to_string())) == Some(ourselves) {
            return true;
        }
        next = process::parent(pid);
    }
    false
}

/// Whether it has the lock (`flock(2)`) on the file with this inode.
pub fn has_locked(inode: u64) -> bool {
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    holders(&locks, inode).into_iter().any(includes)
}

/// Device and inode: one file, whatever it is called.
fn executable(process: &Path) -> Option<(u64, u64)> {
    let file = fs::metadata(process.join("exe")).ok()?;
    Some((file.dev(), file.ino()))
}

/// The processes of this PID namespace with such a lock, from the text of `/proc/locks`, which has
/// lines such as `3: FLOCK  ADVISORY  WRITE 42 00:2f:1234 0 EOF`.
fn holders(locks: &str, inode: u64) -> Vec<i32> {
    let inode = inode.to_string();
    locks
        .lines()
        .filter_map(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            let [_, "FLOCK", _, _, pid, file, ..] = fields[..] else {
                return None;
            };
            let (_, number) = file.rsplit_once(':')?;
            (number == inode).then(|| pid.parse().ok())?
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        process::{Child, Command, Stdio},
    };

    use nix::fcntl::{Flock, FlockArg};

    use super::*;

    #[test]
    fn a_process_of_another_program_is_included_where_one_of_ours_started_it() {
        let mut child: Child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        assert!(includes(i32::try_from(child.id()).unwrap()));
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(
            !includes(0),
            "the processes that are outside of this container"
        );
        let parent = nix::unistd::getppid().as_raw();
        assert!(!includes(parent), "who runs the tests");
    }

    #[test]
    fn our_own_lock_is_known_and_a_file_without_one_is_free() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let inode = file.as_file().metadata().unwrap().ino();
        assert!(!has_locked(inode));
        let handle = File::open(file.path()).unwrap();
        let _lock = Flock::lock(handle, FlockArg::LockExclusiveNonblock).unwrap();
        assert!(has_locked(inode));
    }

    #[test]
    fn only_flocks_on_the_very_file_count() {
        let locks = "\
1: FLOCK  ADVISORY  WRITE 42 00:2f:1234 0 EOF
2: POSIX  ADVISORY  WRITE 43 00:2f:1234 0 EOF
2: -> FLOCK  ADVISORY  WRITE 44 00:2f:1234 0 EOF
3: FLOCK  ADVISORY  READ 45 08:01:99 0 EOF";
        assert_eq!(holders(locks, 1234), [42]);
        assert_eq!(holders(locks, 99), [45]);
        assert_eq!(holders(locks, 5), [0_i32; 0]);
    }
}
