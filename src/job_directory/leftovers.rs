//! Certificate directories below `CI_BUILDS_DIR`, which outlive their jobs where `/builds` does.
//!
//! A runner that keeps `/builds` would collect a client's key from each job. So the directory of
//! this job is removed when the service stops, and those of other jobs, which a killed service left
//! behind, when one starts.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    facts::{certificates, mounts::Mounts},
    pki::{origin, publish},
    registry::exports,
    system::{
        directory::Directory,
        directory_lock::{DirectoryLock, Locking},
    },
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
    let (Some(parent), Some(job)) = (job_directory.parent(), job_directory.file_name()) else {
        return Ok(());
    };
    match Directory::open(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        parent => remove_in(&parent?, &job.to_string_lossy()).map(drop),
    }
}

/// Removes what services that are gone have left in the directories of other jobs; returns those
/// directories that are gone with it.
pub fn remove_abandoned(job_directory: &Path) -> Vec<PathBuf> {
    let gone = |parent: &Directory, job: &str| {
        let opened = parent.child(job);
        let is_abandoned = opened.is_ok_and(|opened| is_abandoned(&opened));
        is_abandoned && remove_in(parent, job).is_ok_and(|is_gone| is_gone)
    };
    remove_others(job_directory, gone)
}

/// Does it for the directories of other jobs beside this one's; returns those that are gone, as
/// `remove` says.
pub fn remove_others(
    job_directory: &Path,
    remove: impl Fn(&Directory, &str) -> bool,
) -> Vec<PathBuf> {
    let Some(Ok(parent)) = job_directory.parent().map(Directory::open) else {
        return Vec::new();
    };
    let names = parent.names().unwrap_or_default();
    names
        .iter()
        .filter(|name| job_directory.file_name() != Some(name.as_os_str()))
        .filter_map(|name| name.to_str())
        .filter(|name| is_job_number(name) && remove(&parent, name))
        .map(|name| parent.path().join(name))
        .collect()
}

/// What becomes a part of a path: `CI_JOB_ID`.
pub fn is_job_number(job: &str) -> bool {
    !job.is_empty() && job.bytes().all(|byte| byte.is_ascii_digit())
}

/// A living service holds the lock on its `client/`. One that has just made the directory, and does
/// not hold it yet, has nothing there to lose: it makes the directory again.
pub fn is_abandoned(job_directory: &Directory) -> bool {
    let client = job_directory.child("client");
    client.is_ok_and(|client| matches!(DirectoryLock::attempt(client), Ok(Locking::Held(_))))
}

/// Removes what is ours in the directory of a job, and it itself if nothing is left, which is what
/// it returns. No link in it is followed: it may lead to another job's, which is alive.
fn remove_in(parent: &Directory, job: &str) -> io::Result<bool> {
    match parent.child(job) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        directory => remove_certificates(&directory?)?,
    }
    parent.remove_if_empty(job)
}

/// Those in `client/` and `server/` of a job's directory.
pub fn remove_certificates(job_directory: &Directory) -> io::Result<()> {
    for part in ["client", "server"] {
        let Ok(directory) = job_directory.child(part) else {
            continue;
        };
        let found = certificates::Directory::survey_opened(&directory, &Mounts::default());
        if origin::foreign_files(&found, None).is_empty() {
            publish::retire(&directory).map_err(io::Error::other)?;
            exports::remove(&directory);
            job_directory.remove_if_empty(part)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink, time::Duration};

    use tempfile::{TempDir, tempdir};
    use time::OffsetDateTime;

    use super::*;
    use crate::{
        pki::{self, ClientKeyInTheMaking, Job, Wanted},
        settings::CertificateSettings,
    };

    /// `/builds` with the certificates of some jobs; returns those that are still served.
    fn builds(jobs: &[&str]) -> (TempDir, Vec<pki::Certificates>) {
        let builds = tempdir().unwrap();
        let served = jobs.iter().map(|job| {
            let settings = CertificateSettings::of(&builds.path().join(".dind").join(job));
            let wanted = Wanted {
                settings: &settings,
                names: &[],
                job: Job::default(),
                now: OffsetDateTime::now_utc(),
            };
            let key = ClientKeyInTheMaking::start(settings.client_key);
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
        let (builds, mut served) = builds(&["1", "2", "3", "4"]);
        let directory = builds.path().join(".dind");
        drop((served.remove(0), served.pop())); // jobs 1 and 4 have ended
        fs::write(directory.join("4/notes"), "a user's").unwrap();
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
        assert_eq!(left, ["2", "3", "4", "keep"]);
        let left = fs::read_dir(directory.join("4")).unwrap();
        assert_eq!(left.count(), 1, "nothing but the user's");
        drop(served);
        remove(&directory.join("3")).unwrap();
        assert!(!directory.join("3").exists());
        remove(&directory.join("3")).unwrap();
        remove(&builds.path().join("missing/3")).unwrap();
        fs::write(builds.path().join("file"), "").unwrap();
        assert!(remove(&builds.path().join("file/3")).is_err());
        symlink("2", directory.join("3")).unwrap();
        assert!(remove(&directory.join("3")).is_err(), "a link in its place");
    }

    #[test]
    fn a_link_to_what_a_living_job_has_is_not_followed() {
        let (builds, mut served) = builds(&["1", "5", "6"]);
        let directory = builds.path().join(".dind");
        drop(served.remove(0)); // job 1 has ended
        fs::remove_dir_all(directory.join("1/server")).unwrap();
        symlink("../5/server", directory.join("1/server")).unwrap();
        fs::create_dir(directory.join("2")).unwrap();
        symlink("../5/client", directory.join("2/client")).unwrap();
        symlink("5", directory.join("3")).unwrap();
        remove_abandoned(&directory.join("6"));
        for part in ["client", "server"] {
            let key = directory.join("5").join(part).join("key.pem");
            assert!(key.exists(), "{}", key.display());
        }
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
