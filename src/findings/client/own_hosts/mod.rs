//! A dockerd that listens where its user says, which need not be where the job dials.

mod cures;

use std::path::Path;

use self::cures::{HOSTS, UNSET_AND_HOSTS, met};
use super::{Served, may_be_ours, unset};
use crate::{
    dockerd::hosts::{OwnHosts, PLAIN_PORT, SaidBy},
    facts::client::{ClientVariables, DockerHost, Entrypoint},
    reasons::{Finding, Severity, advice::Advice, client, network},
    settings::subject_names::SubjectName,
};

/// What keeps the job's clients from a dockerd that listens on its user's own `hosts`. It stops
/// nothing. `names`: those of this container; `socket_is_shared`: the job has dockerd's unix socket
/// as well.
pub fn findings(
    job: &ClientVariables,
    hosts: &OwnHosts,
    names: &[SubjectName],
    socket_is_shared: bool,
) -> Option<Finding> {
    // Such a dockerd does not start, which `unserved` says.
    if hosts.want_systemd() || !job.in_gitlab {
        return None;
    }
    match &job.docker_host {
        Some(DockerHost::Tcp { text, host, .. }) => {
            let port = job.dialled_port()?;
            if !may_be_ours(names, host, port) {
                return None;
            }
            if hosts.serve_late(port) {
                let (why, advice) = late(hosts);
                let cause = format!("DOCKER_HOST is {text}, but {why}");
                return Some(client::LATE.advised(cause, advice, []));
            }
            if hosts.serve(port) {
                return None;
            }
            let cause = format!("DOCKER_HOST is {text}, but {}.", listens(hosts));
            Some(met(&client::PORT, cause, hosts, &HOSTS))
        }
        None => without_host(job, hosts, names, socket_is_shared),
        _ => None,
    }
}

/// What such a dockerd offers to clients; `None` where it opens no port.
pub fn served(hosts: &OwnHosts, names: Vec<SubjectName>, socket_is_shared: bool) -> Option<Served> {
    let ports = hosts.ports();
    let (port, further_ports) = ports.split_first()?;
    Some(Served {
        tls: hosts.speak_tls,
        port: *port,
        further_ports: further_ports.to_vec(),
        names,
        client_certificates: None,
        unix: hosts.unix_socket().unwrap_or(Path::new("")).to_owned(),
        unix_is_shared: socket_is_shared,
    })
}

/// For a job whose `DOCKER_HOST` nobody set: it is lost, or the docker image's entrypoint sets it to
/// `docker`, with port 2376 where the job has certificates, and else 2375 (docker-library/docker
/// `docker-entrypoint.sh`).
fn without_host(
    job: &ClientVariables,
    hosts: &OwnHosts,
    names: &[SubjectName],
    socket_is_shared: bool,
) -> Option<Finding> {
    if let Some(served) = served(hosts, names.to_vec(), socket_is_shared) {
        let unset = unset::finding(job, Some(&served))?;
        if !hosts.serve_late(served.port) {
            return Some(unset);
        }
        let (why, advice) = late(hosts);
        let cause = format!("{}\nBesides, {why}", unset.cause);
        let finding = client::HOST.advised(cause, advice, []);
        return Some(finding.with_severity(unset.severity));
    }
    // With DOCKER_TLS_VERIFY clients dial their own container.
    let finds_the_socket =
        socket_is_shared && hosts.unix_socket() == Some(Path::new(unset::DEFAULT_SOCKET));
    if finds_the_socket || job.tls_verify.is_some() {
        return None;
    }
    if let Entrypoint::Missing(because) = &job.entrypoint {
        let cause = format!(
            "{}\nBesides, {}.",
            unset::cause(job, because),
            listens(hosts)
        );
        let finding = met(&client::HOST, cause, hosts, &UNSET_AND_HOSTS);
        return Some(finding.with_severity(unset::severity(because)));
    }
    let cause = format!(
        "DOCKER_HOST is not set, so the docker image looks for tcp://docker:{PLAIN_PORT}, and other \
         images for a socket in the job's own container; but {}.",
        listens(hosts)
    );
    Some(met(&client::PORT, cause, hosts, &HOSTS).with_severity(Severity::Warning))
}

/// dockerd ends where it waits for systemd's sockets.
pub fn unserved(hosts: &OwnHosts) -> Option<Finding> {
    let by = match hosts.said_by {
        SaidBy::Command(_) => "the service's command",
        SaidBy::File => "`hosts` in daemon.json",
    };
    hosts.want_systemd().then(|| {
        let cause = format!(
            "{by} says fd://, which is a socket that systemd hands over; there is no systemd in \
             this container, so dockerd ends."
        );
        met(&network::SOCKET, cause, hosts, &HOSTS)
    })
}

/// It serves what the job dials, but not when the job does: why, and what to do.
fn late(hosts: &OwnHosts) -> (String, Advice) {
    let (by, advice) = match hosts.said_by {
        SaidBy::Command(_) => (
            "the service's command starts dockerd itself",
            client::LATE_COMMAND,
        ),
        SaidBy::File => (
            "daemon.json says by `hosts` where dockerd listens",
            client::LATE_FILE,
        ),
    };
    let why = format!(
        "{by}, without a word on TLS: dockerd then waits 15 seconds before it opens this port, and \
         docker commands fail until it does."
    );
    (why, advice)
}

fn listens(hosts: &OwnHosts) -> String {
    let listens = match hosts.hosts.as_slice() {
        [] => "nowhere".to_owned(),
        [one] => format!("on {one} alone"),
        several => format!("on {} alone", several.join(", ")),
    };
    match &hosts.said_by {
        SaidBy::Command(argv) => {
            let words = argv.iter().map(|word| word.to_string_lossy());
            format!(
                "the service's command starts dockerd itself ({}), which then listens {listens}, \
                 and no certificates are made",
                shell_words::join(words)
            )
        }
        SaidBy::File => format!("`hosts` in daemon.json has dockerd listen {listens}"),
    }
}

#[cfg(test)]
mod tests;
