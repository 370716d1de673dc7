//! `.gitlab-ci.yml`: what its jobs say to their docker commands and to their dind service.
//!
//! Only what is written in the file is judged. What comes from elsewhere (`extends`, `include`,
//! `!reference`, the runner) is unknown rather than absent, and what is unknown is no mistake.

mod daemon;
mod job;
mod rules;
mod service;
mod unresolved;
mod variables;

use super::{
    problem::{Judgement, Problem, Remark},
    source::{FileId, Place},
    yaml::Node,
};

pub use self::{
    job::Job,
    service::Service,
    variables::{Known, RunnerVariables, Variables},
};

/// What of a pipeline's configuration concerns Docker.
#[derive(Clone, Debug)]
pub struct Pipeline {
    pub file: FileId,
    /// Those that have services, hidden ones included.
    pub jobs: Vec<Job>,
    /// What is not followed here.
    pub remarks: Vec<Remark>,
}

/// What is known from elsewhere of where the jobs run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings {
    /// Job and services share a network, and no image's entrypoint sets a job's variables.
    pub in_kubernetes: Option<bool>,
    /// The node's Docker is in the place of the job's own socket.
    pub has_node_socket: bool,
    /// A job has no other network than the one that the runner makes for it.
    pub has_own_network: bool,
}

/// Whether a file's documents are a pipeline's configuration.
pub fn is_pipeline(documents: &[Node]) -> bool {
    let Some(root) = documents.last().and_then(Node::as_mapping) else {
        return false;
    };
    let has = |key| root.get(key).is_some();
    if has("apiVersion") || has("kind") {
        return false;
    }
    ["stages", "include", "default", "workflow"]
        .into_iter()
        .any(has)
        || root.iter().any(|entry| job::is_job(&entry.value))
}

impl Pipeline {
    /// Of the documents of a file: the last one, since an `inputs` header may come before it.
    pub fn read(file: FileId, documents: &[Node]) -> Self {
        let Some(root) = documents.last().and_then(Node::as_mapping) else {
            return Self {
                file,
                jobs: Vec::new(),
                remarks: Vec::new(),
            };
        };
        let (jobs, last) = job::read(root);
        let mut remarks = unresolved::remarks(file, root);
        remarks.extend(last.map(|job| Remark {
            message: "there are more services in this file than are judged".into(),
            place: Place::new(file, job.span.clone()),
            label: "what comes after this job is left out".into(),
        }));
        Self {
            file,
            jobs,
            remarks,
        }
    }

    /// The same, run by runners that set these variables.
    pub fn run_with(mut self, variables: &RunnerVariables) -> Self {
        let runner = Variables::of_the_runner(variables);
        let over = |it: &mut Variables| *it = it.clone().over(&runner);
        for job in &mut self.jobs {
            over(&mut job.variables);
            for service in &mut job.services {
                over(&mut service.variables);
            }
        }
        self
    }

    /// What is wrong in it, each mistake once: many jobs may have it from one line.
    pub fn judge(&self, surroundings: Surroundings) -> Judgement {
        let mut problems: Vec<Problem> = Vec::new();
        for job in &self.jobs {
            problems.extend(rules::problems(self.file, job, surroundings));
        }
        let key = |problem: &Problem| {
            let span = &problem.place.span;
            (span.start, span.end, problem.finding.reason.id)
        };
        problems.sort_by_key(key);
        problems.dedup_by_key(|problem| key(problem));
        Judgement {
            problems,
            remarks: self.remarks.clone(),
            errors: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
