//! A job, and what it is judged by.

use super::Daemon;
use crate::{
    facts::client::{Because, Entrypoint, is_feature_on},
    lint::{
        model::{Service, Surroundings, Variables, image::Image},
        pipeline::Job,
        rules::command::HONOR_ENTRYPOINT,
    },
};

/// What the docker image's entrypoint calls the daemon.
const USUAL_NAME: &str = "docker";

/// A job, and the Docker daemons that are its services.
#[derive(Debug)]
pub struct OneJob<'a> {
    pub job: &'a Job,
    /// The variables as the job's clients see them.
    pub client: Variables,
    pub daemons: Vec<Daemon<'a>>,
    pub surroundings: &'a Surroundings,
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

    /// Docker's own image has one that leads clients to the daemon, and Kubernetes runs none unless
    /// it is told to.
    pub fn client_entrypoint(&self) -> Entrypoint {
        let own = self.job.image.as_ref();
        let is_replaced = own.is_some_and(|image| image.has_entrypoint);
        let is_honoured = self.job.variables.literal(HONOR_ENTRYPOINT);
        let is_honoured = is_honoured.is_some_and(|value| is_feature_on(&value));
        let image = self.image();
        match self.surroundings.in_kubernetes {
            None => Entrypoint::Unknown,
            Some(_) if self.job.script.takes_away("DOCKER_HOST") => {
                Entrypoint::Missing(Because::TakenAway)
            }
            // Whether it finds the certificates already is a matter of time.
            Some(true) if is_honoured => Entrypoint::Unknown,
            Some(true) => Entrypoint::Missing(Because::Kubernetes),
            Some(false) => match image {
                Some(image) if image.is_without_docker() || (is_replaced && !image.is_docker()) => {
                    Entrypoint::Missing(Because::OtherImage(image.repository()))
                }
                _ if is_replaced => Entrypoint::Missing(Because::Replaced),
                Some(image) if image.is_docker() => Entrypoint::Runs {
                    finds_a_service: self.may_have_a_service_called_docker(),
                },
                _ => Entrypoint::Unknown,
            },
        }
    }

    fn may_have_a_service_called_docker(&self) -> bool {
        let services = &self.job.services;
        let is_named = |service: &Service| service.names().iter().any(|it| it == USUAL_NAME);
        let are_known = self.job.services_are_known && services.iter().all(Service::is_named);
        !are_known || services.iter().any(is_named)
    }
}
