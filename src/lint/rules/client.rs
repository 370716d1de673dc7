//! Whether the job's variables lead its clients to the daemon: the judgement of run time, from
//! what the files say.

use super::of_each_job;
use crate::{
    facts::client::{ClientVariables, DockerHost},
    findings::client::{self, Served},
    lint::{
        model::{Known, Variables, daemon},
        problem::Problem,
        scene::{ClientEntrypoint, Daemon, OneJob, Scene},
        source::Place,
    },
    reasons::{self, Finding, Severity},
    settings::subject_names::SubjectName,
};

/// GitLab sets it, and no file does.
const PROJECT: &str = "CI_PROJECT_DIR";

pub fn problems(scene: &Scene<'_>) -> Vec<Problem> {
    of_each_job(scene, of_a_job)
}

fn of_a_job(scene: &OneJob<'_>) -> Vec<Problem> {
    let job = client_variables(scene);
    let Some(daemon) = dialled(&job, &scene.daemons) else {
        return Vec::new();
    };
    let Some(served) = &daemon.served else {
        return without_port(scene, &job, daemon).into_iter().collect();
    };
    let mut findings = client::findings(&job, served);
    findings.extend(tls_at_another_port(&job, served));
    findings.retain(|finding| is_certain(finding, &scene.client));
    findings
        .into_iter()
        .map(|finding| told(scene, daemon, served, with_severity(scene, finding)))
        .collect()
}

/// What at run time may be otherwise is known here: that no network is shared, and that no
/// entrypoint sets anything.
fn with_severity(scene: &OneJob<'_>, finding: Finding) -> Finding {
    let is_certain = *finding.reason == reasons::client::HOST
        || (*finding.reason == reasons::client::TLS_VERIFY
            && scene.client_entrypoint() == ClientEntrypoint::Missing);
    match is_certain {
        true => finding.with_severity(Severity::Error),
        false => finding,
    }
}

fn told(scene: &OneJob<'_>, daemon: &Daemon<'_>, served: &Served, finding: Finding) -> Problem {
    let service = &daemon.service.place;
    let (place, label) = match blamed(&finding, &scene.client) {
        Some(place) => (place, ""),
        None if *finding.reason == reasons::certs::CLEANED => cleaned(daemon),
        None => (service, "for this service"),
    };
    let problem = Problem::new(finding, place.clone(), label);
    match daemon.service.variables.written("DOCKER_TLS_CERTDIR") {
        Some((_, directory)) if directory != place => {
            let label = if served.tls {
                "TLS is on"
            } else {
                "TLS is off"
            };
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

fn client_variables(scene: &OneJob<'_>) -> ClientVariables {
    // What is not in the file stays as `$NAME`, and may still be compared.
    let value = |name: &str| match scene.client.expanded(name) {
        Known::Set(value) => Some(value.text),
        Known::Unset | Known::Unknown if name == PROJECT => Some(format!("${PROJECT}")),
        Known::Unset | Known::Unknown => None,
    };
    let variables = ClientVariables::parse(&value);
    let in_docker = scene.surroundings.in_kubernetes == Some(false);
    let is_unix = matches!(variables.docker_host, Some(DockerHost::Unix(_)));
    ClientVariables {
        // A socket is in one container alone in every executor. Whether job and service share a
        // network, and `localhost` is the service, depends on it.
        in_gitlab: is_unix || (in_docker && scene.surroundings.has_own_network),
        in_kubernetes: scene.surroundings.in_kubernetes == Some(true)
            || (is_by_name(&variables) && scene.client_entrypoint() == ClientEntrypoint::Missing),
        ..variables
    }
}

/// Whether the daemon is called by a name, which Kubernetes and Docker have alike.
fn is_by_name(variables: &ClientVariables) -> bool {
    match &variables.docker_host {
        Some(DockerHost::Tcp { host, .. }) => !is_loopback(host),
        _ => false,
    }
}

/// The service that the job's `DOCKER_HOST` names; the first one, if it names none.
fn dialled<'a>(job: &ClientVariables, daemons: &'a [Daemon<'a>]) -> Option<&'a Daemon<'a>> {
    let is_meant = |daemon: &&Daemon<'_>| match &job.docker_host {
        Some(DockerHost::Tcp { host, .. }) => {
            let names = daemon.service.names();
            let mut hosts = names.iter().filter_map(|name| SubjectName::from_host(name));
            (is_loopback(host) && daemons.len() == 1) || hosts.any(|name| name == *host)
        }
        // `ssh://`, or not in the file.
        Some(DockerHost::Other) => false,
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

/// A command of the user's own that starts dockerd, and has it listen on its unix socket alone.
fn without_port(scene: &OneJob<'_>, job: &ClientVariables, daemon: &Daemon<'_>) -> Option<Problem> {
    let command = daemon.service.command.as_ref()?;
    let Some(DockerHost::Tcp { text, .. }) = &job.docker_host else {
        return None;
    };
    if !daemon::has_no_port(daemon.service) {
        return None;
    }
    let finding = reasons::client::PORT.found(
        format!(
            "DOCKER_HOST is {text}, but the service's command starts dockerd itself, which then \
             listens on /var/run/docker.sock alone: no port is opened, and no certificates are made."
        ),
        "in .gitlab-ci.yml, take the word `dockerd` out of the service's command, and leave its \
         flags",
    );
    let problem = Problem::new(finding, command.place.clone(), "opens no port");
    Some(match blamed_of(&["DOCKER_HOST"], &scene.client) {
        Some(host) => problem.with_related(host.clone(), "the job looks for it here"),
        None => problem,
    })
}

/// Every port of a dockerd with certificates speaks TLS, those of its own `--host` flags too.
fn tls_at_another_port(job: &ClientVariables, served: &Served) -> Option<Finding> {
    let port = job.dialled_port()?;
    let is_meant = served.tls && port != served.port && served.further_ports.contains(&port);
    let is_plain = job.tls_verify.is_none() && job.in_kubernetes;
    (is_meant && is_plain).then(|| {
        reasons::client::TLS_VERIFY.met(format!(
            "DOCKER_TLS_VERIFY is not set, so clients speak plain HTTP to port {port}. This daemon \
             has certificates, and speaks TLS there as well: `--tls=false` does not turn it off, \
             an empty DOCKER_TLS_CERTDIR does."
        ))
    })
}

/// Whether all that it rests on is in the files.
fn is_certain(finding: &Finding, variables: &Variables) -> bool {
    let reason = finding.reason;
    let is_known = |name: &&str| match variables.expanded(name) {
        Known::Set(value) => !value.text.contains('$'),
        Known::Unset => true,
        Known::Unknown => false,
    };
    let host = variables.literal("DOCKER_HOST");
    let host = host.map(|host| DockerHost::parse(&host));
    let names_port = matches!(&host, Some(DockerHost::Tcp { port: Some(_), .. }));
    // Without a host, clients dial one by DOCKER_TLS_VERIFY.
    let host_decides = (*reason == reasons::client::PORT && names_port)
        || (*reason == reasons::client::HOST && host.is_some());
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
