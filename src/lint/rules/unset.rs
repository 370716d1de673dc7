//! A job that nothing leads to a Docker daemon: `DOCKER_HOST` is not set, or there is no daemon.

use super::of_each_job;
use crate::{
    facts::client::DockerHost,
    findings::client::Served,
    lint::{
        model::{Known, Service, image::Image},
        problem::Problem,
        scene::{ClientEntrypoint, Daemon, OneJob, Scene},
        source::Place,
    },
    reasons::{Severity, client},
    settings::subject_names::SubjectName,
};

/// What the docker image's entrypoint calls the daemon.
const USUAL_NAME: &str = "docker";

pub fn problems(scene: &Scene<'_>) -> Vec<Problem> {
    of_each_job(scene, |job| {
        let problem = match job.daemons.is_empty() {
            true => without_daemon(job),
            false => problem(job),
        };
        problem.into_iter().collect()
    })
}

fn problem(scene: &OneJob<'_>) -> Option<Problem> {
    let (job, surroundings) = (scene.job, scene.surroundings);
    let is_unset = match scene.client.expanded("DOCKER_HOST") {
        Known::Unset => true,
        Known::Set(value) => value.text.is_empty(),
        Known::Unknown => false,
    };
    let is_elsewhere = surroundings.has_node_socket || job.script.may_choose_a_daemon();
    if !is_unset || is_elsewhere || !job.uses_docker() {
        return None;
    }
    // With it the CLI dials localhost:2376, which on Kubernetes is the service.
    if is_set(scene, "DOCKER_TLS_VERIFY") {
        return None;
    }
    let daemon = scene.daemons.first()?;
    let in_kubernetes = surroundings.in_kubernetes == Some(true);
    let (cause, severity) = match scene.client_entrypoint() {
        ClientEntrypoint::Missing if in_kubernetes => (
            "with the Kubernetes executor no image's entrypoint sets it".to_owned(),
            Severity::Error,
        ),
        ClientEntrypoint::Missing => (
            match scene.image() {
                Some(image) if !image.is_docker() => {
                    format!("the image {} does not set it", image.repository())
                }
                _ => "the image's own entrypoint, which would set it, is replaced".to_owned(),
            },
            Severity::Warning,
        ),
        ClientEntrypoint::Runs => return unnamed(scene),
        ClientEntrypoint::Unknown => return None,
    };
    let name = match in_kubernetes {
        true => daemon.name_or("localhost"),
        false => daemon.name_or(USUAL_NAME),
    };
    let finding = client::HOST
        .found(
            format!(
                "DOCKER_HOST is not set, and {cause}: docker commands look for \
                 /var/run/docker.sock in the job's own container."
            ),
            format!(
                "in .gitlab-ci.yml:\n{}",
                variables(&name, daemon.served.as_ref())
            ),
        )
        .with_severity(severity);
    let problem = Problem::new(
        finding,
        job.place.clone(),
        "nothing leads it to its Docker service",
    );
    Some(problem.with_related(daemon.service.place.clone(), "this service"))
}

/// The image's entrypoint looks for `docker`, and no service is called that.
fn unnamed(scene: &OneJob<'_>) -> Option<Problem> {
    let services = &scene.job.services;
    let is_named = |service: &Service| service.names().iter().any(|it| it == USUAL_NAME);
    let are_known = scene.job.services_are_known && services.iter().all(|it| it.is_named());
    if !are_known || services.iter().any(is_named) {
        return None;
    }
    let service = scene.daemons.first()?.service;
    let finding = client::HOST
        .found(
            format!(
                "DOCKER_HOST is not set, so the docker image looks for a service that is called \
                 {USUAL_NAME}. This one is called {}.",
                service.names().join(", ")
            ),
            format!(
                "in .gitlab-ci.yml:\n    services:\n      - name: {}\n        alias: {USUAL_NAME}",
                service.image
            ),
        )
        .with_severity(Severity::Warning);
    Some(Problem::new(
        finding,
        service.place.clone(),
        "not called docker",
    ))
}

/// A command that wants a daemon, in a job that has none, nor has any of the runners.
fn without_daemon(scene: &OneJob<'_>) -> Option<Problem> {
    let job = scene.job;
    let is_known = job.is_whole && job.services_are_known && scene.surroundings.is_without_docker;
    let is_hidden = job
        .services
        .iter()
        .any(|service| service.image.contains('$') || service.image.contains("dind"));
    if !is_known || is_hidden || job.script.may_choose_a_daemon() {
        return None;
    }
    let command = job.script.daemon_command()?;
    let host = match scene.client.expanded("DOCKER_HOST") {
        Known::Unset => None,
        Known::Set(value) if value.text.is_empty() => None,
        Known::Set(value) if value.text.contains('$') => return None,
        Known::Set(value) => Some(value.text),
        Known::Unknown => return None,
    };
    let is_elsewhere = |host: &DockerHost| match host {
        DockerHost::Tcp {
            host: SubjectName::Dns(name),
            ..
        } => name.contains('.'),
        DockerHost::Tcp { .. } | DockerHost::Other => true,
        DockerHost::Unix(path) => !path.starts_with("/var/run") && !path.starts_with("/run"),
    };
    if host
        .as_deref()
        .map(DockerHost::parse)
        .as_ref()
        .is_some_and(is_elsewhere)
    {
        return None;
    }
    let client_alone = job
        .services
        .iter()
        .find(|service| Image::parse(&service.image).is_docker());
    let (cause, place, label): (String, &Place, &str) = match client_alone {
        Some(service) => (
            format!(
                "the image {} is Docker's client, and starts no daemon.",
                service.image
            ),
            &service.place,
            "no daemon",
        ),
        None => (
            format!(
                "the job {:?} runs docker commands, and has no Docker service; nor has its \
                 runner, and no socket is mounted there.",
                job.name
            ),
            &job.place,
            "has no Docker service",
        ),
    };
    let looks = match &host {
        Some(host) => format!("DOCKER_HOST is {host}, where nothing is."),
        None => "Nothing serves them.".to_owned(),
    };
    // What a command says may be secret; its first words are not.
    let words: Vec<_> = command.split_whitespace().take(2).collect();
    let finding = client::HOST.found(
        format!(
            "{cause} {looks} (The first of its commands that need it: {}…)",
            words.join(" ")
        ),
        "in .gitlab-ci.yml:\n    services:\n      - name: docker:dind\n        alias: docker",
    );
    Some(Problem::new(finding, place.clone(), label))
}

fn is_set(scene: &OneJob<'_>, name: &str) -> bool {
    match scene.client.expanded(name) {
        Known::Set(value) => !value.text.is_empty(),
        Known::Unset => false,
        Known::Unknown => true,
    }
}

fn variables(host: &str, served: Option<&Served>) -> String {
    let port = served.map_or(2376, |served| served.port);
    let mut lines = format!("    variables:\n      DOCKER_HOST: tcp://{host}:{port}");
    if let Some(directory) = served.and_then(|served| served.client_certificates.as_ref()) {
        lines.push_str(&format!(
            "\n      DOCKER_TLS_VERIFY: 1\n      DOCKER_CERT_PATH: {}",
            directory.display()
        ));
    }
    lines
}

impl Daemon<'_> {
    /// `docker`, if it is called that.
    fn name_or(&self, other: &str) -> String {
        let names = self.service.names();
        let first = names.iter().find(|name| *name == USUAL_NAME);
        first.map_or(other, String::as_str).to_owned()
    }
}
