//! `.gitlab-ci.yml`: what its jobs say to their docker commands and to their dind service.
//!
//! Only what the given files say is judged, put together as GitLab does. What comes from elsewhere
//! (a template, another project, the runner) is unknown rather than absent, and what is unknown is
//! no mistake.

mod commands;
mod include;
mod job;
mod merge;
mod script;
mod service;
mod unresolved;

use std::collections::{BTreeMap, BTreeSet};

use self::{include::Included, job::Elsewhere, merge::Merger};
use super::{
    helm,
    model::{RunnerVariables, Service, Variables},
    problem::Remark,
    source::{FileId, Files},
    yaml::{Documents, Node},
};

pub use self::job::Job;

/// What of a pipeline's configuration concerns Docker.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// Hidden ones included, if they have services and no other job has them.
    pub jobs: Vec<Job>,
    /// What is not followed here.
    pub remarks: Vec<Remark>,
}

/// The pipelines among the files.
#[derive(Debug, Default)]
pub struct Pipelines {
    pub pipelines: Vec<Pipeline>,
    /// The files that are none, nor a part of one.
    pub others: Vec<FileId>,
}

/// Puts together what belongs together.
pub fn read_all(documents: &[(FileId, Documents)], files: &Files) -> Pipelines {
    let candidates: Vec<FileId> = documents.iter().map(|(file, _)| *file).collect();
    let mut roots = BTreeMap::new();
    for (file, documents) in documents {
        if let Some(root) = documents.last()
            && let Some(mapping) = root.as_mapping()
        {
            let included = Included::read(*file, mapping, &candidates, files);
            roots.insert(*file, (root.clone(), included));
        }
    }
    let parts: BTreeSet<FileId> = roots
        .values()
        .flat_map(|(_, included)| included.files.iter().copied())
        .collect();
    let mut read = Pipelines::default();
    let mut seen = BTreeSet::new();
    let (first, then): (Vec<_>, Vec<_>) = documents
        .iter()
        .partition(|(file, _)| !parts.contains(file));
    // Files that include one another are judged from the first of them.
    for (file, documents) in first.into_iter().chain(then) {
        if seen.contains(file) {
            continue;
        }
        if !is_pipeline(documents) {
            read.others.push(*file);
            continue;
        }
        let mut of_this_one = BTreeSet::new();
        let merger = Merger::default();
        let mut whole = Whole::default();
        whole.add(*file, &roots, &merger, &mut of_this_one);
        seen.extend(of_this_one);
        read.pipelines.push(Pipeline::of(&whole, &merger));
    }
    read
}

/// A file with what it includes.
#[derive(Debug, Default)]
struct Whole {
    root: Option<Node>,
    /// An `include` of what is not given, and how many there are.
    elsewhere: Option<(Node, usize)>,
    /// That may say something of jobs that are in sight.
    is_partial: bool,
}

impl Whole {
    fn unseen(&self) -> Elsewhere {
        match (&self.elsewhere, self.is_partial) {
            (None, _) => Elsewhere::Nothing,
            (Some(_), false) => Elsewhere::OtherJobs,
            (Some(_), true) => Elsewhere::Anything,
        }
    }

    fn add(
        &mut self,
        file: FileId,
        roots: &BTreeMap<FileId, (Node, Included)>,
        merger: &Merger,
        seen: &mut BTreeSet<FileId>,
    ) {
        let (Some((root, included)), true) = (roots.get(&file), seen.insert(file)) else {
            return;
        };
        for file in &included.files {
            self.add(*file, roots, merger, seen);
        }
        if included.count > 0
            && let Some(entry) = root.as_mapping().and_then(|it| it.entry("include"))
        {
            let elsewhere = self.elsewhere.get_or_insert((entry.key.clone(), 0));
            elsewhere.1 += included.count;
            self.is_partial |= included.may_concern_others;
        }
        self.root = Some(match &self.root {
            Some(below) => merger.merge(below, root),
            None => root.clone(),
        });
    }
}

/// Whether a file's documents are a pipeline's configuration.
pub fn is_pipeline(documents: &[Node]) -> bool {
    let Some(root) = documents.last().and_then(Node::as_mapping) else {
        return false;
    };
    let has = |key| root.get(key).is_some();
    if has("apiVersion") || has("kind") || helm::are_values(root) {
        return false;
    }
    ["stages", "include", "default", "workflow"]
        .into_iter()
        .any(has)
        || root.iter().any(|entry| job::is_job(&entry.value))
}

impl Pipeline {
    /// Of a file by itself.
    #[cfg(test)]
    pub fn read(documents: &[Node]) -> Self {
        let root = documents.last().cloned();
        let include = root.as_ref().and_then(Node::as_mapping);
        let include = include.and_then(|root| root.entry("include"));
        let whole = Whole {
            is_partial: include.is_some(),
            elsewhere: include.map(|entry| (entry.key.clone(), 1)),
            root,
        };
        Self::of(&whole, &Merger::default())
    }

    fn of(whole: &Whole, merger: &Merger) -> Self {
        let Some(root) = whole.root.as_ref().and_then(Node::as_mapping) else {
            return Self {
                jobs: Vec::new(),
                remarks: Vec::new(),
            };
        };
        let (jobs, last) = job::read(root, merger, whole.unseen());
        let mut remarks = unresolved::remarks(root, whole.elsewhere.as_ref());
        remarks.extend(last.map(|job| Remark {
            message: "there are more services in this file than are judged".into(),
            place: job.place(),
            label: "what comes after this job is left out".into(),
        }));
        Self { jobs, remarks }
    }

    /// The same, run by runners that set these variables, and give these services to every job.
    pub fn run_with(mut self, variables: &RunnerVariables, services: &[Service]) -> Self {
        let of_runner = Variables::of_the_runner(variables);
        let over = |it: &mut Variables| *it = it.clone().over(&of_runner);
        for job in &mut self.jobs {
            over(&mut job.variables);
            for service in &mut job.services {
                over(&mut service.variables);
            }
            let services = services.iter();
            let services = services.map(|it| it.given_to(&job.variables));
            job.services.extend(services);
        }
        self
    }
}
