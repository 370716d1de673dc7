//! What is taken away again: what killed services have left, and in the end what this one made.

use std::{path::Path, thread};

use super::{Service, certificates};
use crate::{pki::leftovers, status::JobDirectory};

impl Service<'_> {
    /// What services that were killed have left below `/builds`, beside everything else: it may be
    /// on a slow file system.
    pub(super) fn remove_leftovers(&self) {
        let job = self.report.job_directory().cloned();
        // Those that lie in the job's own directory go with it.
        let certificates = self
            .tls
            .and_then(|tls| certificates::job_directory(tls, self.settings))
            .filter(|path| job.as_ref().is_none_or(|job| job.path() != *path))
            .map(Path::to_owned);
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

    /// A service that was not asked to end leaves the job the reason why it did.
    pub(super) fn clean_up(&self, asked_to_end: bool) {
        if let Some(unix) = self.sockets.as_ref().and_then(|s| s.unix.as_ref()) {
            unix.unlink();
        }
        if let Some(tls) = self.tls {
            certificates::remove(tls, self.settings);
        }
        let job = self.report.job_directory().filter(|_| asked_to_end);
        if let Some(Err(error)) = job.map(JobDirectory::remove) {
            tracing::warn!("the job's directory stays: {error}");
        }
    }
}
