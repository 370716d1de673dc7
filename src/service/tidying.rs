//! What a service takes away in the end: each beside the others, so that a volume that hangs keeps
//! neither them nor the service, whose time is short by then.

use std::{fmt::Display, io, path::Path, time::Instant};

use super::{Ending, Service, bound::Bound, certificates};
use crate::{
    job_directory::leftovers,
    system::background::{Background, PATIENCE, no_answer},
};

impl Service<'_> {
    /// A service that was not asked to end leaves the job the reason why it did.
    pub(super) fn clean_up(&self, bound: Bound, ending: Ending) {
        if let Some(publication) = &bound.publication {
            publication.withdraw();
        }
        let deadline = Instant::now() + PATIENCE;
        // With all that is dropped with it.
        let unlinked = Background::start(move || bound.unlink());
        let certificates = self.certificates.as_ref();
        let certificates = certificates
            .and_then(|certificates| certificates::job_directory(certificates, self.settings))
            .map(Path::to_owned);
        let removed = certificates.clone().map(|directory| {
            // A signal that has asked for the end may wait still, and asks for this.
            Background::start(move || leftovers::remove(&directory))
        });
        let report = self.report.clone();
        let told = Background::start(move || match ending {
            Ending::Asked => report.remove_job_directory(),
            Ending::ByItself => {
                report.settle();
                Ok(())
            }
        });
        if let Some((directory, removed)) = certificates.zip(removed) {
            wait(directory.display(), removed, deadline);
        }
        wait("the job's directory", told, deadline);
        // Nothing is to be said of a socket's file that nobody answers behind.
        let _ = unlinked.wait(deadline);
    }
}

fn wait(what: impl Display, removed: Background<io::Result<()>>, deadline: Instant) {
    let removed = removed.wait(deadline).unwrap_or_else(|| Err(no_answer()));
    if let Err(error) = removed {
        tracing::warn!("{what} stays: {error}");
    }
}
