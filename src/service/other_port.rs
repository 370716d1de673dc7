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

/// Answers on the other port, if this job may dial it: its `DOCKER_HOST` names it, which is among
/// `findings`, or is not set. Nobody answers where the user wants the port, or where it is taken.
pub fn explain(plan: &Plan, docker_host: &str, findings: &[Finding]) {
    if let Some((port, finding)) = dialled(plan, docker_host, findings)
        && !plan.further_ports.contains(&port)
    {
        answer(port, &finding);
    }
}

/// The port, and what is wrong with it.
fn dialled(plan: &Plan, docker_host: &str, findings: &[Finding]) -> Option<(u16, Finding)> {
    let found = findings.iter().find(|f| f.reason.id == client::PORT.id);
    if plan.own_hosts.is_some() {
        return Some((plan.port_to_explain_on(docker_host)?, found?.clone()));
    }
    let served = plan.sockets.as_ref()?.port;
    let tls = plan.certificates.is_some();
    let other = if tls { PLAIN_PORT } else { TLS_PORT };
    let unset = || docker_host.is_empty().then(|| unset(tls, served, other));
    Some((other, found.cloned().or_else(unset)?))
}

/// Until the port is wanted, on threads of its own. `None` where it cannot be had.
fn answer(port: u16, finding: &Finding) -> Option<()> {
    let signs = Signs::watch(port).ok()?;
    let socket = TcpSocket::bind(port).ok()?;
    socket.open().ok()?;
    let daemon = ErrorDaemon::start(
        &[socket.as_fd()],
        error_daemon::tls(None, finding),
        &format!("dind-init: {finding}"),
    )
    .ok()?;
    let give_up = move || {
        let asked = signs.wait();
        drop(daemon);
        drop(socket);
        // Closed only now: that says that the port is free.
        drop(asked);
    };
    let started = thread::Builder::new()
        .name("other port".into())
        .spawn(give_up);
    started.ok().map(drop)
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
