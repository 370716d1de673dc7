//! What a dind service will serve, by what the file says.

use std::ffi::OsString;

use super::{
    Surroundings,
    service::Service,
    variables::{Known, Variables},
};
use crate::{
    dockerd::{
        flags::{Flags, Invocation},
        hosts::tcp_port,
    },
    facts::client::DockerHost,
    findings::client::Served,
    settings::subject_names::SubjectName,
};

/// What docker:dind images, and ours, have in `DOCKER_TLS_CERTDIR`.
const DEFAULT_CERTIFICATES: &str = "/certs";
const CERTIFICATES: &str = "DOCKER_TLS_CERTDIR";

/// Where the socket is that no other container sees.
const OWN_SOCKETS: &[&str] = &["/var/run/docker.sock", "/run/docker.sock"];

/// How the containers of one pod call each other.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// `None` where it cannot be told: a command or entrypoint of the user's own, TLS by flags, or
/// variables that are not in the file.
pub fn served(service: &Service, job: &Variables, surroundings: Surroundings) -> Option<Served> {
    if service.has_entrypoint {
        return None;
    }
    let flags = flags(service)?;
    // `--tls=false` and its like.
    let is_about_tls = |flag: &OsString| flag.to_string_lossy().starts_with("--tls");
    if flags.others.iter().any(is_about_tls) {
        return None;
    }
    let directory = match service.variables.expanded(CERTIFICATES) {
        // A reference alone may turn out to be empty.
        Known::Set(directory) if is_reference(&directory.text) => return None,
        Known::Set(directory) => directory.text,
        Known::Unset => DEFAULT_CERTIFICATES.to_owned(),
        Known::Unknown => return None,
    };
    let tls = !directory.is_empty();
    let unix = match job.literal("DOCKER_HOST").as_deref().map(DockerHost::parse) {
        Some(DockerHost::Unix(path)) => path,
        _ => OWN_SOCKETS[0].into(),
    };
    let mut names = service.names();
    if surroundings.in_kubernetes == Some(true) {
        names.extend(LOOPBACK.map(str::to_owned));
    }
    let hosts = names.iter().filter_map(|name| SubjectName::from_host(name));
    Some(Served {
        tls,
        port: if tls { 2376 } else { 2375 },
        further_ports: flags
            .hosts
            .iter()
            .filter_map(|host| tcp_port(host))
            .collect(),
        names: hosts.collect(),
        client_certificates: tls
            .then(|| format!("{}/client", directory.trim_end_matches('/')).into()),
        unix_is_shared: surroundings.has_node_socket
            || !OWN_SOCKETS.iter().any(|own| unix.as_os_str() == *own),
        unix,
    })
}

/// The service's environment, with what its image has.
pub fn variable(service: &Service, name: &str) -> Option<String> {
    match service.variables.get(name) {
        Known::Unset if name == CERTIFICATES => Some(DEFAULT_CERTIFICATES.to_owned()),
        _ => service.variables.literal(name),
    }
}

/// `None` if dockerd is not started with ours and these.
fn flags(service: &Service) -> Option<Flags> {
    let words = match &service.command {
        Some(command) => command.words.clone()?,
        None => Vec::new(),
    };
    let Invocation::Defaults(mut words) = Invocation::parse(os_strings(words)) else {
        return None;
    };
    match service.variables.expanded("DIND_DOCKERD_ARGS") {
        Known::Set(more) => words.extend(os_strings(shell_words::split(&more.text).ok()?)),
        // Few set it, and fewer for another port.
        Known::Unset | Known::Unknown => {}
    }
    Some(Flags::parse(&words))
}

fn is_reference(text: &str) -> bool {
    text.starts_with('$') && !text.contains('/')
}

fn os_strings(words: Vec<String>) -> Vec<OsString> {
    words.into_iter().map(OsString::from).collect()
}
