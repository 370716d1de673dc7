//! A job with its services, and the variables that it gets.

use super::{
    merge::{self, Merger},
    script::Script,
    service,
};
use crate::lint::{
    model::{Service, Variables},
    source::Place,
    yaml::{Entry, Mapping, Node},
};

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

/// The variables by which a job's clients find their daemon.
const CLIENT_VARIABLES: &[&str] = &["DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"];

/// A job; hidden ones are parts of others.
#[derive(Clone, Debug)]
pub struct Job {
    pub name: String,
    /// Of the name.
    pub place: Place,
    pub image: Option<JobImage>,
    /// Those that are in the files.
    pub services: Vec<Service>,
    /// Whether these are all.
    pub services_are_known: bool,
    /// Whether it says itself, or by what it extends, that it wants them.
    pub services_are_its_own: bool,
    pub script: Script,
    /// As GitLab gives them, to the job and its services.
    pub variables: Variables,
    /// Nothing is added to what is in sight, and it is run as it is.
    pub is_whole: bool,
}

/// What a job's commands run in.
#[derive(Clone, Debug)]
pub struct JobImage {
    pub name: String,
    /// Its own entrypoint is not run.
    pub has_entrypoint: bool,
}

impl Job {
    /// The variables as its clients see them: a command may set some.
    pub fn client_variables(&self) -> Variables {
        let owned = |name: &&str| (*name).to_owned();
        let taken_away = CLIENT_VARIABLES
            .iter()
            .filter(|it| self.script.takes_away(it));
        let set = CLIENT_VARIABLES.iter().filter(|it| self.script.may_set(it));
        let variables = self.variables.without(taken_away.map(owned));
        variables.varying(set.map(owned))
    }

    /// Whether its commands are likely to be docker's, or of something that talks to Docker.
    pub fn uses_docker(&self) -> bool {
        let image = self.image.as_ref();
        let is_docker = image.is_some_and(|image| image.name.contains("docker"));
        is_docker || self.services_are_its_own || self.script.mentions_docker()
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

/// What the files that are not given may add to those that are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Elsewhere {
    Nothing,
    /// Jobs, and the rest of those whose script is not in sight.
    OtherJobs,
    Anything,
}

/// All jobs, and the last one that is read, if there are too many.
pub fn read<'a>(
    root: &'a Mapping,
    merger: &Merger,
    elsewhere: Elsewhere,
) -> (Vec<Job>, Option<&'a Node>) {
    let defaults = Defaults::read(root, merger, elsewhere);
    let extended = merge::extended(root);
    let mut jobs = Vec::new();
    let mut services = 0;
    for Entry { key, value } in root.iter() {
        let (Some(name), Some(mapping)) = (key.as_str(), value.as_mapping()) else {
            continue;
        };
        // A hidden job is judged with those that extend it.
        if GLOBAL_KEYWORDS.contains(&name) || (name.starts_with('.') && extended.contains(name)) {
            continue;
        }
        if let Some(job) = defaults.job(key, name, mapping, root, merger) {
            services += job.services.len();
            jobs.push(job);
        }
        if services > MAXIMAL_SERVICES || merger.is_exhausted() {
            return (jobs, Some(key));
        }
    }
    (jobs, None)
}

/// What all jobs get.
struct Defaults {
    variables: Variables,
    /// Of `default`, and of the top.
    default: Option<Node>,
    top: Mapping,
    elsewhere: Elsewhere,
}

impl Defaults {
    fn read(root: &Mapping, merger: &Merger, elsewhere: Elsewhere) -> Self {
        let resolved = |key: &str| root.get(key).map(|node| merger.resolve(node, root));
        let top = ["services", "image", "before_script"].iter();
        let top = top.filter_map(|key| root.entry(key)).map(|entry| Entry {
            key: entry.key.clone(),
            value: merger.resolve(&entry.value, root),
        });
        Self {
            // A workflow's come before those of the top, and after a job's own (GitLab's CI/CD YAML
            // syntax reference, `workflow:rules:variables`).
            variables: by_rules(
                &Variables::default().with(resolved("variables").as_ref()),
                root.get("workflow")
                    .and_then(|workflow| workflow.get("rules")),
            ),
            default: resolved("default"),
            top: Mapping::of(top.collect()),
            elsewhere,
        }
    }

    fn job(
        &self,
        key: &Node,
        name: &str,
        job: &Mapping,
        root: &Mapping,
        merger: &Merger,
    ) -> Option<Job> {
        let whole = merger.extend(job, root);
        let job = &whole.job;
        // A component's job may get a dot by an input.
        let is_of_a_template =
            self.elsewhere == Elsewhere::OtherJobs && job.get("script").is_none();
        let is_whole = whole.is_complete && !name.starts_with(['.', '$']) && !is_of_a_template;
        let has_more = self.elsewhere == Elsewhere::Anything;
        let variables = self.variables_of(job, is_whole);
        let inherited = |key: &str| {
            let inherits = is_whole && inherits(job, "default", key);
            inherits.then(|| self.inherited(key)).flatten().cloned()
        };
        let own = job.get("services").cloned();
        let services_are_its_own = own.is_some();
        let services = own.or_else(|| inherited("services"));
        if services.is_none() && (name.starts_with('.') || !is_job_that_runs(job)) {
            return None;
        }
        let nodes = services.as_ref().map(flattened).unwrap_or_default();
        let read: Vec<_> = nodes
            .iter()
            .filter_map(|node| service::read(node, &variables))
            .collect();
        let image = job.get("image").cloned().or_else(|| inherited("image"));
        Some(Job {
            name: name.to_owned(),
            place: key.place(),
            image: image.and_then(|image| JobImage::read(&image, &variables)),
            services_are_known: read.len() == nodes.len()
                && (services.is_some() || (is_whole && !has_more)),
            services: read,
            services_are_its_own,
            script: Script::read(job, inherited),
            variables,
            is_whole: is_whole && !has_more,
        })
    }

    /// What `default` says, or the top of the file.
    fn inherited(&self, key: &str) -> Option<&Node> {
        let default = self.default.as_ref();
        let default = default.and_then(|default| default.get(key));
        default.or_else(|| self.top.get(key))
    }

    fn variables_of(&self, job: &Mapping, is_whole: bool) -> Variables {
        let below = match (is_whole, self.elsewhere == Elsewhere::Anything) {
            // A variable of what it extends would win over a global one.
            (false, _) => Variables::default().over_the_unseen(),
            (true, _) if !inherits_all(job, "variables") => Variables::default().over_the_unseen(),
            (true, true) => self.variables.clone().over_the_unseen(),
            (true, false) => self.variables.clone(),
        };
        let own = below.with(job.get("variables"));
        in_a_matrix(&by_rules(&own, job.get("rules")), job)
    }
}

impl JobImage {
    fn read(node: &Node, variables: &Variables) -> Option<Self> {
        if node.tag.is_some() {
            return None;
        }
        let name = match node.as_mapping() {
            Some(mapping) => mapping.get("name")?,
            None => node,
        };
        Some(Self {
            name: variables.expand(name.as_str()?).text,
            has_entrypoint: node.get("entrypoint").is_some_and(|it| !it.is_null()),
        })
    }
}

fn is_job_that_runs(job: &Mapping) -> bool {
    job.get("script").is_some() && job.get("trigger").is_none()
}

/// The entries of a list, and of lists in it, as GitLab takes them; a `!reference` is one.
fn flattened(node: &Node) -> Vec<Node> {
    match node.as_sequence() {
        Some(nodes) if node.tag.is_none() => nodes.iter().flat_map(flattened).collect(),
        None if node.is_null() => Vec::new(),
        _ => vec![node.clone()],
    }
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

/// What the variables become by the `rules` of a workflow or of a job: one of them is taken, or
/// there is no pipeline, or no job.
fn by_rules(variables: &Variables, rules: Option<&Node>) -> Variables {
    let rules = rules.and_then(Node::as_sequence).unwrap_or_default();
    let is_taken = |rule: &&Node| rule.get("when").and_then(Node::as_str) != Some("never");
    let taken = rules.iter().filter(is_taken);
    let alternatives: Vec<_> = taken
        .map(|rule| rule.get("variables").and_then(Node::as_mapping))
        .collect();
    variables.with_one_of(&alternatives)
}

/// What they become in the jobs of a matrix.
fn in_a_matrix(variables: &Variables, job: &Mapping) -> Variables {
    let matrix = job
        .get("parallel")
        .and_then(|parallel| parallel.get("matrix"));
    let entries = matrix.and_then(Node::as_sequence).unwrap_or_default();
    let alternatives: Vec<_> = entries.iter().map(Node::as_mapping).collect();
    variables.with_one_of(&alternatives)
}
