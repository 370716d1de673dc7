//! Whether the job's variables lead its clients to the daemon: the judgement of run time, from
//! what the files say.

use super::of_each_job;
use crate::{
    facts::client::{ClientVariables, DockerHost, Entrypoint},
    findings::client::{self, own_hosts},
    lint::{
        model::{Known, Variables},
        problem::Problem,
        scene::{Daemon, OneJob, Scene},
        source::Place,
    },
    reasons::{self, Finding},
    settings::subject_names::SubjectName,
};

/// GitLab sets it, and no file does.
const PROJECT: &str = "CI_PROJECT_DIR";

pub fn problems(scene: &Scene<'_>) -> Vec<Problem> {
    of_each_job(scene, of_a_job)
}

fn of_a_job(one_job: &OneJob<'_>) -> Vec<Problem> {
    let job = client_variables(one_job);
    let Some(daemon) = dialled(&job, &one_job.daemons) else {
        return Vec::new();
    };
    let socket_is_shared = one_job.surroundings.has_node_socket;
    let of_own_hosts = daemon
        .own_hosts
        .as_ref()
        .and_then(|hosts| own_hosts::findings(&job, hosts, &daemon.names, socket_is_shared));
    if let Some(finding) = of_own_hosts {
        let is_certain = is_certain(&finding, one_job, &job);
        let problem = is_certain.then(|| match *finding.reason == reasons::client::HOST {
            true => Some(unset(one_job, daemon, finding)),
            false => of_its_command(one_job, daemon, finding),
        });
        return problem.into_iter().flatten().collect();
    }
    let mut findings = match &daemon.served {
        Some(served) => client::findings(&job, served),
        None => client::unset(&job, None).into_iter().collect(),
    };
    findings.retain(|finding| is_certain(finding, one_job, &job));
    findings
        .into_iter()
        .map(|finding| match job.docker_host {
            None if *finding.reason == reasons::client::HOST => unset(one_job, daemon, finding),
            _ => told(one_job, daemon, finding),
        })
        .collect()
}

/// What a command that begins with `dockerd` leaves out.
fn of_its_command(one_job: &OneJob<'_>, daemon: &Daemon<'_>, finding: Finding) -> Option<Problem> {
    let label = match *finding.reason == reasons::client::LATE {
        true => "opens its port late",
        false => "does not listen there",
    };
    let command = daemon.service.command.as_ref();
    let command = command.or(daemon.service.entrypoint.as_ref())?;
    let problem = Problem::new(finding, command.place.clone(), label);
    Some(match blamed_of(&["DOCKER_HOST"], &one_job.client) {
        Some(host) => problem.with_related(host.clone(), "the job looks for it here"),
        None => problem,
    })
}

fn unset(one_job: &OneJob<'_>, daemon: &Daemon<'_>, finding: Finding) -> Problem {
    let service = &daemon.service.place;
    if let Entrypoint::Runs { .. } = one_job.client_entrypoint() {
        return Problem::new(finding, service.clone(), "not called docker");
    }
    let label = "nothing leads it to its Docker service";
    let problem = Problem::new(finding, one_job.job.place.clone(), label);
    problem.with_related(service.clone(), "this service")
}

fn told(one_job: &OneJob<'_>, daemon: &Daemon<'_>, finding: Finding) -> Problem {
    let service = &daemon.service.place;
    let (place, label) = match blamed(&finding, &one_job.client) {
        Some(place) => (place, ""),
        None if *finding.reason == reasons::certs::CLEANED => cleaned(daemon),
        None => (service, "for this service"),
    };
    let problem = Problem::new(finding, place.clone(), label);
    match daemon.service.variables.written("DOCKER_TLS_CERTDIR") {
        Some((_, directory)) if directory != place => {
            let has_tls = daemon.served.as_ref().is_some_and(|served| served.tls);
            let label = if has_tls { "TLS is on" } else { "TLS is off" };
            problem.with_related(directory.clone(), label)
        }
        Some(_) => problem,
        None if service == place => problem,
        None if is_elsewhere(daemon) => problem,
        None => problem.with_related(
            service.clone(),
            "TLS is on: nothing here sets DOCKER_TLS_CERTDIR, and images have /certs",
        ),
    }
}

/// What has the certificates made there.
fn cleaned<'a>(daemon: &'a Daemon<'_>) -> (&'a Place, &'static str) {
    match daemon.service.variables.written("DOCKER_TLS_CERTDIR") {
        Some((_, place)) => (place, "the project's directory"),
        None => (&daemon.service.place, "for this service"),
    }
}

/// Whether it is the runner that says how the service serves.
fn is_elsewhere(daemon: &Daemon<'_>) -> bool {
    !matches!(
        daemon.service.variables.get("DOCKER_TLS_CERTDIR"),
        Known::Unset
    )
}

fn client_variables(one_job: &OneJob<'_>) -> ClientVariables {
    // What is not in the file stays as `$NAME`, and may still be compared.
    let value = |name: &str| match one_job.client.expanded(name) {
        Known::Set(value) => Some(value.text),
        Known::Unset | Known::Unknown if name == PROJECT => Some(format!("${PROJECT}")),
        Known::Unset | Known::Unknown => None,
    };
    ClientVariables {
        in_gitlab: true,
        in_kubernetes: one_job.surroundings.in_kubernetes,
        has_own_network: Some(one_job.surroundings.has_own_network),
        entrypoint: one_job.client_entrypoint(),
        are_the_service_s: false,
        ..ClientVariables::parse(&value)
    }
}

/// The service that the job's `DOCKER_HOST` names; the first one, if it names none.
fn dialled<'a>(job: &ClientVariables, daemons: &'a [Daemon<'a>]) -> Option<&'a Daemon<'a>> {
    let is_meant = |daemon: &&Daemon<'_>| match &job.docker_host {
        Some(DockerHost::Tcp { host, .. } | DockerHost::Http { host, .. }) => {
            let names = daemon.service.names();
            let mut hosts = names.iter().filter_map(|name| SubjectName::from_host(name));
            (is_loopback(host) && daemons.len() == 1) || hosts.any(|name| name == *host)
        }
        // `ssh://`, or not in the file.
        Some(DockerHost::Unexpanded(_) | DockerHost::Other) => false,
        Some(DockerHost::Unix(_)) | None => true,
    };
    daemons.iter().find(is_meant)
}

fn is_loopback(host: &SubjectName) -> bool {
    match host {
        SubjectName::Dns(name) => name == "localhost",
        SubjectName::Ip(address) => address.is_loopback(),
    }
}

/// Whether all that it rests on is in the files.
fn is_certain(finding: &Finding, one_job: &OneJob<'_>, job: &ClientVariables) -> bool {
    let variables = &one_job.client;
    let reason = finding.reason;
    let rests_on_no_host = job.docker_host.is_none()
        && (*reason == reasons::client::HOST || *reason == reasons::client::PORT);
    if rests_on_no_host && finds_another_way(one_job) {
        return false;
    }
    // With Docker's executor the runner waits for a service's port before the job begins.
    if *reason == reasons::client::LATE && job.in_kubernetes != Some(true) {
        return false;
    }
    let is_known = |name: &&str| match variables.expanded(name) {
        Known::Set(value) => !value.text.contains('$'),
        Known::Unset => true,
        Known::Unknown => false,
    };
    let names_port = matches!(
        &job.docker_host,
        Some(DockerHost::Tcp { port: Some(_), .. })
    );
    // Without a host, clients dial one by DOCKER_TLS_VERIFY.
    let host_decides = (*reason == reasons::client::PORT && names_port)
        || (*reason == reasons::client::HOST && job.docker_host.is_some());
    let rests_on: &[&str] = if *reason == reasons::certs::CLEANED {
        &["GIT_STRATEGY", "GIT_CLEAN_FLAGS", "GIT_CHECKOUT"]
    } else if *reason == reasons::client::PROXY {
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
    } else if host_decides {
        &["DOCKER_HOST"]
    } else {
        &["DOCKER_HOST", "DOCKER_TLS_VERIFY"]
    };
    rests_on.iter().all(is_known)
}

/// Whether the job does without `DOCKER_HOST`, or may.
fn finds_another_way(one_job: &OneJob<'_>) -> bool {
    let job = one_job.job;
    one_job.surroundings.has_node_socket || job.script.may_choose_a_daemon() || !job.uses_docker()
}

/// The place of the variable to change. That of a proxy may hold a password, and is not shown.
fn blamed<'a>(finding: &Finding, variables: &'a Variables) -> Option<&'a Place> {
    let reason = finding.reason;
    let names: &[&str] = if *reason == reasons::certs::CLEANED {
        &[]
    } else if *reason == reasons::client::PROXY {
        &["NO_PROXY", "no_proxy", "DOCKER_HOST"]
    } else if *reason == reasons::client::CERT_PATH {
        &["DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY"]
    } else if *reason == reasons::client::TLS_VERIFY {
        &["DOCKER_TLS_VERIFY", "DOCKER_HOST"]
    } else {
        &["DOCKER_HOST"]
    };
    blamed_of(names, variables)
}

fn blamed_of<'a>(names: &[&str], variables: &'a Variables) -> Option<&'a Place> {
    names
        .iter()
        .find_map(|name| Some(variables.written(name)?.1))
}
