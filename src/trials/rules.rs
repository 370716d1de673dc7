//! Which iptables dockerd gets, and whether it can make its rules with that.

use std::ffi::OsStr;

use super::{
    Outcome,
    namespaced::{self, Rules},
};
use crate::setup::iptables::Backend;

/// The backend, and what came of trials with it.
#[derive(Debug)]
pub struct Iptables {
    pub backend: Backend,
    /// Rules like those that dockerd's bridge networks need, in a network of their own; the
    /// failure is iptables' own words.
    pub nat: Outcome<String>,
    /// Rules in the table that only newer Dockers use.
    pub raw: Outcome<String>,
}

impl Iptables {
    /// `wish` is `DOCKER_IPTABLES_LEGACY`; `is_tried`: dockerd is going to make rules.
    ///
    /// Each program more is one that dockerd's start waits for: where rules can be made with
    /// nftables, and nothing else could speak against it, nothing else is asked.
    pub fn try_out(wish: Option<&str>, is_tried: bool) -> Self {
        let first = (is_tried && Backend::is_nftables_if_it_works(wish))
            .then(|| namespaced::iptables(&Rules::ALL, None));
        if first == Some(Outcome::Passed) {
            return Self::new(Backend::nftables(), [Outcome::Passed, Outcome::Passed]);
        }
        let backend = Backend::choose(wish);
        let outcomes = match first {
            // Another one would take as long.
            Some(Outcome::Unknown) => Default::default(),
            _ if is_tried => try_rules(backend.path().as_deref()),
            _ => Default::default(),
        };
        Self::new(backend, outcomes)
    }

    /// Where iptables does not even answer.
    pub fn unanswered() -> Self {
        Self::new(Backend::unanswered(), Default::default())
    }

    fn new(backend: Backend, [nat, raw]: [Outcome<String>; 2]) -> Self {
        Self { backend, nat, raw }
    }
}

/// All at once; one by one only to know which were refused.
fn try_rules(path: Option<&OsStr>) -> [Outcome<String>; 2] {
    match namespaced::iptables(&Rules::ALL, path) {
        Outcome::Failed(_) => Rules::ALL.map(|rules| namespaced::iptables(&[rules], path)),
        all => [all.clone(), all],
    }
}
