//! A job, and what it is judged by.

use super::{client, command, host, options, ports, settings, unset};
use crate::{
    findings::client::Served,
    lint::{
        model::{Service, Variables, daemon, image::Image},
        pipeline::{Job, Surroundings},
        problem::Problem,
        source::Place,
    },
    reasons::Finding,
};

/// All of a job.
pub fn problems(job: &Job, surroundings: &Surroundings) -> Vec<Problem> {
    let daemons: Vec<_> = job
        .services
        .iter()
        .filter(|service| service.is_dind())
        .map(|service| Daemon {
            service,
            served: daemon::served(service, &job.variables, surroundings),
        })
        .collect();
    let scene = OneJob {
        job,
        client: job.client_variables(),
        daemons: &daemons,
        surroundings,
    };
    if daemons.is_empty() {
        return unset::without_daemon(&scene).into_iter().collect();
    }
    [
        unset::problems(&scene),
        host::problems(&scene),
        client::problems(&scene),
        ports::problems(&scene),
        settings::problems(&scene),
        command::problems(&scene),
        options::problems(&scene),
    ]
    .concat()
}

/// A job, and the Docker daemons that are its services.
pub(super) struct OneJob<'a> {
    pub(super) job: &'a Job,
    /// The variables as the job's clients see them.
    pub(super) client: Variables,
    pub(super) daemons: &'a [Daemon<'a>],
    pub(super) surroundings: &'a Surroundings,
}

pub(super) struct Daemon<'a> {
    pub(super) service: &'a Service,
    /// `None` where that cannot be told.
    pub(super) served: Option<Served>,
}

/// Whether the job's image runs an entrypoint that leads clients to the daemon.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ClientEntrypoint {
    Runs,
    Missing,
    Unknown,
}

impl OneJob<'_> {
    pub(super) fn problem(&self, finding: Finding, place: &Place, label: &str) -> Problem {
        Problem::new(finding, place.clone(), label)
    }

    /// The image that the job's commands run in.
    pub(super) fn image(&self) -> Option<Image<'_>> {
        let own = self.job.image.as_ref().map(|image| image.name.as_str());
        let of_runner = || {
            let is_known = self.job.is_whole;
            self.surroundings.image.as_deref().filter(|_| is_known)
        };
        Some(Image::parse(own.or_else(of_runner)?))
    }

    /// Docker's own image has one, and Kubernetes runs none unless it is told to (gitlab-runner
    /// FF_KUBERNETES_HONOR_ENTRYPOINT).
    pub(super) fn client_entrypoint(&self) -> ClientEntrypoint {
        let own = self.job.image.as_ref();
        let is_replaced = own.is_some_and(|image| image.has_entrypoint);
        let is_honoured = self.job.variables.literal(command::HONOR_ENTRYPOINT);
        let is_honoured = is_honoured.is_some_and(|value| command::is_on(&value));
        match (self.surroundings.in_kubernetes, self.image()) {
            (None, _) => ClientEntrypoint::Unknown,
            // Whether it finds the certificates already is a matter of time.
            (Some(true), _) if is_honoured => ClientEntrypoint::Unknown,
            (Some(true), _) => ClientEntrypoint::Missing,
            (Some(false), _) if is_replaced => ClientEntrypoint::Missing,
            (Some(false), Some(image)) if image.is_docker() => ClientEntrypoint::Runs,
            (Some(false), Some(image)) if image.is_without_docker() => ClientEntrypoint::Missing,
            (Some(false), _) => ClientEntrypoint::Unknown,
        }
    }
}
