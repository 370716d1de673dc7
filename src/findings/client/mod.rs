//! Whether the job's own variables lead its clients to this daemon.

mod no_proxy;

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use crate::{
    facts::client::{ClientVariables, DockerHost},
    reasons::{Finding, Severity, client},
    settings::subject_names::SubjectName,
};

/// What this daemon offers to clients.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Served {
    pub tls: bool,
    pub port: u16,
    /// Of the user's own `--host` flags.
    pub further_ports: Vec<u16>,
    /// The names and addresses that this container has, apart from what `DOCKER_HOST` says.
    pub names: Vec<SubjectName>,
    /// Where clients find their certificates, with TLS.
    pub client_certificates: Option<PathBuf>,
    pub unix: PathBuf,
    /// Whether the socket lies on a volume, which the job has as well.
    pub unix_is_shared: bool,
}

/// What will keep the job's clients from this daemon. None of it stops dockerd.
pub fn findings(job: &ClientVariables, served: &Served) -> Vec<Finding> {
    match &job.docker_host {
        Some(DockerHost::Unix(_)) => unshared_socket(job, served).into_iter().collect(),
        Some(DockerHost::Other) => Vec::new(),
        Some(DockerHost::Tcp { .. }) | None => {
            if let Some(elsewhere) = host(job, served) {
                // Nothing else that is known of us concerns that host.
                return vec![elsewhere];
            }
            [
                port(job, served),
                tls_verify(job, served),
                certificates(job, served),
                proxy(job, served),
            ]
            .into_iter()
            .flatten()
            .collect()
        }
    }
}

fn unshared_socket(job: &ClientVariables, served: &Served) -> Option<Finding> {
    let path = served.unix.display();
    (job.in_gitlab && !served.unix_is_shared).then(|| {
        client::HOST.found(
            format!("DOCKER_HOST is unix://{path}, a socket on this container's own file system."),
            format!(
                "call the service by its name, in .gitlab-ci.yml:\n{}",
                variables(job, served)
            ),
        )
    })
}

fn host(job: &ClientVariables, served: &Served) -> Option<Finding> {
    let Some(DockerHost::Tcp { text, host, .. }) = &job.docker_host else {
        return None;
    };
    let names: Vec<String> = served
        .names
        .iter()
        .filter(|name| matches!(name, SubjectName::Dns(_)))
        .map(ToString::to_string)
        .collect();
    if job.in_kubernetes {
        return (!served.names.contains(host)).then(|| {
            client::HOST.found(
                format!(
                    "DOCKER_HOST is {text}, but this pod is called {}.",
                    names.join(", ")
                ),
                format!(
                    "in .gitlab-ci.yml, give the service the alias {host} (image names with a \
                     registry give it others), or set\n{}",
                    variables_for("docker", served)
                ),
            )
        });
    }
    // With Docker's executor the job has a network of its own.
    (job.in_gitlab && is_loopback(host)).then(|| {
        client::HOST
            .found(
                format!(
                    "DOCKER_HOST is {text}, which is the job's own container and not this one, \
                     unless they share a network."
                ),
                format!(
                    "call the service by its name, in .gitlab-ci.yml:\n{}",
                    variables_for("docker", served)
                ),
            )
            .with_severity(Severity::Warning)
    })
}

fn port(job: &ClientVariables, served: &Served) -> Option<Finding> {
    let Some(DockerHost::Tcp { text, host, .. }) = &job.docker_host else {
        return None;
    };
    let dialled = job.dialled_port()?;
    // A host that we do not know may be an alias of ours; with a port of its own it is not.
    let is_ours = served.names.contains(host) || matches!(dialled, 2375 | 2376);
    if dialled == served.port || served.further_ports.contains(&dialled) || !is_ours {
        return None;
    }
    let what = match served.tls {
        true => "speaks TLS",
        false => "speaks without TLS (DOCKER_TLS_CERTDIR is empty)",
    };
    let mut fix = format!("in .gitlab-ci.yml:\n{}", variables(job, served));
    if served.tls && dialled == 2375 {
        fix.push_str(
            "\nor turn TLS off, if that is meant:\n    variables:\n      DOCKER_TLS_CERTDIR: \"\"",
        );
    }
    Some(client::PORT.found(
        format!(
            "DOCKER_HOST is {text} (port {dialled}), but this daemon {what} on port {}.",
            served.port
        ),
        fix,
    ))
}

fn tls_verify(job: &ClientVariables, served: &Served) -> Option<Finding> {
    match (&job.tls_verify, served.tls) {
        (Some(value), false) => Some(client::TLS_VERIFY.found(
            format!(
                "DOCKER_TLS_VERIFY is {value:?}, and any value turns TLS on in clients; this \
                 daemon speaks without TLS, because DOCKER_TLS_CERTDIR is empty."
            ),
            "in .gitlab-ci.yml, take DOCKER_TLS_VERIFY out (and DOCKER_CERT_PATH), or turn TLS \
             on:\n    variables:\n      DOCKER_TLS_CERTDIR: /certs\n      \
             DOCKER_HOST: tcp://docker:2376\n      DOCKER_CERT_PATH: /certs/client",
        )),
        // The docker image's entrypoint sets it; the Kubernetes executor runs no entrypoint.
        (None, true) if job.in_kubernetes && job.dialled_port() == Some(served.port) => Some(
            client::TLS_VERIFY
                .found(
                    format!(
                        "DOCKER_TLS_VERIFY is not set, so clients will speak plain HTTP to port \
                         {}, which speaks TLS.",
                        served.port
                    ),
                    format!("in .gitlab-ci.yml:\n{}", variables(job, served)),
                )
                .with_severity(Severity::Warning),
        ),
        _ => None,
    }
}

fn certificates(job: &ClientVariables, served: &Served) -> Option<Finding> {
    let ours = served.client_certificates.as_deref()?;
    job.tls_verify.as_ref()?;
    let cause = match &job.certificates {
        None => format!(
            "DOCKER_TLS_VERIFY is set and DOCKER_CERT_PATH is not, so clients look in ~/.docker; \
             their certificates are in {}.",
            ours.display()
        ),
        // Paths are compared by their parts: a slash more or less does not matter.
        Some(path) if path.as_path() == ours => return None,
        Some(path) if path.to_string_lossy().contains('$') => format!(
            "DOCKER_CERT_PATH is {:?}: nobody has put in the variable that it refers to. The \
             certificates are in {}.",
            path.display().to_string(),
            ours.display()
        ),
        // The user's own, from a volume that the job has as well.
        Some(_) if job.certificates_are_there => return None,
        Some(path) => format!(
            "DOCKER_CERT_PATH is {}, where there are none; the certificates are in {}.",
            path.display(),
            ours.display()
        ),
    };
    Some(client::CERT_PATH.found(
        cause,
        format!(
            "in .gitlab-ci.yml:\n    variables:\n      DOCKER_CERT_PATH: {}",
            ours.display()
        ),
    ))
}

fn proxy(job: &ClientVariables, served: &Served) -> Option<Finding> {
    let proxy = job.proxy.as_ref()?;
    let usual = SubjectName::Dns("docker".into());
    let (host, severity) = match &job.docker_host {
        Some(DockerHost::Tcp { host, .. }) => (host, Severity::Error),
        _ => (&usual, Severity::Warning),
    };
    let port = job.dialled_port().unwrap_or(served.port);
    // Go never sends these to a proxy.
    if is_loopback(host) || no_proxy::excepts(&job.no_proxy, host, port) {
        return None;
    }
    let mut hosts: Vec<&str> = job.no_proxy.split(',').map(str::trim).collect();
    hosts.retain(|entry| !entry.is_empty());
    let host = host.to_string();
    hosts.push(&host);
    let hosts = hosts.join(",");
    Some(
        client::PROXY
            .found(
                format!(
                    "{} is {}, and NO_PROXY ({:?}) does not except {host}.",
                    proxy.variable,
                    without_password(&proxy.address),
                    job.no_proxy
                ),
                format!(
                    "in .gitlab-ci.yml, or in the runner's `environment`:\n    variables:\n      \
                     NO_PROXY: \"{hosts}\"\n      no_proxy: \"{hosts}\""
                ),
            )
            .with_severity(severity),
    )
}

/// The lines of `.gitlab-ci.yml` that lead to this daemon.
fn variables(job: &ClientVariables, served: &Served) -> String {
    match &job.docker_host {
        Some(DockerHost::Tcp { host, .. }) => variables_for(&url_host(host), served),
        _ => variables_for("docker", served),
    }
}

fn variables_for(host: &str, served: &Served) -> String {
    let mut lines = format!(
        "    variables:\n      DOCKER_HOST: tcp://{host}:{}",
        served.port
    );
    if let Some(path) = &served.client_certificates {
        lines.push_str(&with_certificates(path));
    }
    lines
}

fn with_certificates(path: &Path) -> String {
    format!(
        "\n      DOCKER_TLS_VERIFY: 1\n      DOCKER_CERT_PATH: {}",
        path.display()
    )
}

fn url_host(host: &SubjectName) -> String {
    match host {
        SubjectName::Ip(IpAddr::V6(address)) => format!("[{address}]"),
        other => other.to_string(),
    }
}

fn is_loopback(host: &SubjectName) -> bool {
    match host {
        SubjectName::Dns(name) => name == "localhost",
        SubjectName::Ip(address) => address.is_loopback(),
    }
}

/// A job's log is read by more people than may know the proxy's password.
fn without_password(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((before, host)) => {
            let scheme = before.split_once("://").map_or("", |(scheme, _)| scheme);
            format!("{scheme}://…@{host}")
        }
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests;
