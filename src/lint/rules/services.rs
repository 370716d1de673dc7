//! The runner's own dind services, which every job gets.

use super::one_runner::OneRunner;
use crate::{
    lint::{
        model::{Service, runner::Executor},
        problem::Problem,
        source::Place,
    },
    reasons::{daemon, network},
};

/// A feature flag of the runner.
const HONOR_ENTRYPOINT: &str = "FF_KUBERNETES_HONOR_ENTRYPOINT";

/// What the runner asks a service for its port by.
const HEALTH_CHECK: &str = "HEALTHCHECK_TCP_PORT";

pub(super) fn problems(scene: &OneRunner<'_>) -> Vec<Problem> {
    let services = scene.runner.services.iter().filter(|it| it.is_dind());
    let services: Vec<&Service> = services.collect();
    let each = services.iter().flat_map(|service| {
        let health_check = health_check(scene, service);
        [dropped_command(scene, service), health_check]
    });
    let each = each.flatten().collect::<Vec<_>>();
    second_daemon(scene, &services)
        .into_iter()
        .chain(each)
        .collect()
}

/// Containers of one pod share their ports; with Docker each service has a network of its own.
fn second_daemon(scene: &OneRunner<'_>, services: &[&Service]) -> Option<Problem> {
    if scene.runner.executor != Executor::Kubernetes {
        return None;
    }
    let mut services = services.iter().filter(|it| !it.serves_elsewhere());
    let (first, second) = (services.next()?, services.next()?);
    let cause = format!(
        "{} has two Docker daemons as services. They are in one pod, share its ports, and the \
         second one cannot start.",
        scene.runner.title()
    );
    let fix = format!("in {}, take one of them out", scene.source.name());
    let finding = network::PORT_IN_USE.found(cause, fix);
    let problem = Problem::new(finding, second.place.clone(), "the second daemon");
    Some(problem.with_related(first.place.clone(), "the first one"))
}

/// With that flag services get no command (gitlab-runner `getCommandAndArgs`).
fn dropped_command(scene: &OneRunner<'_>, service: &Service) -> Option<Problem> {
    let command = service.command.as_ref()?;
    let words = command.words.as_ref()?;
    let flag = flag(scene)?;
    if scene.runner.executor != Executor::Kubernetes || words.is_empty() {
        return None;
    }
    let cause = format!(
        "{HONOR_ENTRYPOINT} is on for {}, and with it the Kubernetes executor passes no command to \
         services.",
        scene.runner.title()
    );
    let fix = format!(
        "in {}, turn {HONOR_ENTRYPOINT} off; or, with dind-init in the service's image, say it by \
         a variable of the service:\n    environment = [{:?}]",
        scene.source.name(),
        format!("DIND_DOCKERD_ARGS={}", shell_words::join(words))
    );
    let finding = daemon::COMMAND_DROPPED.found(cause, fix);
    let problem = Problem::new(finding, command.place.clone(), "not passed on");
    Some(problem.with_related(flag.clone(), "because of this"))
}

/// Where the flag is turned on.
fn flag<'a>(scene: &'a OneRunner<'_>) -> Option<&'a Place> {
    let (variable, place) = scene.runner.variables.written(HONOR_ENTRYPOINT)?;
    matches!(variable.value.as_str(), "true" | "1").then_some(place)
}

fn health_check(scene: &OneRunner<'_>, service: &Service) -> Option<Problem> {
    let (variable, place) = service.own_variables.written(HEALTH_CHECK)?;
    let value = variable.value.as_str();
    let directory = service.variables.written("DOCKER_TLS_CERTDIR");
    let ports: &[u16] = match directory.map(|(variable, _)| variable.value.is_empty()) {
        Some(true) => &[2375],
        Some(false) => &[2376],
        // The jobs decide.
        None => &[2376, 2375],
    };
    let port = value.parse::<u16>();
    if port.as_ref().is_ok_and(|port| ports.contains(port)) || service.serves_elsewhere() {
        return None;
    }
    let cause = match port {
        Ok(port) => format!(
            "the runner waits for port {port}, and this service serves on {}.",
            ports[0]
        ),
        Err(_) => format!("{HEALTH_CHECK} is {value:?}, and has to be a port's number."),
    };
    let fix = format!(
        "in {}:\n    environment = [\"{HEALTH_CHECK}={}\"]",
        scene.source.name(),
        ports[0]
    );
    let finding = network::HEALTH_CHECK.found(cause, fix);
    Some(Problem::new(finding, place.clone(), "nothing opens it"))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{docker, expect, kubernetes};
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
        let elsewhere = format!("{second}command = [\"-H\", \"tcp://0.0.0.0:1\"]");
        expect(&with(&elsewhere), &[NO_DATA_VOLUME]);
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
