//! Whether the job's variables lead its clients to the daemon: the judgement of run time, from
//! what the file says.

use super::{Daemon, Scene};
use crate::{
    facts::client::{ClientVariables, DockerHost},
    findings::client::{self, Served},
    lint::{
        pipeline::{Known, Variables},
        problem::Problem,
        source::Span,
    },
    reasons::{self, Finding, Severity},
    settings::subject_names::SubjectName,
};

pub fn problems(scene: &Scene<'_>) -> Vec<Problem> {
    let job = client_variables(scene);
    let Some((daemon, served)) = dialled(&job, scene.daemons) else {
        return Vec::new();
    };
    let variables = &scene.job.variables;
    let mut findings = client::findings(&job, served);
    findings.retain(|finding| is_certain(finding, variables));
    findings
        .into_iter()
        .map(|finding| {
            // Here it is known that they share no network.
            let finding = match *finding.reason == reasons::client::HOST {
                true => finding.with_severity(Severity::Error),
                false => finding,
            };
            let (span, label) = match blamed(&finding, variables) {
                Some(place) => (place, ""),
                None => (&daemon.service.span, "for this service"),
            };
            let problem = scene.problem(finding, span, label);
            match daemon.service.variables.written("DOCKER_TLS_CERTDIR") {
                Some((_, directory)) if directory != span => {
                    let label = if served.tls {
                        "TLS is on"
                    } else {
                        "TLS is off"
                    };
                    problem.with_related(scene.place(directory), label)
                }
                Some(_) => problem,
                None if daemon.service.span == *span => problem,
                None if is_elsewhere(daemon) => problem,
                None => problem.with_related(
                    scene.place(&daemon.service.span),
                    "TLS is on: nothing here sets DOCKER_TLS_CERTDIR, and images have /certs",
                ),
            }
        })
        .collect()
}

/// Whether it is the runner that says how the service serves.
fn is_elsewhere(daemon: &Daemon<'_>) -> bool {
    !matches!(
        daemon.service.variables.get("DOCKER_TLS_CERTDIR"),
        Known::Unset
    )
}

fn client_variables(scene: &Scene<'_>) -> ClientVariables {
    // What is not in the file stays as `$NAME`, and may still be compared.
    let value = |name: &str| match scene.job.variables.expanded(name) {
        Known::Set(value) => Some(value.text),
        Known::Unset | Known::Unknown => None,
    };
    let variables = ClientVariables::parse(&value);
    let has_own_network =
        scene.surroundings.in_kubernetes == Some(false) && scene.surroundings.has_own_network;
    ClientVariables {
        // A socket is in one container alone in every executor. Whether job and service share a
        // network, and `localhost` is the service, depends on it.
        in_gitlab: has_own_network || matches!(variables.docker_host, Some(DockerHost::Unix(_))),
        in_kubernetes: scene.surroundings.in_kubernetes == Some(true),
        ..variables
    }
}

/// The service that the job's `DOCKER_HOST` names; the first one, if it names none.
fn dialled<'a>(
    job: &ClientVariables,
    daemons: &'a [Daemon<'a>],
) -> Option<(&'a Daemon<'a>, &'a Served)> {
    let is_meant = |daemon: &&Daemon<'_>| match &job.docker_host {
        Some(DockerHost::Tcp { host, .. }) => {
            let is_loopback = match host {
                SubjectName::Dns(name) => name == "localhost",
                SubjectName::Ip(address) => address.is_loopback(),
            };
            let names = daemon.service.names();
            let mut hosts = names.iter().filter_map(|name| SubjectName::from_host(name));
            (is_loopback && daemons.len() == 1) || hosts.any(|name| name == *host)
        }
        // `ssh://`, or not in the file.
        Some(DockerHost::Other) => false,
        Some(DockerHost::Unix(_)) | None => true,
    };
    let daemon = daemons.iter().find(is_meant)?;
    Some((daemon, daemon.served.as_ref()?))
}

/// Whether all that it rests on is in the file.
fn is_certain(finding: &Finding, variables: &Variables) -> bool {
    let reason = finding.reason;
    let is_known = |name: &&str| match variables.expanded(name) {
        Known::Set(value) => !value.text.contains('$'),
        Known::Unset => true,
        Known::Unknown => false,
    };
    let rests_on: &[&str] = if *reason == reasons::client::PROXY {
        &[
            "DOCKER_HOST",
            "NO_PROXY",
            "no_proxy",
            "HTTP_PROXY",
            "http_proxy",
            "HTTPS_PROXY",
            "https_proxy",
        ]
    } else if *reason == reasons::client::CERT_PATH {
        &["DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"]
    } else {
        &["DOCKER_HOST", "DOCKER_TLS_VERIFY"]
    };
    rests_on.iter().all(is_known)
}

/// The place of the variable to change. That of a proxy may hold a password, and is not shown.
fn blamed<'a>(finding: &Finding, variables: &'a Variables) -> Option<&'a Span> {
    let reason = finding.reason;
    let names: &[&str] = if *reason == reasons::client::PROXY {
        &["NO_PROXY", "no_proxy", "DOCKER_HOST"]
    } else if *reason == reasons::client::CERT_PATH {
        &["DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY"]
    } else if *reason == reasons::client::TLS_VERIFY {
        &["DOCKER_TLS_VERIFY", "DOCKER_HOST"]
    } else {
        &["DOCKER_HOST"]
    };
    names
        .iter()
        .find_map(|name| Some(variables.written(name)?.1))
}
