//! The ports of Docker daemons: two of them in one pod, and the one that the runner waits for.

use super::sockets;
use crate::{
    dockerd::hosts::TLS_PORT,
    findings::client::Served,
    lint::{
        model::daemon,
        problem::Problem,
        scene::{Daemon, OneJob, OneRunner, SaidBy, Scene},
    },
    reasons::{Severity, network},
};

/// What the runner asks a service for its port by.
const HEALTH_CHECK: &str = "HEALTHCHECK_TCP_PORT";

/// Two daemons on one port: containers of one pod share their ports, and with Docker each service
/// has a network of its own.
pub fn two_daemons(scene: &Scene<'_>) -> Vec<Problem> {
    let of_runners = scene.runners.iter().filter_map(two_of_a_runner);
    let of_jobs = scene.jobs.iter().filter_map(two_of_a_job);
    let wanted = scene.wanted();
    let of_both = wanted
        .filter(|(job, _)| !sockets::is_busy(scene, job))
        .filter_map(|(job, daemon)| beside_a_runner_s(scene, job, daemon));
    of_runners.chain(of_jobs).chain(of_both).collect()
}

fn two_of_a_runner(runner: &OneRunner<'_>) -> Option<Problem> {
    if !runner.is_kubernetes() {
        return None;
    }
    let (first, second, _) = clash(runner.daemons.iter())?;
    let cause = format!(
        "{} has two Docker daemons as services. They are in one pod, share its ports, and the \
         second one cannot start.",
        runner.runner.title()
    );
    let fix = format!("in {}, take one of them out", runner.source.name());
    let finding = network::PORT_IN_USE.found(cause, fix);
    let problem = Problem::new(finding, second.service.place.clone(), "the second daemon");
    Some(problem.with_related(first.service.place.clone(), "the first one"))
}

fn two_of_a_job(job: &OneJob<'_>) -> Option<Problem> {
    let severity = match job.surroundings.in_kubernetes {
        Some(true) => Severity::Fatal,
        Some(false) => return None,
        None => Severity::Warning,
    };
    let (first, second, port) = clash(job.own_daemons())?;
    let finding = network::PORT_IN_USE
        .met(format!(
            "This job has two Docker daemons on port {port}. With the Kubernetes executor they are \
             in one pod and share their ports, and the second one cannot start."
        ))
        .with_severity(severity);
    let label = format!("serves on port {port}, too");
    let problem = Problem::new(finding, second.service.place.clone(), label);
    Some(problem.with_related(first.service.place.clone(), "the other one"))
}

fn beside_a_runner_s(scene: &Scene<'_>, job: &OneJob<'_>, daemon: &Daemon<'_>) -> Option<Problem> {
    let port = daemon.served.as_ref()?.port;
    let of_runner = |runner: &OneRunner<'_>| {
        let daemons = runner.daemons.iter().filter(|_| runner.is_kubernetes());
        let given = daemons.map(|it| (it.service, it.service.given_to(&job.job.variables)));
        let mut given = given.map(|(service, given)| {
            let served = daemon::served(&given, &job.job.variables, job.surroundings);
            (service, served)
        });
        let on_the_same = |served: Option<Served>| served.is_some_and(|it| it.port == port);
        given
            .find_map(|(service, served)| on_the_same(served).then_some(service))
            .map(|service| (runner.runner.title(), service.place.clone()))
    };
    let found: Vec<_> = scene.runners.iter().filter_map(of_runner).collect();
    let (title, place) = found.first()?.clone();
    let severity = match found.len() == scene.runners.len() {
        true => Severity::Fatal,
        false => Severity::Warning,
    };
    let cause = format!(
        "the job {:?} has a Docker daemon as a service, and so has {title}. They are in one pod, \
         share its ports, and cannot both serve on {port}.",
        job.job.name
    );
    let fix = format!(
        "in .gitlab-ci.yml, take the service out of the job: the runner's is there already. Or, \
         where each job brings its own, take it out of {title}."
    );
    let finding = network::PORT_IN_USE
        .found(cause, fix)
        .with_severity(severity);
    let problem = Problem::new(finding, daemon.service.place.clone(), "the second daemon");
    Some(problem.with_related(place, "the first one"))
}

/// The first two that serve on one port.
fn clash<'s, 'a: 's>(
    daemons: impl Iterator<Item = &'s Daemon<'a>>,
) -> Option<(&'s Daemon<'a>, &'s Daemon<'a>, u16)> {
    let mut earlier: Vec<(&Daemon<'_>, u16)> = Vec::new();
    for daemon in daemons {
        let Some(served) = &daemon.served else {
            continue;
        };
        let mut same = earlier.iter().filter(|(_, port)| *port == served.port);
        if let Some((other, port)) = same.next() {
            return Some((other, daemon, *port));
        }
        earlier.push((daemon, served.port));
    }
    None
}

/// A port that the runner waits for, and that no daemon opens.
pub fn health_check(scene: &Scene<'_>) -> Vec<Problem> {
    let daemons = scene.daemons();
    daemons
        .filter_map(|(said_by, daemon)| unopened(said_by, daemon))
        .collect()
}

fn unopened(said_by: SaidBy<'_>, daemon: &Daemon<'_>) -> Option<Problem> {
    let service = daemon.service;
    let (variable, place) = service.own_variables.written(HEALTH_CHECK)?;
    let value = variable.value.as_str();
    let ports = daemon::ports(service);
    let (cause, label) = match value.parse::<u16>() {
        Ok(port) if ports.as_ref()?.contains(&port) => return None,
        Ok(port) => {
            let ports: Vec<_> = ports.iter().flatten().map(u16::to_string).collect();
            let cause = format!(
                "The runner waits for port {port}, but this service serves on {}. With the \
                 Kubernetes executor it waits until the job times out.",
                ports.join(" or ")
            );
            (cause, "nothing listens there")
        }
        Err(_) if value.contains('$') => {
            let cause = format!(
                "{HEALTH_CHECK} is {value:?}. With the Kubernetes executor nobody puts in what it \
                 refers to: the port must be a number here."
            );
            (cause, "not a number")
        }
        Err(_) => {
            let cause = format!("{HEALTH_CHECK} is {value:?}, which is no port.");
            (cause, "not a port")
        }
    };
    let port = ports.and_then(|ports| ports.first().copied());
    let port = port.unwrap_or(TLS_PORT);
    let fix = match said_by {
        SaidBy::Job(_) => format!(
            "in .gitlab-ci.yml:\n    services:\n      - name: {}\n        variables:\n          \
             {HEALTH_CHECK}: \"{port}\"",
            service.image
        ),
        SaidBy::Runner(runner) => format!(
            "in {}:\n    environment = [\"{HEALTH_CHECK}={port}\"]",
            runner.source.name()
        ),
    };
    let finding = network::HEALTH_CHECK.found(cause, fix);
    Some(Problem::new(finding, place.clone(), label))
}

#[cfg(test)]
mod tests {
    use super::super::tests::samples::{docker, expect, kubernetes};
    use crate::reasons::Severity::{Error, Fatal, Note, Warning};

    const NO_DATA_VOLUME: (&str, crate::reasons::Severity, &str) =
        ("STORAGE-ON-OVERLAY", Note, "[runners.kubernetes]");
    const CERTS: &str = "[[runners.kubernetes.volumes.empty_dir]]\nname = \"c\"\n\
                         mount_path = \"/certs/client\"\n";
    const SERVICE: &str = "[[runners.kubernetes.services]]\nname = \"docker:dind\"\n";

    fn with(more: &str) -> String {
        kubernetes(&format!("{CERTS}{SERVICE}{more}\n"))
    }

    #[test]
    fn two_daemons_in_one_pod() {
        let second = SERVICE.replace("docker:dind", "my/dind");
        let second_one = ("NETWORK-PORT-IN-USE", Fatal, "\"my/dind\"");
        expect(&with(&second), &[NO_DATA_VOLUME, second_one]);
        let elsewhere = format!("{second}command = [\"dockerd\", \"-H\", \"tcp://0.0.0.0:1\"]");
        expect(&with(&elsewhere), &[NO_DATA_VOLUME]);
        // The entrypoint opens its own port beside those of flags.
        let further = elsewhere.replace("\"dockerd\", ", "");
        expect(&with(&further), &[NO_DATA_VOLUME, second_one]);
        let other = SERVICE.replace("docker:dind", "postgres:16");
        expect(&with(&other), &[NO_DATA_VOLUME]);
        let on_docker = docker(&format!("volumes = [\"/certs/client\"]\n{SERVICE}{second}"))
            .replace("runners.kubernetes", "runners.docker");
        expect(&on_docker, &[]);
    }

    #[test]
    fn a_command_that_a_feature_flag_drops() {
        let text = with("command = [\"--mtu=1400\"]");
        expect(&text, &[NO_DATA_VOLUME]);
        let dropped = ("DAEMON-COMMAND-DROPPED", Warning, "[\"--mtu=1400\"]");
        for (on, off) in [
            (
                "environment = [\"FF_KUBERNETES_HONOR_ENTRYPOINT=true\"]\n  [runners.kubernetes]",
                "environment = [\"FF_KUBERNETES_HONOR_ENTRYPOINT=false\"]\n  [runners.kubernetes]",
            ),
            (
                "[runners.feature_flags]\nFF_KUBERNETES_HONOR_ENTRYPOINT = true\n  \
                 [runners.kubernetes]",
                "[runners.feature_flags]\nFF_KUBERNETES_HONOR_ENTRYPOINT = false\n  \
                 [runners.kubernetes]",
            ),
        ] {
            let header = "[runners.kubernetes]";
            expect(&text.replacen(header, on, 1), &[NO_DATA_VOLUME, dropped]);
            expect(&text.replacen(header, off, 1), &[NO_DATA_VOLUME]);
        }
    }

    #[test]
    fn a_health_check_for_a_port_that_does_not_open() {
        for (environment, is_found) in [
            ("\"HEALTHCHECK_TCP_PORT=2376\"", false),
            ("\"HEALTHCHECK_TCP_PORT=2375\"", false),
            (
                "\"HEALTHCHECK_TCP_PORT=2375\", \"DOCKER_TLS_CERTDIR=\"",
                false,
            ),
            (
                "\"HEALTHCHECK_TCP_PORT=2376\", \"DOCKER_TLS_CERTDIR=\"",
                true,
            ),
            (
                "\"HEALTHCHECK_TCP_PORT=2375\", \"DOCKER_TLS_CERTDIR=/certs\"",
                true,
            ),
            ("\"HEALTHCHECK_TCP_PORT=$PORT\"", true),
            ("\"HEALTHCHECK_TCP_PORT=80\"", true),
        ] {
            let underlined = environment.split(',').next().unwrap();
            let found = ("NETWORK-HEALTH-CHECK", Error, underlined);
            let expected = [NO_DATA_VOLUME, found];
            expect(
                &with(&format!("environment = [{environment}]")),
                &expected[..1 + usize::from(is_found)],
            );
        }
    }
}
