//! What `check` prints and the service acts on: all that can be known before dockerd is started.

pub mod certificates;
pub mod client;
pub mod entrances;
mod judgement;
pub mod machine;
mod missing_program;
mod networks;
pub mod registries;

use std::{path::PathBuf, time::Duration};

use nix::unistd::Uid;

use self::{entrances::Entrances, machine::Machine};
use crate::{
    adjustments,
    dockerd::rootless,
    facts::mounts::Mounts,
    plan::Plan,
    reasons::Finding,
    registry::{self, sources::Awaited, trust::Trust},
    settings::{Settings, process_environment},
};

/// Facts, what they mean, and what is to be done.
#[derive(Debug)]
pub struct Assessment {
    pub machine: Machine,
    pub entrances: Entrances,
    /// The CAs of registries that are there.
    pub trust: Trust,
    /// Files of registries' CAs that may come later, or change.
    pub awaited: Vec<Awaited>,
    /// With the flags that dockerd gets because of what was found.
    pub plan: Plan,
    /// A daemon.json that has to be completed: where it is to lie, and all of it.
    pub configuration: Option<(PathBuf, String)>,
}

impl Assessment {
    /// Looks at everything; changes nothing, and waits for no other daemon.
    pub fn of(plan: &Plan, settings: &Settings, mounts: &Mounts, uid: Uid) -> Self {
        Self::without_entrances(plan, settings, mounts, uid, Duration::ZERO)
            .with(Entrances::look(plan, settings, mounts))
    }

    /// For a service whose sockets are open and whose certificates are on their way: it knows itself
    /// what becomes of them. Waits for up to `patience` where another daemon uses the data directory.
    pub fn without_entrances(
        plan: &Plan,
        settings: &Settings,
        mounts: &Mounts,
        uid: Uid,
        patience: Duration,
    ) -> Self {
        let begun = machine::begin(plan, settings, uid);
        let (trust, awaited) = registry::look(&settings.registry);
        let machine = machine::look(begun, mounts, patience);
        let mut plan = plan.clone();
        plan.add_flags(&machine.flags);
        let configuration = machine.configuration.clone().map(|text| {
            let runtime = rootless::runtime_directory(&process_environment, uid.as_raw());
            let path = adjustments::configuration_path(uid.is_root(), &runtime);
            plan.use_configuration(&path);
            (path, text)
        });
        Self {
            machine,
            entrances: Entrances::default(),
            trust,
            awaited,
            plan,
            configuration,
        }
    }

    /// With what is known of the entrances.
    pub fn with(self, entrances: Entrances) -> Self {
        Self {
            entrances: entrances.without_echoes(),
            ..self
        }
    }

    /// All that was found, in the order in which one brings about the next.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        let Entrances {
            clients,
            refusals,
            findings,
            ..
        } = &self.entrances;
        let of_machine = self.machine.findings.iter();
        of_machine
            .chain(refusals)
            .chain(findings)
            .chain(&self.trust.findings)
            .chain(clients)
    }
}
