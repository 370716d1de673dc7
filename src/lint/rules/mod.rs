//! What can be wrong: one file a subject, and one table.

mod certificates;
mod client;
pub mod command;
mod duplicate_keys;
mod edits;
mod host;
mod misspelt;
mod no_daemon;
mod options;
mod ports;
mod privileges;
mod registry;
mod security_context;
mod settings;
mod sockets;
mod storage;

use std::collections::{HashMap, HashSet, hash_map::Entry};

use super::{
    problem::{Judgement, Problem},
    scene::{Daemon, OneJob, Scene},
    source::Place,
};
use crate::reasons::{
    self, Reason, certs, client as of_client, daemon, network, privilege, registry as of_registry,
    settings as of_settings, storage as of_storage,
};

/// What finds some reasons in all that is judged.
pub struct Rule {
    /// It finds no other.
    pub finds: &'static [&'static Reason],
    judge: fn(&Scene<'_>) -> Vec<Problem>,
}

/// All of them: what `--list`, SARIF and docs/reasons.md say that lint finds.
pub static RULES: &[Rule] = &[
    Rule {
        finds: &[&of_settings::DUPLICATE_KEY],
        judge: duplicate_keys::problems,
    },
    Rule {
        finds: &[&of_settings::INVALID],
        judge: settings::invalid,
    },
    Rule {
        finds: &[&of_settings::MISSPELT],
        judge: misspelt::variables,
    },
    Rule {
        finds: &[&of_settings::UNREAD],
        judge: misspelt::unread,
    },
    Rule {
        finds: &[&of_settings::MISSPELT_KEY],
        judge: misspelt::keys,
    },
    Rule {
        finds: &[&privilege::NOT_PRIVILEGED],
        judge: privileges::problems,
    },
    Rule {
        finds: &[&privilege::ROOTLESS_KIT, &network::SOCKET],
        judge: security_context::problems,
    },
    Rule {
        finds: &[
            &of_storage::IN_USE,
            &of_storage::ON_OVERLAY,
            &of_storage::READONLY,
        ],
        judge: storage::data_root,
    },
    Rule {
        finds: &[&of_storage::MOUNTED_TWICE],
        judge: storage::mounted_twice,
    },
    Rule {
        finds: &[&of_storage::SLOW_DRIVER],
        judge: command::slow_driver,
    },
    Rule {
        finds: &[&of_storage::DRIVER_CONFLICT],
        judge: options::removed_driver,
    },
    Rule {
        finds: &[&network::SOCKET_BUSY],
        judge: sockets::busy,
    },
    Rule {
        finds: &[&network::PORT_IN_USE],
        judge: ports::two_daemons,
    },
    Rule {
        finds: &[&network::HEALTH_CHECK],
        judge: ports::health_check,
    },
    Rule {
        finds: &[
            &certs::IN_USE,
            &certs::READONLY,
            &certs::SUBPATH,
            &certs::UNSHARED,
        ],
        judge: certificates::volumes,
    },
    Rule {
        finds: &[&certs::UNSHARED],
        judge: certificates::unshared,
    },
    Rule {
        finds: &[&of_registry::HOST, &of_registry::UNTRUSTED],
        judge: registry::problems,
    },
    Rule {
        finds: &[&daemon::FLAG],
        judge: options::registries,
    },
    Rule {
        finds: &[&daemon::FLAG],
        judge: options::unexpanded,
    },
    Rule {
        finds: &[&daemon::FLAG],
        judge: options::joined,
    },
    Rule {
        finds: &[&daemon::COMMAND_DROPPED],
        judge: command::dropped,
    },
    Rule {
        finds: &[&of_client::HOST],
        judge: no_daemon::problems,
    },
    Rule {
        finds: &[&of_client::HOST],
        judge: host::problems,
    },
    Rule {
        finds: &[&of_client::HOST],
        judge: sockets::unshared,
    },
    Rule {
        finds: &[
            &certs::CLEANED,
            &of_client::CERT_PATH,
            &of_client::HOST,
            &of_client::LATE,
            &of_client::PORT,
            &of_client::PROXY,
            &of_client::TLS_VERIFY,
        ],
        judge: client::problems,
    },
    Rule {
        finds: &[&of_client::CERT_PATH, &of_client::HOST],
        judge: settings::chained,
    },
];

/// The reasons that some rule finds, in the catalogue's order.
pub fn found() -> impl Iterator<Item = &'static Reason> {
    let rules = RULES.iter().flat_map(|rule| rule.finds);
    let ids: HashSet<&str> = rules.map(|reason| reason.id).collect();
    reasons::all().filter(move |reason| ids.contains(reason.id))
}

/// Whether any rule finds it.
pub fn find(reason: &Reason) -> bool {
    let mut found = RULES.iter().flat_map(|rule| rule.finds);
    found.any(|it| it.id == reason.id)
}

/// Everything that is wrong.
pub fn judge(scene: &Scene<'_>) -> Judgement {
    let mut gathered = Gathered::default();
    for rule in RULES {
        for problem in (rule.judge)(scene) {
            let reason = problem.finding.reason;
            debug_assert!(rule.finds.contains(&reason), "{} is not listed", reason.id);
            gathered.add(problem);
        }
    }
    Judgement {
        problems: gathered.problems,
        remarks: certificates::remarks(scene),
        ..Judgement::default()
    }
}

/// One problem for each place and reason: the worse one, with what both have to show.
#[derive(Default)]
struct Gathered {
    problems: Vec<Problem>,
    indices: HashMap<(Place, &'static str), usize>,
}

impl Gathered {
    fn add(&mut self, problem: Problem) {
        let key = (problem.place.clone(), problem.finding.reason.id);
        match self.indices.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(self.problems.len());
                self.problems.push(problem);
            }
            Entry::Occupied(entry) => {
                let other = &mut self.problems[*entry.get()];
                match other.finding.severity > problem.finding.severity {
                    true => *other = problem,
                    false => other.add_related(problem.related),
                }
            }
        }
    }
}

/// What is wrong with each Docker daemon, as a job gets it, and as a runner has it.
fn of_each_daemon(scene: &Scene<'_>, judge: impl Fn(&Daemon<'_>) -> Vec<Problem>) -> Vec<Problem> {
    let of_jobs = of_each_job(scene, |job| job.daemons.iter().flat_map(&judge).collect());
    let of_runners = scene.runners.iter().flat_map(|runner| &runner.daemons);
    of_jobs
        .into_iter()
        .chain(of_runners.flat_map(&judge))
        .collect()
}

/// What is wrong in each job, each mistake once: many jobs may have it from one line.
fn of_each_job(scene: &Scene<'_>, judge: impl Fn(&OneJob<'_>) -> Vec<Problem>) -> Vec<Problem> {
    let mut problems: Vec<Problem> = scene.jobs.iter().flat_map(judge).collect();
    problems.sort_by_key(|problem| problem.finding.severity);
    let mut seen = HashSet::new();
    problems.retain(|problem| seen.insert((problem.place.clone(), problem.finding.reason.id)));
    problems
}

#[cfg(test)]
mod tests;
