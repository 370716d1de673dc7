//! What is wrong between files: jobs that ask for what no runner gives.
//!
//! Which of several runners takes a job is decided by tags that no file has. So that is wrong what
//! is wrong with all of them.

use std::path::{Path, PathBuf};

use super::{one_runner::OneRunner, privileges};
use crate::{
    facts::client::DockerHost,
    findings::client::Served,
    lint::{
        model::{
            Known, Service,
            runner::{Executor, SOCKETS},
        },
        pipeline::{Job, Pipeline},
        problem::Problem,
        source::Place,
    },
    reasons::{Severity, certs, client, network},
};

/// Where the builds directory is, which all executors share, if nobody has moved it.
const BUILDS: &str = "/builds";

/// A Docker daemon that a job wants.
#[derive(Debug)]
pub struct Daemon<'a> {
    pub job: &'a Job,
    pub service: &'a Service,
    /// `None` where that cannot be told.
    pub served: Option<Served>,
}

/// All of the pipelines.
pub fn daemons(pipelines: &[Pipeline]) -> Vec<Daemon<'_>> {
    let jobs = pipelines.iter().flat_map(|pipeline| &pipeline.jobs);
    jobs.flat_map(|job| {
        job.daemons().map(move |(service, served)| Daemon {
            job,
            service,
            served,
        })
    })
    .collect()
}

/// The directories of certificates that the jobs have; `None` where there are no jobs, or not all
/// of them say it.
pub fn certificate_directories(daemons: &[Daemon<'_>]) -> Option<Vec<PathBuf>> {
    let mut directories = Vec::new();
    for daemon in daemons {
        let served = daemon.served.as_ref()?;
        let Some(client) = &served.client_certificates else {
            continue;
        };
        let directory = client.parent().unwrap_or(client).to_owned();
        if !directories.contains(&directory) {
            directories.push(directory);
        }
    }
    (!daemons.is_empty()).then_some(directories)
}

/// What no runner gives. `problems` are those that each has by itself.
pub fn judge(daemons: &[Daemon<'_>], scenes: &[OneRunner<'_>], problems: &mut Vec<Problem>) {
    let scenes: Vec<&OneRunner<'_>> = scenes
        .iter()
        .filter(|scene| scene.runner.executor != Executor::Other)
        .collect();
    if scenes.is_empty() {
        return;
    }
    for daemon in daemons {
        let found = match busy_socket(daemon, &scenes) {
            // Nothing else matters to a daemon that cannot start.
            Some(busy) => vec![Some(busy)],
            None => vec![
                unprivileged(daemon, &scenes),
                unshared(daemon, &scenes),
                unshared_socket(daemon, &scenes),
                second_daemon(daemon, &scenes),
            ],
        };
        for problem in of_context(daemon, &scenes) {
            add(problem, problems);
        }
        for problem in found.into_iter().flatten() {
            add(problem, problems);
        }
    }
}

impl Daemon<'_> {
    fn place(&self) -> Place {
        self.service.place.clone()
    }
}

/// The node's socket lies where the service's dockerd makes its own.
fn busy_socket(daemon: &Daemon<'_>, scenes: &[&OneRunner<'_>]) -> Option<Problem> {
    let sockets = scenes.iter().map(|scene| scene.runner.node_socket());
    let sockets: Vec<_> = sockets.collect::<Option<_>>()?;
    let (scene, socket) = (scenes.first()?, sockets.first()?);
    let host = match daemon.job.client_variables().expanded("DOCKER_HOST") {
        Known::Set(host) => Some(DockerHost::parse(&host.text)),
        Known::Unset | Known::Unknown => None,
    };
    // Its own variables are those of the service as well.
    let is_elsewhere = |path: &PathBuf| SOCKETS.iter().all(|own| path.as_path() != Path::new(own));
    let (severity, then) = match &host {
        Some(DockerHost::Unix(path)) if is_elsewhere(path) => return None,
        Some(DockerHost::Tcp { text, .. }) => {
            (Severity::Fatal, format!("the job looks for it at {text}"))
        }
        _ => (
            Severity::Warning,
            "the job's docker commands go to the node's Docker instead".to_owned(),
        ),
    };
    let cause = format!(
        "{} mounts the node's Docker socket at {}, where the service of the job {:?} has to make \
         its own. It cannot start, and {then}.",
        scene.runner.title(),
        socket.target().display(),
        daemon.job.name
    );
    let finding = network::SOCKET_BUSY.met(cause).with_severity(severity);
    let problem = Problem::new(
        finding,
        socket.mount_path.place.clone(),
        "the node's Docker",
    );
    Some(problem.with_related(daemon.place(), "cannot start"))
}

fn unprivileged(daemon: &Daemon<'_>, scenes: &[&OneRunner<'_>]) -> Option<Problem> {
    let image = Some(daemon.service.image.as_str());
    let is_refused =
        |scene: &&OneRunner<'_>| privileges::is_privileged(scene.runner, image) == Some(false);
    if !scenes.iter().all(is_refused) {
        return None;
    }
    let scene = scenes.first()?;
    let (place, label) = privileges::culprit(scene.runner);
    let problem = Problem::new(privileges::finding(scene), place.clone(), label);
    let label = format!("the job {:?} needs it for this", daemon.job.name);
    Some(problem.with_related(daemon.place(), label))
}

/// What the security contexts of all of them forbid.
fn of_context(daemon: &Daemon<'_>, scenes: &[&OneRunner<'_>]) -> Vec<Problem> {
    let image = &daemon.service.image;
    let label = format!("the job {:?} needs it for this", daemon.job.name);
    let mut of_each = scenes
        .iter()
        .map(|scene| privileges::of_context(scene, image, &daemon.place(), &label));
    let Some(first) = of_each.next() else {
        return Vec::new();
    };
    match of_each.all(|problems| !problems.is_empty()) {
        true => first,
        false => Vec::new(),
    }
}

/// A socket that service and job are to share, on no volume that they do.
fn unshared_socket(daemon: &Daemon<'_>, scenes: &[&OneRunner<'_>]) -> Option<Problem> {
    let variables = daemon.job.client_variables();
    let (_, place) = variables.written("DOCKER_HOST")?;
    let text = variables.literal("DOCKER_HOST")?;
    let DockerHost::Unix(path) = DockerHost::parse(&text) else {
        return None;
    };
    let directory = path.parent()?;
    let is_own = SOCKETS.iter().any(|own| path == Path::new(own));
    let may_be_shared = |scene: &&OneRunner<'_>| {
        scene.runner.is_partly_unknown || scene.covering(directory).is_some()
    };
    if is_own || path.starts_with(BUILDS) || scenes.iter().any(may_be_shared) {
        return None;
    }
    let scene = scenes.first()?;
    let cause = format!(
        "DOCKER_HOST is {text}, and {} shares no volume at {}: the socket stays in the service's \
         own container.",
        match scenes {
            [scene] => scene.runner.title(),
            _ => "none of these runners".into(),
        },
        directory.display()
    );
    let finding = client::HOST.found(cause, scene.sharing_fix(directory));
    let section = scene.runner.section.as_ref().unwrap_or(&scene.runner.place);
    let problem = Problem::new(finding, place.clone(), "the job looks for it here");
    Some(problem.with_related(section.clone(), "a volume is missing here"))
}

fn unshared(daemon: &Daemon<'_>, scenes: &[&OneRunner<'_>]) -> Option<Problem> {
    let client = daemon.served.as_ref()?.client_certificates.as_deref()?;
    // A socket needs none.
    let may_be_tcp = match daemon.job.variables.expanded("DOCKER_HOST") {
        Known::Set(host) => matches!(DockerHost::parse(&host.text), DockerHost::Tcp { .. }),
        Known::Unset => true,
        Known::Unknown => false,
    };
    if !may_be_tcp {
        return None;
    }
    // A template may mount a volume there.
    let is_known = |scene: &&OneRunner<'_>| !scene.runner.is_partly_unknown;
    if !scenes.iter().all(is_known) {
        return None;
    }
    let is_shared_anyhow = client.starts_with(BUILDS) || client.to_string_lossy().contains('$');
    let is_shared = |scene: &&OneRunner<'_>| scene.covering(client).is_some();
    if is_shared_anyhow || scenes.iter().any(is_shared) {
        return None;
    }
    let scene = scenes.first()?;
    let cause = format!(
        "the job {:?} keeps its certificates in {}, and {} shares no volume there.",
        daemon.job.name,
        client.display(),
        match scenes {
            [scene] => scene.runner.title(),
            _ => "none of these runners".into(),
        }
    );
    let finding = certs::UNSHARED.found(cause, scene.sharing_fix(client));
    let place = scene.runner.section.as_ref().unwrap_or(&scene.runner.place);
    let problem = Problem::new(finding, daemon.place(), "makes certificates");
    Some(problem.with_related(place.clone(), "a volume is missing here"))
}

fn second_daemon(daemon: &Daemon<'_>, scenes: &[&OneRunner<'_>]) -> Option<Problem> {
    let port = daemon.served.as_ref()?.port;
    let of_runner = |scene: &&OneRunner<'_>| {
        let is_kubernetes = scene.runner.executor == Executor::Kubernetes;
        let mut services = scene.runner.services.iter().filter(|_| is_kubernetes);
        services
            .find(|service| service.is_dind() && !service.serves_elsewhere())
            .map(|service| (scene.runner.title(), service.place.clone()))
    };
    let found: Vec<_> = scenes.iter().filter_map(of_runner).collect();
    let (title, place) = found.first()?.clone();
    let severity = match found.len() == scenes.len() {
        true => Severity::Fatal,
        false => Severity::Warning,
    };
    let cause = format!(
        "the job {:?} has a Docker daemon as a service, and so has {title}. They are in one pod, \
         share its ports, and cannot both serve on {port}.",
        daemon.job.name
    );
    let fix = format!(
        "in .gitlab-ci.yml, take the service out of the job: the runner's is there already. Or, \
         where each job brings its own, take it out of {title}."
    );
    let finding = network::PORT_IN_USE
        .found(cause, fix)
        .with_severity(severity);
    let problem = Problem::new(finding, daemon.place(), "the second daemon");
    Some(problem.with_related(place, "the first one"))
}

/// One problem for each place and reason: the worse one, with what both have to show.
fn add(problem: Problem, problems: &mut Vec<Problem>) {
    let is_same = |other: &&mut Problem| {
        other.place == problem.place && other.finding.reason == problem.finding.reason
    };
    match problems.iter_mut().find(is_same) {
        Some(other) if other.finding.severity > problem.finding.severity => *other = problem,
        Some(other) => other.add_related(problem.related),
        None => problems.push(problem),
    }
}

#[cfg(test)]
mod tests;
