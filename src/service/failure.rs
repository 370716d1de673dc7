//! What is done when dockerd cannot run, or has ended by itself.

use super::{Ending, Service, bound::Bound, publication::Publication, supervise};
use crate::{
    pki::ClientKeyInTheMaking,
    plan::Plan,
    reasons::Finding,
    settings::{InvalidVariable, OnFailure},
};

/// Why the service cannot go on, and the exit status that says so.
#[derive(Debug)]
pub struct Failure {
    pub finding: Finding,
    pub status: u8,
    pub telling: Telling,
}

/// Whether a failure stands in the logs already.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Telling {
    ToCome,
    Done,
}

impl From<Finding> for Failure {
    fn from(finding: Finding) -> Self {
        Self {
            status: finding.reason.layer.exit_status(),
            finding,
            telling: Telling::ToCome,
        }
    }
}

impl Service<'_> {
    /// Makes ready to tell what variables are wrong, and nothing else.
    pub(super) fn refuse(
        &self,
        bound: &mut Bound,
        plan: &Plan,
        (first, others): (&InvalidVariable, &[InvalidVariable]),
        client_key: Option<ClientKeyInTheMaking>,
    ) -> Failure {
        for variable in others {
            self.report.finding(&variable.finding());
        }
        if self.settings.on_failure == OnFailure::Explain {
            match Bound::new(plan, self, client_key) {
                Ok(opened) => *bound = opened,
                Err(failure) => return failure.into(),
            }
            let made = bound.publication.as_ref().and_then(Publication::prepared);
            if let Some(Err(finding)) = made {
                self.report.finding(&finding);
            }
        }
        first.finding().into()
    }

    /// Tells why, and stays to tell every docker command, if that is wanted. Returns the exit
    /// status.
    pub(super) fn fail(&self, failure: &Failure, bound: &mut Bound) -> (u8, Ending) {
        let Failure {
            finding,
            status,
            telling,
        } = failure;
        if *telling == Telling::ToCome {
            self.report.failure(finding);
        }
        // Whoever is to read the answer needs certificates for that as well.
        let published = bound.publication.as_ref().map(Publication::wait);
        if let Some(Err(unpublished)) = published
            && unpublished != *finding
        {
            self.report.finding(&unpublished);
        }
        if self.settings.on_failure != OnFailure::Explain {
            return (*status, Ending::ByItself);
        }
        bound.take_over(&self.mounts);
        let Some(sockets) = &bound.sockets else {
            return (*status, Ending::ByItself);
        };
        if let Err(unopened) = sockets.tcp.open() {
            self.report.finding(&unopened);
            return (*status, Ending::ByItself);
        }
        match bound.explain(finding, &self.report) {
            Err(error) => {
                tracing::warn!("clients get no answer: {error}");
                (*status, Ending::ByItself)
            }
            Ok(_answering) => {
                tracing::info!("docker commands get this answer until the service is stopped");
                supervise::wait_for_stop(&self.signals);
                (*status, Ending::Asked)
            }
        }
    }
}
