//! A job on Kubernetes whose `DOCKER_HOST` nobody set.
//!
//! With the Docker executor the docker image's entrypoint sets it; on Kubernetes the runner runs no
//! entrypoint, unless it is told to.

use std::path::Path;

use super::{Served, leading_here};
use crate::{
    facts::client::ClientVariables,
    reasons::{Finding, client},
};

/// Where the docker CLI looks without `DOCKER_HOST`. With `DOCKER_TLS_VERIFY` it dials
/// tcp://localhost:2376 instead (docker/cli `opts/hosts.go`), which is this pod.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// The finding, unless something else leads the job's clients here.
pub(super) fn finding(job: &ClientVariables, served: &Served) -> Option<Finding> {
    let is_shared = served.unix_is_shared && served.unix == Path::new(DEFAULT_SOCKET);
    (is_lost(job) && !is_shared).then(|| {
        let advice = match served.tls {
            true => client::UNSET_WITH_TLS,
            false => client::UNSET_WITHOUT_TLS,
        };
        client::HOST.advised(cause(), advice, leading_here(host(served).into(), served))
    })
}

/// Whether the job's clients look for a socket of their own container.
pub fn is_lost(job: &ClientVariables) -> bool {
    job.docker_host.is_none()
        && job.in_gitlab
        && job.in_kubernetes
        && !job.runs_entrypoint
        && job.tls_verify.is_none()
}

pub(super) fn cause() -> String {
    format!(
        "DOCKER_HOST is not among the variables that this service gets. If the job lacks it as well, \
         docker commands look for {DEFAULT_SOCKET} in the job's own container, where no Docker is. \
         (If the job's script or GitLab's settings set it, or the service's `entrypoint` takes it \
         away, ignore this.)"
    )
}

/// All containers of a pod share its network; `docker` is an alias that it may lack.
fn host(served: &Served) -> &'static str {
    let is_alias = |name: &&str| served.names.iter().any(|own| own.to_string() == **name);
    ["docker", "localhost"]
        .into_iter()
        .find(is_alias)
        .unwrap_or("localhost")
}

#[cfg(test)]
mod tests {
    use super::{super::tests::*, *};

    #[test]
    fn on_kubernetes_the_four_variables_are_named() {
        let text = told(&in_kubernetes(job(&[])), &tls());
        for part in [
            "CLIENT-HOST",
            "/var/run/docker.sock in the job's own container",
            "DOCKER_HOST: tcp://docker:2376",
            "DOCKER_TLS_VERIFY: 1",
            "DOCKER_CERT_PATH: /certs/client",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let text = told(&in_kubernetes(job(&[])), &plain());
        assert!(text.ends_with("DOCKER_HOST: tcp://docker:2375"), "{text}");
        let without_alias = Served {
            names: Vec::new(),
            ..plain()
        };
        let text = told(&in_kubernetes(job(&[])), &without_alias);
        assert!(text.contains("tcp://localhost:2375"), "{text}");
    }

    #[test]
    fn what_else_leads_here_is_right() {
        let shared = Served {
            unix_is_shared: true,
            ..tls()
        };
        let entrypoint = ClientVariables {
            runs_entrypoint: true,
            ..in_kubernetes(job(&[]))
        };
        for (job, served) in [
            // The Docker executor runs the image's entrypoint.
            (job(&[]), tls()),
            (entrypoint, tls()),
            (in_kubernetes(job(&[])), shared),
            // The CLI dials localhost:2376.
            (in_kubernetes(job(&TLS[1..])), tls()),
            // Not GitLab: whoever made the pod knows.
            (
                ClientVariables {
                    in_gitlab: false,
                    ..in_kubernetes(job(&[]))
                },
                tls(),
            ),
        ] {
            assert_eq!(ids(&job, &served), "", "{job:?}");
        }
    }
}
