//! Unix sockets: the node's in the place of the service's, and one that job and service do not share.

use std::path::{Path, PathBuf};

use super::{certificates::BUILDS, edits};
use crate::{
    facts::client::DockerHost,
    lint::{
        model::{
            Known,
            runner::{Runner, SOCKETS, Volume},
        },
        problem::Problem,
        scene::{Daemon, OneJob, OneRunner, Scene},
    },
    reasons::{Severity, client, network},
};

/// The node's socket in the way of a service's.
pub fn busy(scene: &Scene<'_>) -> Vec<Problem> {
    let wanted = scene.wanted();
    wanted
        .filter_map(|(job, daemon)| Some(in_the_way(&node_socket(scene, job)?, job, daemon)))
        .collect()
}

/// A socket that service and job are to share, on no volume that they do.
pub fn unshared(scene: &Scene<'_>) -> Vec<Problem> {
    let jobs = scene.jobs.iter();
    jobs.filter(|job| job.own_daemons().next().is_some() && !is_busy(scene, job))
        .filter_map(|job| unshared_by_all(scene, job))
        .collect()
}

/// Whether that keeps the job's daemon from starting: nothing else matters to it then.
pub fn is_busy(scene: &Scene<'_>, job: &OneJob<'_>) -> bool {
    node_socket(scene, job).is_some()
}

/// The node's socket where a job's service makes its own.
struct NodeSocket<'a> {
    runner: &'a Runner,
    volume: &'a Volume,
    severity: Severity,
    /// What becomes of the job's docker commands.
    then: String,
}

/// The node's socket lies where the service's dockerd makes its own.
fn node_socket<'a>(scene: &'a Scene<'_>, job: &OneJob<'_>) -> Option<NodeSocket<'a>> {
    let sockets = scene.runners.iter().map(|it| it.runner.node_socket());
    let sockets: Vec<_> = sockets.collect::<Option<_>>()?;
    let (runner, volume) = (scene.runners.first()?.runner, sockets.first()?);
    let host = match job.client.expanded("DOCKER_HOST") {
        Known::Set(host) => Some(DockerHost::parse(&host.text)),
        Known::Unset | Known::Unknown => None,
    };
    // Its own variables are those of the service as well.
    let is_elsewhere = |path: &PathBuf| SOCKETS.iter().all(|own| path.as_path() != Path::new(own));
    let (severity, then) = match &host {
        Some(DockerHost::Unix(path)) if is_elsewhere(path) => return None,
        Some(DockerHost::Tcp { text, .. } | DockerHost::Http { text, .. }) => {
            (Severity::Fatal, format!("the job looks for it at {text}"))
        }
        _ => (
            Severity::Warning,
            "the job's docker commands go to the node's Docker instead".to_owned(),
        ),
    };
    Some(NodeSocket {
        runner,
        volume,
        severity,
        then,
    })
}

fn in_the_way(socket: &NodeSocket<'_>, job: &OneJob<'_>, daemon: &Daemon<'_>) -> Problem {
    let target = &socket.volume.mount_path;
    let cause = format!(
        "{} mounts the node's Docker socket at {}, where the service of the job {:?} has to make \
         its own. It cannot start, and {}.",
        socket.runner.title(),
        socket.volume.target().display(),
        job.job.name,
        socket.then
    );
    let finding = network::SOCKET_BUSY
        .met(cause)
        .with_severity(socket.severity);
    let problem = Problem::new(finding, target.place.clone(), "the node's Docker");
    problem.with_related(daemon.service.place.clone(), "cannot start")
}

fn unshared_by_all(scene: &Scene<'_>, job: &OneJob<'_>) -> Option<Problem> {
    let (_, place) = job.client.written("DOCKER_HOST")?;
    let text = job.client.literal("DOCKER_HOST")?;
    let DockerHost::Unix(path) = DockerHost::parse(&text) else {
        return None;
    };
    let directory = path.parent()?;
    let is_own = SOCKETS.iter().any(|own| path == Path::new(own));
    let may_be_shared =
        |it: &OneRunner<'_>| it.runner.is_partly_unknown || it.covering(directory).is_some();
    if is_own || path.starts_with(BUILDS) || scene.runners.iter().any(may_be_shared) {
        return None;
    }
    let runner = scene.runners.first()?;
    let cause = format!(
        "DOCKER_HOST is {text}, and {} shares no volume at {}: the socket stays in the service's \
         own container.",
        match scene.runners.as_slice() {
            [runner] => runner.runner.title(),
            _ => "none of these runners".into(),
        },
        directory.display()
    );
    let finding = client::HOST.found(cause, edits::sharing_fix(runner, directory));
    let problem = Problem::new(finding, place.clone(), "the job looks for it here");
    Some(problem.with_related(runner.section().clone(), "a volume is missing here"))
}
