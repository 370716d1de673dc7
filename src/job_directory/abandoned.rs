//! What services that were killed have left below `/builds` for other jobs.

use std::{path::PathBuf, thread};

use super::{JobDirectory, leftovers};

/// Removes it beside everything else: it may be on a slow file system.
///
/// `certificates` is the certificate directory of this very job, if there is one.
pub fn remove(job: Option<JobDirectory>, certificates: Option<PathBuf>) {
    // Those that lie in the job's own directory go with it.
    let certificates =
        certificates.filter(|path| job.as_ref().is_none_or(|job| job.path() != path));
    let remove = move || {
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
