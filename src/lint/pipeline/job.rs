//! A job with its services, and the variables that it gets.

use std::collections::BTreeSet;

use super::{Surroundings, daemon, service::Service, variables::Variables};
use crate::findings::client::Served;
use crate::lint::yaml::{Entry, Mapping, Node};

/// Keys at the top that are no jobs, even where their values look like one.
const GLOBAL_KEYWORDS: &[&str] = &[
    "after_script",
    "before_script",
    "cache",
    "default",
    "image",
    "include",
    "services",
    "spec",
    "stages",
    "types",
    "variables",
    "workflow",
];

/// A job that has services; hidden ones are parts of others.
#[derive(Clone, Debug)]
pub struct Job {
    pub name: String,
    /// Those that are in the file.
    pub services: Vec<Service>,
    /// Whether these are all.
    pub services_are_known: bool,
    pub variables: Variables,
}

impl Job {
    /// Its Docker daemons, and what they will serve; `None` where that cannot be told.
    pub fn daemons(&self) -> impl Iterator<Item = (&Service, Option<Served>)> {
        let services = self.services.iter().filter(|service| service.is_dind());
        let anywhere = Surroundings::default();
        services.map(move |service| {
            let served = daemon::served(service, &self.variables, anywhere);
            (service, served)
        })
    }
}

/// Whether a value at the top of the file is a job's.
pub fn is_job(node: &Node) -> bool {
    [
        "script",
        "services",
        "extends",
        "trigger",
        "run",
        "before_script",
    ]
    .iter()
    .any(|key| node.get(key).is_some())
}

/// How many services are read of one file: each job gets all of those that are for every job.
const MAXIMAL_SERVICES: usize = 50_000;

/// All jobs that have services, and the last one that is read, if there are too many.
pub fn read(root: &Mapping) -> (Vec<Job>, Option<&Node>) {
    let defaults = Defaults::read(root);
    let mut jobs = Vec::new();
    let mut services = 0;
    for Entry { key, value } in root.iter() {
        let (Some(name), Some(mapping)) = (key.as_str(), value.as_mapping()) else {
            continue;
        };
        if GLOBAL_KEYWORDS.contains(&name) {
            continue;
        }
        if let Some(job) = defaults.job(value, name, mapping) {
            services += job.services.len();
            jobs.push(job);
        }
        if services > MAXIMAL_SERVICES {
            return (jobs, Some(key));
        }
    }
    (jobs, None)
}

/// What all jobs get.
struct Defaults<'a> {
    variables: Variables,
    services: Option<&'a Node>,
    /// Other files may add to all this.
    has_include: bool,
}

impl<'a> Defaults<'a> {
    fn read(root: &'a Mapping) -> Self {
        let varying = root.get("workflow").map(varying_names).unwrap_or_default();
        Self {
            variables: Variables::default()
                .with(root.get("variables"))
                .varying(varying),
            services: root
                .get("default")
                .and_then(|default| default.get("services"))
                .or_else(|| root.get("services")),
            has_include: root.get("include").is_some(),
        }
    }

    fn job(&self, value: &Node, name: &str, job: &Mapping) -> Option<Job> {
        let variables = self.variables_of(value, name, job);
        let inherited = || {
            let inherits = inherits(job, "default", "services");
            self.services.filter(|_| inherits && is_whole(name, job))
        };
        let services = job.get("services").or_else(inherited)?;
        let nodes = flattened(services);
        let read: Vec<_> = nodes
            .iter()
            .filter_map(|node| Service::read(node, &variables))
            .collect();
        Some(Job {
            name: name.to_owned(),
            services_are_known: read.len() == nodes.len(),
            services: read,
            variables,
        })
    }

    fn variables_of(&self, node: &Node, name: &str, job: &Mapping) -> Variables {
        let below = match (is_whole(name, job), self.has_include) {
            // A variable of what it extends would win over a global one.
            (false, _) => Variables::default().over_the_unseen(),
            (true, _) if !inherits_all(job, "variables") => Variables::default().over_the_unseen(),
            (true, true) => self.variables.clone().over_the_unseen(),
            (true, false) => self.variables.clone(),
        };
        below
            .with(job.get("variables"))
            .varying(varying_names(node))
    }
}

/// The entries of a list, and of lists in it, as GitLab takes them; a `!reference` is one.
fn flattened(node: &Node) -> Vec<&Node> {
    match node.as_sequence() {
        Some(nodes) if node.tag.is_none() => nodes.iter().flat_map(flattened).collect(),
        _ => vec![node],
    }
}

/// Whether nothing but the defaults is added to what is written, and it is run as it is.
fn is_whole(name: &str, job: &Mapping) -> bool {
    // A component's job may get a dot by an input.
    !name.starts_with(['.', '$']) && job.get("extends").is_none()
}

fn inherits(job: &Mapping, kind: &str, what: &str) -> bool {
    let listed = |nodes: &[Node]| nodes.iter().any(|node| node.as_str() == Some(what));
    match job.get("inherit").and_then(|inherit| inherit.get(kind)) {
        None => true,
        Some(node) => node
            .as_sequence()
            .map_or(node.as_str() != Some("false"), listed),
    }
}

fn inherits_all(job: &Mapping, kind: &str) -> bool {
    let inherit = job.get("inherit").and_then(|inherit| inherit.get(kind));
    inherit.is_none_or(|node| node.as_str() == Some("true"))
}

/// The variables that get other values by `rules` or in a matrix.
fn varying_names(node: &Node) -> BTreeSet<String> {
    let keys = |node: &Node| {
        let entries = node.as_mapping().map(Mapping::iter);
        let keys = entries.into_iter().flatten();
        let names: Vec<_> = keys
            .filter_map(|entry| entry.key.as_str().map(str::to_owned))
            .collect();
        names
    };
    let items = |node: Option<&Node>| {
        node.and_then(Node::as_sequence)
            .unwrap_or_default()
            .to_vec()
    };
    let rules = items(node.get("rules"));
    let of_rules = rules.iter().filter_map(|rule| rule.get("variables"));
    let matrix = items(
        node.get("parallel")
            .and_then(|parallel| parallel.get("matrix")),
    );
    of_rules.chain(&matrix).flat_map(keys).collect()
}
