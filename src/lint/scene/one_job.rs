//! A job, and what it is judged by.

use super::Daemon;
use crate::lint::{
    model::{Surroundings, Variables, image::Image},
    pipeline::Job,
    rules::command,
};

/// A job, and the Docker daemons that are its services.
#[derive(Debug)]
pub struct OneJob<'a> {
    pub job: &'a Job,
    /// The variables as the job's clients see them.
    pub client: Variables,
    pub daemons: Vec<Daemon<'a>>,
    pub surroundings: &'a Surroundings,
}

/// Whether the job's image runs an entrypoint that leads clients to the daemon.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClientEntrypoint {
    Runs,
    Missing,
    Unknown,
}

impl<'a> OneJob<'a> {
    pub fn new(job: &'a Job, surroundings: &'a Surroundings) -> Self {
        let daemons = job.services.iter().filter(|service| service.is_dind());
        Self {
            job,
            client: job.client_variables(),
            daemons: daemons
                .map(|service| Daemon::new(service, &job.variables, surroundings))
                .collect(),
            surroundings,
        }
    }

    /// Its Docker daemons but for those that the runner gives it.
    pub fn own_daemons(&self) -> impl Iterator<Item = &Daemon<'a>> {
        let daemons = self.daemons.iter();
        daemons.filter(|daemon| !daemon.service.is_the_runners)
    }

    /// The image that the job's commands run in.
    pub fn image(&self) -> Option<Image<'_>> {
        let own = self.job.image.as_ref().map(|image| image.name.as_str());
        let of_runner = || {
            let is_known = self.job.is_whole;
            self.surroundings.image.as_deref().filter(|_| is_known)
        };
        Some(Image::parse(own.or_else(of_runner)?))
    }

    /// Docker's own image has one, and Kubernetes runs none unless it is told to (gitlab-runner
    /// FF_KUBERNETES_HONOR_ENTRYPOINT).
    pub fn client_entrypoint(&self) -> ClientEntrypoint {
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
