//! A `DOCKER_HOST` that is a unix socket.

use super::{Served, USUAL_HOST, leading_here};
use crate::{
    facts::client::ClientVariables,
    reasons::{Finding, client},
};

pub(super) fn finding(job: &ClientVariables, served: &Served) -> Option<Finding> {
    unshared(job, served).or_else(|| by_tls(job, served))
}

fn unshared(job: &ClientVariables, served: &Served) -> Option<Finding> {
    let path = served.unix.display();
    (job.in_gitlab && !served.unix_is_shared).then(|| {
        let cause =
            format!("DOCKER_HOST is unix://{path}, a socket on this container's own file system.");
        let advice = match served.tls {
            true => client::SOCKET_WITH_TLS,
            false => client::SOCKET_WITHOUT_TLS,
        };
        client::HOST.advised(cause, advice, leading_here(USUAL_HOST.into(), served))
    })
}

/// The docker command would speak TLS on it, and dockerd does not.
fn by_tls(job: &ClientVariables, served: &Served) -> Option<Finding> {
    let value = job.tls_verify.as_ref()?;
    Some(client::TLS_VERIFY.met(format!(
        "DOCKER_TLS_VERIFY is {value:?}, and any value turns TLS on in clients; DOCKER_HOST is \
         unix://{}, where dockerd speaks without TLS.",
        served.unix.display()
    )))
}
