//! `$CI_BUILDS_DIR/.dind-init/<job>`: what a service leaves for its own job, which every executor
//! lets it see.
//!
//! The service holds a lock on the directory as long as it lives, so that on a runner that keeps
//! `/builds` the next one can take away what a service that was killed has left.

pub mod abandoned;
pub mod leftovers;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    registry::exports,
    system::{
        directory::Directory,
        directory_lock::{DirectoryLock, Locking},
    },
};

/// The status files, the one for programs first.
pub const STATUS_FILES: [&str; 2] = ["status.json", "status.txt"];

/// For so long the job of a service that ended by itself may still come to read why.
const UNREAD: Duration = Duration::from_secs(3600);

/// Where the directory of `job` is.
pub fn path(builds: &Path, job: &str) -> PathBuf {
    builds.join(".dind-init").join(job)
}

/// The directory of this very job. Cloned, it is still the same one.
#[derive(Clone, Debug)]
pub struct JobDirectory {
    path: PathBuf,
    job: String,
    /// `None` where the file system has no locks.
    _lock: Option<Arc<DirectoryLock>>,
}

impl JobDirectory {
    /// `None` where there is no builds directory, so that the job could not read it, and where
    /// another service of this job is the one that tells.
    pub fn claim(builds: &Path, job: &str) -> Option<Self> {
        if !leftovers::is_job_number(job) || !builds.is_dir() {
            return None;
        }
        let path = path(builds, job);
        let lock = match DirectoryLock::acquire(&path, Duration::ZERO) {
            Ok(Locking::Held(lock)) => Some(Arc::new(lock)),
            Ok(Locking::Unsupported(_)) => None,
            Ok(Locking::InUse) => {
                tracing::info!("another service of this job writes {}", path.display());
                return None;
            }
            Err(error) => {
                tracing::warn!("there will be no status file: {error}");
                return None;
            }
        };
        Some(Self {
            path,
            job: job.to_owned(),
            _lock: lock,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn job(&self) -> &str {
        &self.job
    }

    /// It, made again if somebody has removed it.
    pub fn open(&self) -> io::Result<Directory> {
        Directory::make(&self.path).map_err(|error| error.source)
    }

    /// Removes what this service has written here, and the directory, if nothing else is in it.
    pub fn remove(&self) -> io::Result<()> {
        let parent = self.path.parent().unwrap_or(&self.path);
        match Directory::open(parent) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            parent => remove_in(&parent?, &self.job).map(drop),
        }
    }

    /// Removes what services that are gone have left for other jobs; returns the directories that
    /// are gone with it.
    pub fn remove_abandoned(&self) -> Vec<PathBuf> {
        leftovers::remove_others(&self.path, remove_if_abandoned)
    }
}

/// Returns whether it is gone.
///
/// A service that has just made its directory, and does not hold the lock yet, makes it again.
fn remove_if_abandoned(parent: &Directory, job: &str) -> bool {
    let Ok(opened) = parent.child(job) else {
        return false;
    };
    let Ok(Locking::Held(lock)) = DirectoryLock::attempt(opened) else {
        return false;
    };
    let directory = lock.directory();
    let is_unread = STATUS_FILES
        .iter()
        .filter_map(|name| age(directory, name))
        .any(|age| age < UNREAD);
    if directory.is_directory("client") {
        let is_over = leftovers::is_abandoned(directory);
        if !is_over || leftovers::remove_certificates(directory).is_err() {
            return false;
        }
    }
    !is_unread && remove_in(parent, job).is_ok_and(|is_gone| is_gone)
}

fn age(directory: &Directory, name: &str) -> Option<Duration> {
    let seconds = directory.stat_of(name).ok()?.st_mtime;
    let written = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).ok()?);
    SystemTime::now().duration_since(written).ok()
}

/// Returns whether the directory is gone, too.
fn remove_in(parent: &Directory, job: &str) -> io::Result<bool> {
    match parent.child(job) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        directory => {
            let directory = directory?;
            exports::remove(&directory);
            for name in STATUS_FILES {
                directory.remove_staged(name)?;
                directory.remove(name)?;
            }
        }
    }
    parent.remove_if_empty(job)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        os::unix::fs::symlink,
    };

    use tempfile::tempdir;

    use super::*;
    use crate::report::status::Status;

    #[test]
    fn without_a_builds_directory_or_a_number_there_is_none() {
        let builds = tempdir().unwrap();
        assert!(JobDirectory::claim(&builds.path().join("missing"), "17").is_none());
        for job in ["", "../17", "x"] {
            assert!(JobDirectory::claim(builds.path(), job).is_none(), "{job}");
        }
    }

    #[test]
    fn of_two_services_of_one_job_the_first_tells() {
        let builds = tempdir().unwrap();
        let first = JobDirectory::claim(builds.path(), "17").unwrap();
        assert!(JobDirectory::claim(builds.path(), "17").is_none());
        drop(first);
        assert!(JobDirectory::claim(builds.path(), "17").is_some());
    }

    #[test]
    fn nothing_is_left_of_a_service_that_has_ended() {
        let builds = tempdir().unwrap();
        let directory = JobDirectory::claim(builds.path(), "17").unwrap();
        Status::starting().write(&directory).unwrap();
        directory.remove().unwrap();
        assert!(!directory.path().exists());
        directory.remove().unwrap();
        symlink(builds.path(), directory.path()).unwrap();
        assert!(directory.remove().is_err(), "a link in its place");
        let parent = builds.path().join(".dind-init");
        fs::remove_dir_all(&parent).unwrap();
        directory.remove().unwrap();
        fs::write(parent, "").unwrap();
        assert!(directory.remove().is_err(), "it may be there, elsewhere");
    }

    #[test]
    fn what_a_killed_service_left_goes_when_nobody_can_want_to_read_it() {
        let builds = tempdir().unwrap();
        let wrote = |job| {
            let directory = JobDirectory::claim(builds.path(), job).unwrap();
            Status::starting().write(&directory).unwrap();
            directory
        };
        let age = |directory: &JobDirectory| {
            for name in STATUS_FILES {
                let file = File::options()
                    .write(true)
                    .open(directory.path().join(name));
                let then = SystemTime::now() - UNREAD * 2;
                file.unwrap().set_modified(then).unwrap();
            }
        };
        let [killed, fresh, living, own, noted] = ["1", "2", "3", "4", "5"].map(wrote);
        [&killed, &living, &noted].into_iter().for_each(age);
        fs::write(noted.path().join("notes"), "a user's").unwrap();
        fs::create_dir(builds.path().join(".dind-init/keep")).unwrap();
        let gone = killed.path().to_owned();
        drop((killed, fresh, noted));
        assert_eq!(own.remove_abandoned(), [gone]);
        let mut left: Vec<_> = fs::read_dir(builds.path().join(".dind-init"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["2", "3", "4", "5", "keep"]);
        drop(living);
    }

    /// `DOCKER_TLS_CERTDIR` may be the job's directory itself.
    #[test]
    fn certificates_that_somebody_still_serves_keep_the_directory() {
        let builds = tempdir().unwrap();
        let client = builds.path().join(".dind-init/1/client");
        let served = DirectoryLock::acquire(&client, Duration::ZERO).unwrap();
        let own = JobDirectory::claim(builds.path(), "2").unwrap();
        assert!(own.remove_abandoned().is_empty());
        assert!(client.exists());
        drop(served);
        assert_eq!(own.remove_abandoned(), [path(builds.path(), "1")]);
    }

    #[test]
    fn what_somebody_else_put_there_stays() {
        let builds = tempdir().unwrap();
        let directory = JobDirectory::claim(builds.path(), "17").unwrap();
        fs::write(directory.path().join("notes"), "a user's").unwrap();
        directory.remove().unwrap();
        assert!(directory.path().join("notes").exists());
    }
}
