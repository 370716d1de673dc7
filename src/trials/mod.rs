//! Trying out what dockerd will need, instead of guessing: each trial is bounded in time, leaves
//! nothing behind, and runs beside the others.
//!
//! What needs a namespace of its own is done by a process of its own, see [`namespaced`].

pub mod data_root;
pub mod locks;
pub mod names;
pub mod namespaced;
mod rules;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use self::{data_root::Probe, namespaced::Refusal, rules::Iptables};
use crate::{
    facts::{own_service, storage::Storage},
    setup::iptables::Backend,
    system::background::{self, Background},
};

/// How long a trial may take.
pub const LIMIT: Duration = background::PATIENCE;

/// What came of a trial.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Outcome<F> {
    Passed,
    Failed(F),
    /// It could not be made, or did not end in time: nothing is known.
    #[default]
    Unknown,
}

/// What came of all of them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Trials {
    /// Writing into the data directory.
    pub write: Outcome<data_root::Failure>,
    /// An overlay in the data directory, like the ones that containers get.
    pub overlay: Outcome<Refusal>,
    /// The database of the data directory that another process has locked.
    pub locked: Option<String>,
    /// Rules like those that dockerd's bridge networks need, in a network of their own; the
    /// failure is iptables' own words.
    pub nat: Outcome<String>,
    /// Rules in the table that only newer Dockers use.
    pub raw: Outcome<String>,
    /// A user namespace, which dockerd without root begins with.
    pub user_namespace: Outcome<Refusal>,
}

/// What is to be tried.
#[derive(Debug)]
pub struct Wanted {
    /// Containers get overlays.
    pub overlay: bool,
    /// dockerd makes rules with iptables.
    pub rules: bool,
    /// `DOCKER_IPTABLES_LEGACY`.
    pub legacy: Option<String>,
    /// Without root the rest happens inside of rootlesskit's namespaces.
    pub is_root: bool,
}

/// Trials that run already, and what is to be tried in the data directory.
#[derive(Debug)]
pub struct Begun {
    overlay: bool,
    user_namespace: Option<Background<Outcome<Refusal>>>,
    iptables: Background<Iptables>,
}

/// Trials that run.
#[derive(Debug)]
pub struct Started {
    begun: Begun,
    in_data_root: Background<InDataRoot>,
    locked: Background<Option<String>>,
    deadline: Instant,
    patience: Duration,
}

impl Trials {
    /// Begins with what needs no fact: rules take longest, and dockerd's start waits for them.
    pub fn begin(wanted: Wanted) -> Begun {
        let Wanted {
            overlay,
            rules,
            legacy,
            is_root,
        } = wanted;
        Begun {
            overlay: overlay && is_root,
            user_namespace: (!is_root).then(|| Background::start(namespaced::user_namespace)),
            iptables: Background::start(move || {
                Iptables::try_out(legacy.as_deref(), rules && is_root)
            }),
        }
    }
}

impl Begun {
    /// Begins with the data directory, too.
    ///
    /// `patience`: how long to wait for another daemon to let go of it.
    pub fn start(self, storage: &Storage, patience: Duration) -> Started {
        let existing = storage.existing.clone();
        let data_root = storage.data_root.clone();
        let overlay = self.overlay;
        Started {
            begun: self,
            in_data_root: Background::start(move || try_data_root(&existing, overlay)),
            locked: Background::start(move || {
                locks::wait_until_free(&data_root, patience, own_service::has_locked)
            }),
            deadline: Instant::now() + LIMIT,
            patience,
        }
    }
}

/// What came of the trials in the data directory.
#[derive(Debug, Default)]
struct InDataRoot {
    write: Outcome<data_root::Failure>,
    overlay: Outcome<Refusal>,
    probe: Option<Probe>,
}

impl Started {
    /// Waits for all, and for the iptables that dockerd gets. What was tried in is removed when it is
    /// dropped, for which nobody has to wait before dockerd's start.
    pub fn finish(self) -> (Trials, Backend, Option<Probe>) {
        let InDataRoot {
            write,
            overlay,
            probe,
        } = result(self.in_data_root, self.deadline);
        let iptables = self.begun.iptables.wait(self.deadline);
        let Iptables { backend, nat, raw } = iptables.unwrap_or_else(Iptables::unanswered);
        let trials = Trials {
            write,
            overlay,
            nat,
            raw,
            user_namespace: self
                .begun
                .user_namespace
                .map(|trial| result(trial, self.deadline))
                .unwrap_or_default(),
            locked: result(self.locked, self.deadline + self.patience),
        };
        (trials, backend, probe)
    }
}

fn try_data_root(directory: &Path, overlay: bool) -> InDataRoot {
    let probe = match Probe::make(directory) {
        Ok(probe) => probe,
        Err(failure) => {
            return InDataRoot {
                write: Outcome::Failed(failure),
                ..InDataRoot::default()
            };
        }
    };
    let write = probe.write();
    InDataRoot {
        write: write.map_or_else(Outcome::Failed, |()| Outcome::Passed),
        overlay: match overlay {
            true => namespaced::overlay(&probe),
            false => Outcome::Unknown,
        },
        probe: Some(probe),
    }
}

/// Unknown where it is not there in time.
fn result<T: Default>(trial: Background<T>, deadline: Instant) -> T {
    trial.wait(deadline).unwrap_or_default()
}
