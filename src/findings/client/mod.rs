//! Whether the job's own variables lead its clients to this daemon.

pub mod api_version;
mod no_proxy;
pub mod own_hosts;
mod socket;
mod unset;
mod unusable;

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

pub use self::unset::{finding as unset, is_lost};
use crate::{
    dockerd::hosts::{PLAIN_PORT, TLS_PORT},
    facts::client::{ClientVariables, DockerHost, Entrypoint},
    reasons::{Finding, Severity, certs, client, hole::Hole},
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
        Some(DockerHost::Unix(_)) => socket::finding(job, served).into_iter().collect(),
        Some(DockerHost::Other) => Vec::new(),
        Some(DockerHost::Http { .. } | DockerHost::Unexpanded(_)) => {
            unusable::finding(job, served).into_iter().collect()
        }
        Some(DockerHost::Tcp { .. }) | None => {
            if let Some(elsewhere) = host(job, served).or_else(|| unset(job, Some(served))) {
                // Nothing else that is known of us concerns that host.
                return vec![elsewhere];
            }
            [
                port(job, served),
                tls_verify(job, served),
                certificates(job, served),
                cleaned(job, served),
                proxy(job, served),
            ]
            .into_iter()
            .flatten()
            .collect()
        }
    }
}

fn host(job: &ClientVariables, served: &Served) -> Option<Finding> {
    let Some(DockerHost::Tcp { text, host, .. }) = &job.docker_host else {
        return None;
    };
    let advice = match served.tls {
        true => client::HOST_WITH_TLS,
        false => client::HOST_WITHOUT_TLS,
    };
    let names = names_to_call(served);
    if job.in_kubernetes == Some(true) {
        return (!served.names.contains(host) && !is_this_container(host)).then(|| {
            let cause = format!(
                "DOCKER_HOST is {text}, but this pod is called {}.",
                names.join(", ")
            );
            // All containers of a pod share its network.
            let usual = |name: &&String| name.as_str() == USUAL_HOST;
            let name = names.iter().find(usual).map_or("localhost", String::as_str);
            let [dialled, port, certificates] = leading_here(name.to_owned(), served);
            let alias = (Hole::Alias, host.to_string());
            client::HOST.advised(cause, advice, [dialled, port, certificates, alias])
        });
    }
    // With Docker's executor the job has a network of its own.
    let (unless, severity) = match (job.in_kubernetes, job.has_own_network) {
        (Some(false), Some(true)) => ("", Severity::Error),
        (Some(false), None) => (", unless they share a network", Severity::Warning),
        _ => return None,
    };
    (job.in_gitlab && is_this_container(host)).then(|| {
        let cause = format!(
            "DOCKER_HOST is {text}, which is the job's own container and not this one{unless}."
        );
        let [dialled, port, certificates] = leading_here(USUAL_HOST.into(), served);
        let alias = (Hole::Alias, USUAL_HOST.to_owned());
        client::HOST
            .advised(cause, advice, [dialled, port, certificates, alias])
            .with_severity(severity)
    })
}

/// The names that somebody would write: none of the kubelet's own for IPv6, as in every
/// /etc/hosts.
fn names_to_call(served: &Served) -> Vec<String> {
    let names = served.names.iter();
    let names = names.filter(|name| matches!(name, SubjectName::Dns(_)));
    names
        .map(ToString::to_string)
        .filter(|name| !name.starts_with("ip6-"))
        .collect()
}

fn port(job: &ClientVariables, served: &Served) -> Option<Finding> {
    let Some(DockerHost::Tcp { text, host, port }) = &job.docker_host else {
        return None;
    };
    let dialled = job.dialled_port()?;
    if dialled == served.port
        || served.further_ports.contains(&dialled)
        || !may_be_ours(&served.names, host, dialled)
    {
        return None;
    }
    let what = match served.tls {
        true => "speaks TLS",
        false => "speaks without TLS (DOCKER_TLS_CERTDIR is empty)",
    };
    let advice = match served.tls {
        true if dialled == 2375 => client::PORT_OF_TLS,
        true => client::PORT_OF_TLS_ALONE,
        false => client::PORT_WITHOUT_TLS,
    };
    let dials = match port {
        Some(_) => format!("{text} (port {dialled})"),
        None => format!("{text}, which names no port, so clients dial {dialled}"),
    };
    let cause = format!(
        "DOCKER_HOST is {dials}, but this daemon {what} on port {}.",
        served.port
    );
    Some(client::PORT.advised(cause, advice, leading_here(called(job), served)))
}

/// A host that we do not know may be an alias of ours; with a port of its own it is not.
fn may_be_ours(names: &[SubjectName], host: &SubjectName, port: u16) -> bool {
    names.contains(host) || [PLAIN_PORT, TLS_PORT].contains(&port)
}

fn tls_verify(job: &ClientVariables, served: &Served) -> Option<Finding> {
    match (&job.tls_verify, served.tls) {
        (Some(value), false) => Some(client::TLS_VERIFY.met(format!(
            "DOCKER_TLS_VERIFY is {value:?}, and any value turns TLS on in clients; this daemon \
             speaks without TLS, because DOCKER_TLS_CERTDIR is empty."
        ))),
        // The docker image's entrypoint sets it.
        (None, true) if matches!(job.entrypoint, Entrypoint::Missing(_)) => {
            let severity = match job.are_the_service_s {
                true => Severity::Warning,
                false => Severity::Error,
            };
            let finding = plain_on_tls(job, served)?;
            Some(finding.with_severity(severity))
        }
        _ => None,
    }
}

/// Every port of a dockerd with certificates speaks TLS, those of its own `--host` flags too.
fn plain_on_tls(job: &ClientVariables, served: &Served) -> Option<Finding> {
    let port = job.dialled_port()?;
    if port == served.port {
        let cause = format!(
            "DOCKER_TLS_VERIFY is not set, so clients will speak plain HTTP to port {port}, which \
             speaks TLS."
        );
        let data = leading_here(called(job), served);
        return Some(client::TLS_VERIFY.advised(cause, client::TLS_VERIFY_UNSET, data));
    }
    served.further_ports.contains(&port).then(|| {
        client::TLS_VERIFY.met(format!(
            "DOCKER_TLS_VERIFY is not set, so clients speak plain HTTP to port {port}. This daemon \
             has certificates, and speaks TLS there as well: `--tls=false` does not turn it off, \
             an empty DOCKER_TLS_CERTDIR does."
        ))
    })
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
            "DOCKER_CERT_PATH is {:?}: the variable in it was never expanded. The certificates are \
             in {}.",
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
    let certificates = (Hole::Certificates, ours.display().to_string());
    Some(client::CERT_PATH.met_with(cause, [certificates]))
}

/// The runner's clone comes after the service's start.
fn cleaned(job: &ClientVariables, served: &Served) -> Option<Finding> {
    let (certificates, project) = (served.client_certificates.as_ref()?, job.project.as_ref()?);
    (certificates.starts_with(project) && !job.keeps_project).then(|| {
        certs::CLEANED.met(format!(
            "{} lies in the project's directory, {}, which the runner cleans when it fetches the \
             sources: after the service has written them.",
            certificates.display(),
            project.display()
        ))
    })
}

fn proxy(job: &ClientVariables, served: &Served) -> Option<Finding> {
    let proxy = job.proxy.as_ref()?;
    let usual = SubjectName::Dns(USUAL_HOST.into());
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
    let cause = format!(
        "{} is {}, and NO_PROXY ({:?}) does not list {host}.",
        proxy.variable,
        without_password(&proxy.address),
        job.no_proxy
    );
    let finding = client::PROXY.met_with(cause, [(Hole::NoProxy, hosts.join(","))]);
    Some(finding.with_severity(severity))
}

/// As in GitLab's documentation.
const USUAL_HOST: &str = "docker";

/// What fills the lines of .gitlab-ci.yml that lead to this daemon by a name.
fn leading_here(host: String, served: &Served) -> [(Hole, String); 3] {
    let certificates = served.client_certificates.as_deref();
    let certificates = certificates.unwrap_or(Path::new("/certs/client"));
    [
        (Hole::Host, host),
        (Hole::Port, served.port.to_string()),
        (Hole::Certificates, certificates.display().to_string()),
    ]
}

/// The same lines for a daemon of which nothing is known.
fn leading_to_the_usual() -> [(Hole, String); 3] {
    [
        (Hole::Host, USUAL_HOST.to_owned()),
        (Hole::Port, TLS_PORT.to_string()),
        (Hole::Certificates, "/certs/client".to_owned()),
    ]
}

/// By which name the job calls the service.
fn called(job: &ClientVariables) -> String {
    match &job.docker_host {
        Some(DockerHost::Tcp { host, .. }) => url_host(host),
        _ => USUAL_HOST.to_owned(),
    }
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

/// Whether it leads whoever dials it to itself: Linux connects `0.0.0.0` to this machine, too.
fn is_this_container(host: &SubjectName) -> bool {
    let is_any = matches!(host, SubjectName::Ip(address) if address.is_unspecified());
    is_any || is_loopback(host)
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
