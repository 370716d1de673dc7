//! Whether the host that `DOCKER_HOST` names is one of the job's services.

use super::of_each_job;
use crate::{
    facts::client::DockerHost,
    lint::{
        problem::Problem,
        scene::{OneJob, Scene},
    },
    reasons::client,
    settings::subject_names::SubjectName,
};

pub fn problems(scene: &Scene<'_>) -> Vec<Problem> {
    of_each_job(scene, |job| problem(job).into_iter().collect())
}

fn problem(one_job: &OneJob<'_>) -> Option<Problem> {
    let job = one_job.job;
    let (_, place) = one_job.client.written("DOCKER_HOST")?;
    let text = one_job.client.literal("DOCKER_HOST")?;
    let (DockerHost::Tcp { host, .. } | DockerHost::Http { host, .. }) = DockerHost::parse(&text)
    else {
        return None;
    };
    let services = &job.services;
    if !job.services_are_known || !services.iter().all(|service| service.is_named()) {
        return None;
    }
    let names: Vec<String> = services
        .iter()
        .flat_map(|service| service.names())
        .collect();
    let is_service = |host: &SubjectName| {
        let mut hosts = names.iter().filter_map(|name| SubjectName::from_host(name));
        hosts.any(|name| name == *host)
    };
    if is_service(&host) || !is_short(&host) {
        return None;
    }
    // The first one is meant, if there are several.
    let service = one_job.daemons.first()?.service;
    let finding = client::HOST.found(
        format!(
            "DOCKER_HOST is {text}, but no service of this job is called {host}. This one is \
             called {}.",
            service.names().join(", ")
        ),
        format!(
            "in .gitlab-ci.yml:\n    services:\n      - name: {}\n        alias: {host}",
            service.image
        ),
    );
    let label = format!("not called {host}");
    let problem = Problem::new(finding, service.place.clone(), label);
    Some(problem.with_related(place.clone(), "the job looks for it by this name"))
}

/// A name with a domain, or an address, may well be somewhere else; `localhost` is the service on
/// Kubernetes.
fn is_short(host: &SubjectName) -> bool {
    match host {
        SubjectName::Dns(name) => !name.contains('.') && name != "localhost",
        SubjectName::Ip(_) => false,
    }
}
