//! Reasons about ports, sockets and the network.

use std::{io, path::Path};

use super::{Finding, Layer, Reason, Severity};
use crate::facts::ports::PortHolder;

pub static PORT_IN_USE: Reason = Reason {
    id: "NETWORK-PORT-IN-USE",
    layer: Layer::Network,
    severity: Severity::Fatal,
    summary: "the port of the Docker daemon is already in use",
};

pub static SOCKET_BUSY: Reason = Reason {
    id: "NETWORK-SOCKET-BUSY",
    layer: Layer::Network,
    severity: Severity::Fatal,
    summary: "the place of the Docker daemon's unix socket is taken",
};

pub static SOCKET: Reason = Reason {
    id: "NETWORK-SOCKET",
    layer: Layer::Network,
    severity: Severity::Fatal,
    summary: "the Docker daemon's socket could not be opened",
};

pub static SOCKET_GROUP: Reason = Reason {
    id: "NETWORK-SOCKET-GROUP",
    layer: Layer::Network,
    severity: Severity::Fatal,
    summary: "the group of the Docker daemon's unix socket does not exist",
};

/// What lies where the unix socket should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Obstacle {
    Directory,
    Mount,
    LiveSocket,
    OtherFile,
}

pub fn port_in_use(port: u16, holder: Option<&PortHolder>) -> Finding {
    let cause = match holder {
        Some(PortHolder { pid, command }) => {
            format!("{command} (process {pid} of this container) listens on port {port}.")
        }
        None => format!(
            "a process outside this container listens on port {port}: containers of one \
             Kubernetes pod share their ports, so two docker:dind services collide."
        ),
    };
    PORT_IN_USE.found(
        cause,
        "keep one docker:dind under `services:` of the job in .gitlab-ci.yml; a second one\n\
         needs the other port (variables of that service: DOCKER_TLS_CERTDIR: \"\" moves it to 2375).",
    )
}

pub fn socket_busy(path: &Path, obstacle: Obstacle) -> Finding {
    let (cause, fix) = match obstacle {
        Obstacle::Directory => (
            format!(
                "{} is a directory; Docker makes one when it is told to mount a socket that \
                 does not exist.",
                path.display()
            ),
            "remove the volume that is mounted there from the runner's config.toml.",
        ),
        Obstacle::Mount => (
            format!("a volume is mounted on {}.", path.display()),
            "remove \"/var/run/docker.sock:/var/run/docker.sock\" from `volumes` in the runner's\n\
             config.toml: a job uses either the node's Docker or its own, not both.",
        ),
        Obstacle::LiveSocket => (
            format!("another Docker daemon answers on {}.", path.display()),
            "give each docker:dind service a socket of its own:\n\
             DOCKER_HOST: unix:///runner/services/<name>/docker.sock",
        ),
        Obstacle::OtherFile => (
            format!("{} is a file, not a socket.", path.display()),
            "remove it, or name another place: DOCKER_HOST: unix:///<directory>/docker.sock",
        ),
    };
    SOCKET_BUSY.found(cause, fix)
}

/// An I/O error while a socket was made; `place` is its path or port.
pub fn socket_failed(place: &str, error: &io::Error) -> Finding {
    SOCKET.found(format!("{place}: {error}."), "")
}

pub fn no_such_group(group: &str) -> Finding {
    SOCKET_GROUP.found(
        format!("the group {group:?} is neither a number nor in /etc/group."),
        "name an existing group with --group, or its number.",
    )
}
