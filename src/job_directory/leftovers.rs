//! Certificate directories below `CI_BUILDS_DIR`, which outlive their jobs where `/builds` does.
//!
//! A runner that keeps `/builds` would collect a client's key from each job. So the directory of
//! this job is removed when the service stops, and those of other jobs, which a killed service left
//! behind, when one starts.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    facts::{certificates::Directory, mounts::Mounts},
    pki::{origin, publish},
    registry::exports,
    system::directory_lock::{DirectoryLock, Locking},
};

/// The directory of this very job: below `CI_BUILDS_DIR`, and named by the job's number.
///
/// `None` for a directory that may be shared, or be someone's on purpose.
pub fn job_directory<'a>(directory: &'a Path, builds: &Path, job: &str) -> Option<&'a Path> {
    (is_job_number(job) && directory.starts_with(builds) && directory.ends_with(job))
        .then_some(directory)
}

/// Removes the certificates of a job and their directories; what is not ours stays, and so do the
/// directories that hold it.
pub fn remove(job_directory: &Path) -> io::Result<()> {
    for part in ["client", "server"] {
        let path = job_directory.join(part);
        let directory = Directory::survey(&path, &Mounts::default());
        if origin::foreign_files(&directory, None).is_empty() {
            publish::retire(&path).map_err(io::Error::other)?;
            exports::remove(&path);
            remove_if_empty(&path)?;
        }
    }
    remove_if_empty(job_directory)
}

/// Removes the directories of other jobs that no service uses any more; returns which.
pub fn remove_abandoned(job_directory: &Path) -> Vec<PathBuf> {
    other_jobs(job_directory)
        .filter(|path| remove_if_abandoned(path))
        .collect()
}

/// The directories of other jobs beside this one's.
pub fn other_jobs(job_directory: &Path) -> impl Iterator<Item = PathBuf> {
    let siblings = job_directory
        .parent()
        .and_then(|parent| fs::read_dir(parent).ok());
    siblings
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            entry.file_name().to_str().is_some_and(is_job_number)
                && entry.file_type().is_ok_and(|kind| kind.is_dir())
        })
        .map(|entry| entry.path())
        .filter(move |path| path != job_directory)
}

/// What becomes a part of a path: `CI_JOB_ID`.
pub fn is_job_number(job: &str) -> bool {
    !job.is_empty() && job.bytes().all(|byte| byte.is_ascii_digit())
}

/// The same for one job's; says whether they are gone.
pub fn remove_if_abandoned(job_directory: &Path) -> bool {
    is_abandoned(job_directory) && remove(job_directory).is_ok()
}

/// A living service holds the lock on its `client/`. One that has just made the directory, and does
/// not hold it yet, has nothing there to lose: it makes the directory again.
fn is_abandoned(job_directory: &Path) -> bool {
    let client = job_directory.join("client");
    client.is_dir()
        && matches!(
            DirectoryLock::acquire(&client, Duration::ZERO),
            Ok(Locking::Held(_))
        )
}

/// A directory that is not there, or that holds something, is no error.
pub fn remove_if_empty(directory: &Path) -> io::Result<()> {
    match fs::remove_dir(directory) {
        Err(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty
            ) =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use tempfile::{TempDir, tempdir};
    use time::OffsetDateTime;

    use super::*;
    use crate::{
        pki::{self, ClientKeyInTheMaking, Job, Wanted},
        settings::{CertificateSettings, ClientKey},
    };

    /// `/builds` with the certificates of some jobs; returns those that are still served.
    fn builds(jobs: &[&str]) -> (TempDir, Vec<pki::Certificates>) {
        let builds = tempdir().unwrap();
        let served = jobs.iter().map(|job| {
            let settings = CertificateSettings {
                directory: builds.path().join(".dind").join(job),
                names: Vec::new(),
                other_names: Vec::new(),
                client_key: ClientKey::EcdsaP256,
                days: 1,
            };
            let wanted = Wanted {
                settings: &settings,
                names: &[],
                job: Job::default(),
                now: OffsetDateTime::now_utc(),
            };
            let key = ClientKeyInTheMaking::start(ClientKey::EcdsaP256);
            let mut made = pki::prepare(&Mounts::default(), &wanted, Duration::ZERO).unwrap();
            made.pending.take().unwrap().publish(key).unwrap();
            made
        });
        let served = served.collect();
        (builds, served)
    }

    #[test]
    fn only_the_directory_of_this_very_job_counts() {
        for (directory, job, counts) in [
            ("/builds/.dind/17", "17", true),
            ("/builds/.dind/17", "7", false),
            ("/builds/.dind", "17", false),
            ("/certs/17", "17", false),
            ("/builds/.dind/x", "x", false),
            ("/builds/.dind/", "", false),
        ] {
            let found = job_directory(Path::new(directory), Path::new("/builds"), job);
            assert_eq!(found.is_some(), counts, "{directory} {job}");
        }
    }

    #[test]
    fn the_directories_of_ended_jobs_go_and_that_of_a_running_one_stays() {
        let (builds, mut served) = builds(&["1", "2", "3"]);
        let directory = builds.path().join(".dind");
        drop(served.remove(0)); // job 1 has ended
        fs::create_dir(directory.join("keep")).unwrap();
        assert_eq!(
            remove_abandoned(&directory.join("3")),
            [directory.join("1")]
        );
        let mut left: Vec<_> = fs::read_dir(&directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["2", "3", "keep"]);
        drop(served);
        remove(&directory.join("3")).unwrap();
        assert!(!directory.join("3").exists());
    }

    #[test]
    fn what_is_not_ours_stays() {
        let (builds, served) = builds(&["1"]);
        drop(served);
        let job = builds.path().join(".dind/1");
        fs::write(job.join("server/ca.pem"), "a user's").unwrap();
        fs::write(job.join("client/notes.txt"), "a user's").unwrap();
        remove(&job).unwrap();
        assert_eq!(
            fs::read_to_string(job.join("server/ca.pem")).unwrap(),
            "a user's"
        );
        assert!(job.join("client/notes.txt").exists());
        assert!(!job.join("client/key.pem").exists());
    }
}
