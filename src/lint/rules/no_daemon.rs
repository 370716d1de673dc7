//! A job that has no Docker daemon, and wants one.

use super::of_each_job;
use crate::{
    facts::client::DockerHost,
    lint::{
        model::{Known, image::Image},
        problem::Problem,
        scene::{OneJob, Scene},
        source::Place,
    },
    reasons::client,
    settings::subject_names::SubjectName,
};

pub fn problems(scene: &Scene<'_>) -> Vec<Problem> {
    of_each_job(scene, |job| {
        let problem = job.daemons.is_empty().then(|| problem(job));
        problem.flatten().into_iter().collect()
    })
}

/// A command that wants a daemon, in a job that has none, nor has any of the runners.
fn problem(one_job: &OneJob<'_>) -> Option<Problem> {
    let job = one_job.job;
    let is_known = job.is_whole && job.services_are_known && one_job.surroundings.is_without_docker;
    let is_hidden = job
        .services
        .iter()
        .any(|service| service.image.contains('$') || service.image.contains("dind"));
    if !is_known || is_hidden || job.script.may_choose_a_daemon() {
        return None;
    }
    let command = job.script.daemon_command()?;
    let host = match one_job.client.expanded("DOCKER_HOST") {
        Known::Unset => None,
        Known::Set(value) if value.text.is_empty() => None,
        Known::Set(value) if value.text.contains('$') => return None,
        Known::Set(value) => Some(value.text),
        Known::Unknown => return None,
    };
    let is_elsewhere = |host: &DockerHost| match host {
        DockerHost::Tcp { host, .. } | DockerHost::Http { host, .. } => match host {
            SubjectName::Dns(name) => name.contains('.'),
            SubjectName::Ip(_) => true,
        },
        DockerHost::Unexpanded(_) | DockerHost::Other => true,
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
