//! All that can be known before dockerd is started, and what follows from it.

use super::{Service, bound::Bound, publication::Publication};
use crate::{
    adjustments,
    assessment::{Assessment, entrances::Entrances, machine::DATA_DIRECTORY_PATIENCE},
    pki::Certificates,
    plan::Plan,
    reasons::{Finding, Severity, daemon},
    system::background::{in_time, no_answer},
};

/// Everything was looked at; certificates are there, if they can be.
pub struct Assessed {
    pub assessment: Assessment,
    /// `None` where none are wanted, or none can be had.
    pub certificates: Option<Certificates>,
    /// Why a daemon.json that had to be completed could not be written.
    unwritten: Option<Finding>,
}

impl Assessed {
    /// Waits where another daemon may be about to let go of what this one needs.
    pub fn new(service: &Service<'_>, bound: &mut Bound, plan: &Plan) -> Self {
        let assessment = Assessment::without_entrances(
            plan,
            service.settings,
            &service.mounts,
            service.uid,
            DATA_DIRECTORY_PATIENCE,
        );
        // Asked last: certificates are waited for.
        let (entrances, certificates) = entrances(bound);
        let assessment = assessment.with(entrances);
        let written = assessment.configuration.clone().map(|(path, text)| {
            let what = format!("writing {}", path.display());
            let written = in_time(&[&path.clone()], move || {
                adjustments::write_configuration(&path, &text)
            });
            let written = written.unwrap_or_else(|| Err(no_answer()));
            written.map_err(|error| daemon::init(&what, &error))
        });
        Self {
            assessment,
            certificates,
            unwritten: written.and_then(Result::err),
        }
    }

    /// Tells all of it. The first that stands against dockerd's start is left for the end, since
    /// it stands for the rest.
    pub fn tell(&self, service: &Service<'_>) -> Result<(), Finding> {
        let Entrances {
            findings, refusals, ..
        } = &self.assessment.entrances;
        findings.iter().for_each(|f| service.report.finding(f));
        let (fatal, others): (Vec<_>, Vec<_>) = self
            .assessment
            .machine
            .findings
            .iter()
            .partition(|finding| finding.severity == Severity::Fatal);
        others.iter().for_each(|f| service.report.finding(f));
        let mut against = fatal.into_iter().chain(refusals).chain(&self.unwritten);
        let Some(first) = against.next() else {
            return Ok(());
        };
        against.for_each(|finding| service.report.finding(finding));
        Err(first.clone())
    }
}

/// What has become of the sockets and certificates that the service has begun with. The clients'
/// own mistakes were told when it did.
fn entrances(bound: &mut Bound) -> (Entrances, Option<Certificates>) {
    let made = bound.publication.as_ref().and_then(Publication::prepared);
    let (certificates, unmade) = match made.transpose() {
        Ok(certificates) => (certificates, None),
        Err(refusal) => (None, Some(refusal)),
    };
    let found = certificates.as_ref();
    let entrances = Entrances {
        refusals: bound
            .no_unix_socket
            .take()
            .into_iter()
            .chain(unmade)
            .collect(),
        findings: found.map_or_else(Vec::new, |made| made.findings.clone()),
        certificates: found.map(|made| made.decision.clone()),
        ..Entrances::default()
    };
    (entrances, certificates)
}
