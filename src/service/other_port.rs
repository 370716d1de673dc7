//! The port of the other transport, which nothing serves: 2375 with TLS, 2376 without; and the one
//! that the job dials where the user's own `hosts` leave it out.
//!
//! Jobs dial it when their `DOCKER_HOST` is wrong, or when the docker image's entrypoint chose it
//! because there were no certificates yet. A refused connection tells nobody why; an answer does.
//!
//! The port is not ours, though: a second dind in the pod may serve it, and an inner container may
//! publish it, so it is given up as soon as it is wanted.

use std::{os::fd::AsFd, thread};

use crate::{
    dockerd::hosts::{PLAIN_PORT, TLS_PORT},
    error_daemon::{self, ErrorDaemon},
    plan::Plan,
    reasons::{Finding, client},
    sockets::{TcpSocket, yielding::Signs},
};

/// That somebody answers there, until the port is wanted.
#[derive(Debug)]
pub struct OtherPort(());

impl OtherPort {
    /// Answers on the other port, if this job may dial it: its `DOCKER_HOST` names it, which is
    /// among `findings`, or is not set.
    ///
    /// `None` where it may not, where the user wants the port, or where it is taken.
    pub fn explain(plan: &Plan, docker_host: &str, findings: &[Finding]) -> Option<Self> {
        let found = findings.iter().find(|f| f.reason.id == client::PORT.id);
        let (other, finding) = match (&plan.own_hosts, &plan.sockets) {
            (Some(_), _) => (plan.port_to_explain_on(docker_host)?, found?.clone()),
            (None, Some(sockets)) => {
                let tls = plan.certificates.is_some();
                let other = if tls { PLAIN_PORT } else { TLS_PORT };
                let finding = match found {
                    Some(finding) => finding.clone(),
                    None if docker_host.is_empty() => unset(tls, sockets.port, other),
                    None => return None,
                };
                (other, finding)
            }
            (None, None) => return None,
        };
        if plan.further_ports.contains(&other) {
            return None;
        }
        let signs = Signs::watch(other).ok()?;
        let socket = TcpSocket::bind(other).ok()?;
        socket.open().ok()?;
        let daemon = ErrorDaemon::start(
            &[socket.as_fd()],
            error_daemon::tls(None, &finding),
            &format!("dind-init: {finding}"),
        )
        .ok()?;
        thread::Builder::new()
            .name("other port".into())
            .spawn(move || {
                let asked = signs.wait();
                drop(daemon);
                drop(socket);
                // Closed only now: that says that the port is free.
                drop(asked);
            })
            .ok()?;
        Some(Self(()))
    }
}

fn unset(tls: bool, served: u16, other: u16) -> Finding {
    let advice = match tls {
        true => client::PORT_OF_TLS_ALONE,
        false => client::PORT_WITHOUT_TLS,
    };
    let cause = format!(
        "DOCKER_HOST is not set in the job, so the docker image's entrypoint chose port {other}; \
         this daemon serves port {served}."
    );
    client::PORT.advised(cause, advice, [])
}
