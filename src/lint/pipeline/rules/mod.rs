//! What is wrong in a job: one file a subject.

mod client;
mod command;
mod host;
mod ports;
mod settings;

use super::{Surroundings, daemon, job::Job, service::Service};
use crate::{
    findings::client::Served,
    lint::{
        problem::Problem,
        source::{FileId, Place, Span},
    },
    reasons::Finding,
};

/// All of a job.
pub fn problems(file: FileId, job: &Job, surroundings: Surroundings) -> Vec<Problem> {
    let daemons: Vec<_> = job
        .services
        .iter()
        .filter(|service| service.is_dind())
        .map(|service| Daemon {
            service,
            served: daemon::served(service, &job.variables, surroundings),
        })
        .collect();
    if daemons.is_empty() {
        return Vec::new();
    }
    let scene = Scene {
        file,
        job,
        daemons: &daemons,
        surroundings,
    };
    [
        host::problems(&scene),
        client::problems(&scene),
        ports::problems(&scene),
        settings::problems(&scene),
        command::problems(&scene),
    ]
    .concat()
}

/// A job that has a Docker daemon as a service.
struct Scene<'a> {
    file: FileId,
    job: &'a Job,
    daemons: &'a [Daemon<'a>],
    surroundings: Surroundings,
}

struct Daemon<'a> {
    service: &'a Service,
    /// `None` where that cannot be told.
    served: Option<Served>,
}

impl Scene<'_> {
    fn problem(&self, finding: Finding, span: &Span, label: &str) -> Problem {
        Problem::new(finding, self.place(span), label)
    }

    fn place(&self, span: &Span) -> Place {
        Place::new(self.file, span.clone())
    }
}
