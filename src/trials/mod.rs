//! Trying out what dockerd will need, instead of guessing: each trial is bounded in time, leaves
//! nothing behind, and runs beside the others.
//!
//! What needs a namespace of its own is done by a process of its own, see [`namespaced`].

pub mod data_root;
pub mod locks;
pub mod namespaced;

use std::{
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use self::{
    data_root::Probe,
    namespaced::{Refusal, Table},
};
use crate::{facts::storage::Storage, setup::iptables::Backend};

/// No trial takes as long, unless something hangs: a network file system, the xtables lock.
const LIMIT: Duration = Duration::from_secs(3);

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
    /// Rules like dockerd's, in a network of their own; the failure is iptables' own words.
    pub nat: Outcome<String>,
    pub filter: Outcome<String>,
    pub raw: Outcome<String>,
    /// A user namespace, which dockerd without root begins with.
    pub user_namespace: Outcome<Refusal>,
}

/// What to try.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub storage: &'a Storage,
    pub overlay: bool,
    /// `None` where dockerd is to leave iptables alone.
    pub backend: Option<&'a Backend>,
    /// Without root most of it happens inside of rootlesskit's namespaces.
    pub is_root: bool,
    /// How long to wait for another daemon to let go of the data directory.
    pub patience: Duration,
}

impl Trials {
    /// Runs them all side by side.
    pub fn run(wanted: Wanted<'_>) -> Self {
        let storage = wanted.storage.clone();
        let overlay = wanted.overlay && wanted.is_root;
        let in_data_root = start(move || match Probe::make(&storage.existing) {
            Err(failure) => (Outcome::Failed(failure), Outcome::Unknown),
            Ok(probe) => {
                let write = probe
                    .write()
                    .map_or_else(Outcome::Failed, |()| Outcome::Passed);
                let overlay = match overlay {
                    true => namespaced::overlay(&probe),
                    false => Outcome::Unknown,
                };
                (write, overlay)
            }
        });
        let data_root = wanted.storage.data_root.clone();
        let locked = start(move || locks::wait_until_free(&data_root, wanted.patience));
        let tables = wanted
            .backend
            .filter(|_| wanted.is_root)
            .map(|backend| Table::ALL.map(|table| namespaced::iptables(table, backend.path())))
            .map(|commands| commands.map(|mut command| start(move || command.run())));
        let user_namespace = (!wanted.is_root).then(|| start(namespaced::user_namespace));

        let deadline = Instant::now() + LIMIT;
        let (write, overlay) = result(in_data_root, deadline);
        let [nat, filter, raw] = match tables {
            Some(tables) => tables.map(|table| result(table, deadline)),
            None => Default::default(),
        };
        Self {
            write,
            overlay,
            locked: result(locked, deadline + wanted.patience),
            nat,
            filter,
            raw,
            user_namespace: user_namespace
                .map(|trial| result(trial, deadline))
                .unwrap_or_default(),
        }
    }
}

/// A trial that hangs keeps its thread, and nobody waits for it.
fn start<T: Send + 'static>(trial: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (sender, receiver) = mpsc::channel();
    // Without a thread the sender is gone, which `result` takes for "unknown".
    let _ = thread::Builder::new()
        .name("trial".into())
        .spawn(move || sender.send(trial()));
    receiver
}

fn result<T: Default>(trial: Receiver<T>, deadline: Instant) -> T {
    trial
        .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_that_does_not_end_in_time_says_nothing() {
        let (_open, never) = mpsc::channel::<()>();
        let hanging = start(move || {
            let _ = never.recv();
            Outcome::Failed("late".to_owned())
        });
        assert_eq!(result(hanging, Instant::now()), Outcome::Unknown);
        let quick = start(|| Outcome::Failed("at once".to_owned()));
        let answer = result(quick, Instant::now() + LIMIT);
        assert_eq!(answer, Outcome::Failed("at once".to_owned()));
    }
}
