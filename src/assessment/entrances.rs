//! What clients come in by: the sockets, the certificates, and their own variables.

use super::{
    certificates::{names, wanted},
    client,
};
use crate::{
    facts::{
        certificates::{Access, CertificateDirectory, Directory, Presence},
        mounts::Mounts,
    },
    pki::{self, Decision},
    plan::Plan,
    reasons::Finding,
    settings::{CertificateSettings, Settings},
    sockets,
};

/// What was found there.
#[derive(Debug, Default)]
pub struct Entrances {
    /// A line each, for people.
    pub facts: Vec<String>,
    /// What is wrong with the job's variables; none of it is fatal.
    pub clients: Vec<Finding>,
    /// What stands against dockerd's start.
    pub refusals: Vec<Finding>,
    /// What else there is to say.
    pub findings: Vec<Finding>,
    /// `None` where no certificates are wanted, or none can be had.
    pub certificates: Option<Decision>,
}

impl Entrances {
    /// Looks at them, and opens none. What the service of this very container holds is not taken.
    pub fn look(plan: &Plan, settings: &Settings, mounts: &Mounts) -> Self {
        let sockets = plan.sockets.as_ref();
        let mut entrances = Self {
            clients: client::findings(plan, settings, mounts),
            refusals: sockets.map_or_else(Vec::new, |plan| sockets::refusals(plan, mounts)),
            ..Self::default()
        };
        if let Some(certificates) = &plan.certificates {
            entrances.look_at_certificates(certificates, settings, mounts);
        }
        entrances
    }

    fn look_at_certificates(
        &mut self,
        certificates: &CertificateSettings,
        settings: &Settings,
        mounts: &Mounts,
    ) {
        let survey = CertificateDirectory::survey(&certificates.directory, mounts);
        let names = names(certificates, settings);
        let directories = [&survey.ca, &survey.server, &survey.client];
        self.facts.extend(directories.map(describe));
        let list: Vec<_> = names.iter().map(ToString::to_string).collect();
        self.facts
            .push(format!("names of this container: {}", list.join(", ")));
        match pki::look(&survey, &wanted(certificates, settings, &names)) {
            Ok(decision) => {
                self.findings.extend(decision.findings.iter().cloned());
                self.certificates = Some(decision);
            }
            Err(refusal) => self.refusals.push(refusal),
        }
    }

    /// One mistake, such as a root file system that is read-only, stands against several entrances:
    /// what is cured by the same fix is told once, by the last.
    pub(super) fn without_echoes(mut self) -> Self {
        self.refusals.reverse();
        self.refusals
            .dedup_by(|later, sooner| later.fix == sooner.fix);
        self.refusals.reverse();
        self
    }
}

/// A line about one directory, such as `/certs/client: read-only; Secret volume; ca.pem`.
fn describe(directory: &Directory) -> String {
    let state = match (&directory.presence, directory.access) {
        (Presence::Unreadable(error), _) => format!("unreadable ({error})"),
        (Presence::Missing, Access::Writable) => "missing, can be made".into(),
        (Presence::Missing, _) => "missing, cannot be made".into(),
        (Presence::Present, Access::Writable) => "writable".into(),
        (Presence::Present, Access::ReadOnly) => "read-only".into(),
        (Presence::Present, Access::Denied) => "not writable for this user".into(),
    };
    let files = match directory.names.as_slice() {
        [] => "empty".into(),
        names => names.join(", "),
    };
    format!(
        "{}: {state}; {}; {files}",
        directory.path.display(),
        directory.volume
    )
}
