//! The ports of a job's daemons: two of them in one pod, and the one that the runner waits for.

use super::one_job::{Daemon, OneJob};
use crate::{
    lint::problem::Problem,
    reasons::{Severity, network},
};

/// What the runner asks a service for its port by.
const HEALTH_CHECK: &str = "HEALTHCHECK_TCP_PORT";

pub fn problems(scene: &OneJob<'_>) -> Vec<Problem> {
    let daemons = scene.daemons.iter();
    let health_checks = daemons
        .filter(|daemon| !daemon.service.is_the_runners)
        .filter_map(|daemon| health_check(scene, daemon));
    two_daemons(scene)
        .into_iter()
        .chain(health_checks)
        .collect()
}

/// Fatal on Kubernetes; elsewhere each service has a network of its own.
fn two_daemons(scene: &OneJob<'_>) -> Option<Problem> {
    let severity = match scene.surroundings.in_kubernetes {
        Some(true) => Severity::Fatal,
        Some(false) => return None,
        None => Severity::Warning,
    };
    // The runner's own are judged with it.
    let daemons = scene.daemons.iter();
    let daemons = daemons.filter(|daemon| !daemon.service.is_the_runners);
    let served = daemons.filter_map(|daemon| Some((daemon, daemon.served.as_ref()?)));
    let mut earlier: Vec<(&Daemon<'_>, u16)> = Vec::new();
    for (daemon, served) in served {
        if let Some((other, port)) = earlier.iter().find(|(_, port)| *port == served.port) {
            let finding = network::PORT_IN_USE
                .met(format!(
                    "This job has two Docker daemons on port {port}. With the Kubernetes executor \
                     they are in one pod and share their ports, and the second one cannot start."
                ))
                .with_severity(severity);
            let label = format!("serves on port {port}, too");
            let problem = scene.problem(finding, &daemon.service.place, &label);
            return Some(problem.with_related(other.service.place.clone(), "the other one"));
        }
        earlier.push((daemon, served.port));
    }
    None
}

fn health_check(scene: &OneJob<'_>, daemon: &Daemon<'_>) -> Option<Problem> {
    let (variable, place) = daemon.service.own_variables.written(HEALTH_CHECK)?;
    let served = daemon.served.as_ref();
    let port = served.map_or("2376", |served| if served.tls { "2376" } else { "2375" });
    let found = |cause: String, label: &str| {
        let fix = format!(
            "in .gitlab-ci.yml:\n    services:\n      - name: {}\n        variables:\n          \
             {HEALTH_CHECK}: \"{port}\"",
            daemon.service.image
        );
        let finding = network::HEALTH_CHECK.found(cause, fix);
        Some(scene.problem(finding, place, label))
    };
    let value = variable.value.as_str();
    if value.contains('$') {
        return found(
            format!(
                "{HEALTH_CHECK} is {value:?}. With the Kubernetes executor nobody puts in what it \
                 refers to: the port must be a number here."
            ),
            "not a number",
        );
    }
    let served = served?;
    match value.parse::<u16>() {
        Ok(port) if port == served.port || served.further_ports.contains(&port) => None,
        Ok(port) => found(
            format!(
                "The runner waits for port {port}, but this service serves {} on port {}. With \
                 the Kubernetes executor it waits until the job times out.",
                if served.tls { "TLS" } else { "without TLS" },
                served.port
            ),
            "nothing listens there",
        ),
        Err(_) => found(
            format!("{HEALTH_CHECK} is {value:?}, which is no port."),
            "not a port",
        ),
    }
}
