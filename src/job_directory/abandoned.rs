//! What services that were killed have left below `/builds` for other jobs.

use std::{path::PathBuf, thread};

use super::{JobDirectory, leftovers};

/// Removes it beside everything else: it may be on a slow file system.
///
/// `job` gives the directory of this very job, and may wait for it. `certificates` is its certificate
/// directory, if there is one.
pub fn remove(
    job: impl FnOnce() -> Option<JobDirectory> + Send + 'static,
    certificates: Option<PathBuf>,
) {
    let remove = move || {
        let job = job();
        // Those that lie in the job's own directory go with it.
        let certificates =
            certificates.filter(|path| job.as_ref().is_none_or(|job| job.path() != path));
        let certificates = certificates.map(|path| leftovers::remove_abandoned(&path));
        let statuses = job.map(|job| job.remove_abandoned());
        for gone in certificates.into_iter().chain(statuses).flatten() {
            tracing::info!("{} was left by a job that is over: removed", gone.display());
        }
    };
    let spawned = thread::Builder::new()
        .name("leftovers".into())
        .spawn(remove);
    if let Err(error) = spawned {
        tracing::warn!("what other jobs have left stays: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        time::{Duration, Instant},
    };

    use tempfile::tempdir;

    use super::*;

    fn wait_until_gone(path: &std::path::Path) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while path.exists() {
            assert!(Instant::now() < deadline, "{}", path.display());
            thread::yield_now();
        }
    }

    #[test]
    fn what_others_have_left_goes_wherever_it_lies() {
        let builds = tempdir().unwrap();
        let left = |parent: &str| {
            let left = builds.path().join(parent).join("1");
            fs::create_dir_all(left.join("client")).unwrap();
            left
        };
        let job = JobDirectory::claim(builds.path(), "2").unwrap();
        let left_for_jobs = left(".dind-init");
        let left_elsewhere = left(".dind");
        let certificates = builds.path().join(".dind/2");
        let ours = job.clone();
        remove(move || Some(ours), Some(certificates.clone()));
        wait_until_gone(&left_for_jobs);
        wait_until_gone(&left_elsewhere);
        // Without a directory for the job there are the certificates' alone, and the other way.
        let left_elsewhere = left(".dind");
        remove(|| None, Some(certificates));
        wait_until_gone(&left_elsewhere);
        let left_for_jobs = left(".dind-init");
        let certificates = job.path().to_owned();
        remove(move || Some(job), Some(certificates));
        wait_until_gone(&left_for_jobs);
    }
}
