//! Where the daemon listens: its port and its unix socket.

use std::{io, path::Path};

#[cfg(test)]
use crate::reasons::Sample;
use crate::reasons::{
    Finding, Ignoring,
    advice::{Advice, job, say},
    certs,
};

catalogue! { Network:

PORT_IN_USE = Fatal "NETWORK-PORT-IN-USE" {
    summary: "the port of the Docker daemon is already in use",
    advice: &[
        say("Keep one dind service: the job's own in .gitlab-ci.yml, or the runner's in config.toml (`services`). All containers of a Kubernetes pod share their ports. If both are wanted, give the second one `variables: { DOCKER_TLS_CERTDIR: \"\" }`, which moves it to port 2375."),
    ],
    in_short: "keep one dind service",
    patterns: &[&["listen tcp", "bind: address already in use"]],
    #[cfg(test)]
    samples: &[Sample {
        text: "failed to load listeners: listen tcp 127.0.0.1:2376: bind: address already in use",
        source: "Docker 26.1.5, run beside another one",
    }],
}

/// The runner's word for it, on Docker, is "probably didn't start properly".
HEALTH_CHECK = Error "NETWORK-HEALTH-CHECK" {
    summary: "the runner waits for a port of the service that does not open",
    advice: &[
        job("Write the port that the service serves on as a number", "variables:\n  HEALTHCHECK_TCP_PORT: \"{port}\""),
    ],
    ignoring: Ignoring::Impossible("`dind-init lint` finds it, before there is a service"),
}

SOCKET_BUSY = Fatal "NETWORK-SOCKET-BUSY" {
    summary: "the place of the Docker daemon's unix socket is taken",
    advice: &[
        say("Take the volume at /var/run/docker.sock out of the runner's config.toml: a job uses either the node's Docker or its own."),
    ],
    in_short: "take the volume at var-run-docker-sock out of config toml",
    patterns: &[&["can't create unix socket"]],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "failed to load listeners: can't create unix socket /var/run/docker.sock: is a directory",
            source: "Docker 26.1.5, run with a directory there",
        },
        Sample {
            text: "failed to load listeners: can't create unix socket /var/run/docker.sock: device or resource busy",
            source: "Docker 20.10.24, run with the node's socket mounted",
        },
    ],
}

SOCKET = Fatal "NETWORK-SOCKET" {
    summary: "the Docker daemon's socket could not be opened",
    advice: &[
        say("Correct the address at `--host` of the service's `command`, or at `hosts` in daemon.json. Without either, dind-init opens the right ones itself."),
    ],
    in_short: "take hosts out of daemon-json and host out of the command",
    patterns: &[&["no sockets found via socket activation"], &["failed to load listeners: "]],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "failed to load listeners: no sockets found via socket activation: make sure the service was started by systemd",
            source: "Docker 26.1.5, run with --host=fd://",
        },
        Sample {
            text: "failed to load listeners: listen tcp 10.9.9.9:2376: bind: cannot assign requested address",
            source: "after moby docker-v29.7.2 daemon/listeners",
        },
    ],
}

SOCKET_GROUP = Fatal "NETWORK-SOCKET-GROUP" {
    summary: "the group of the Docker daemon's unix socket does not exist",
    advice: &[
        say("Take `--group` out of the service's `command` or DIND_DOCKERD_ARGS in .gitlab-ci.yml, or name a group that exists, or a number."),
    ],
    in_short: "name an existing group",
}
}

/// A socket cannot be made in a container whose own file system is read-only.
pub const SOCKET_READ_ONLY: Advice = certs::READONLY_ROOT;

const SOCKET_DIRECTORY: Advice = &[say(
    "Take the volume at /var/run/docker.sock out of the runner's config.toml.",
)];

const SOCKET_LIVE: Advice = &[job(
    "Give each dind service a socket of its own, at the service",
    "variables:\n  DOCKER_HOST: unix:///runner/services/docker/docker.sock",
)];

const SOCKET_FILE: Advice = &[say(
    "Take what is mounted there out of `volumes` in the runner's config.toml, or the file out of \
     the image.",
)];

/// What lies where the unix socket should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Obstacle {
    Directory,
    Mount,
    LiveSocket,
    OtherFile,
}

/// `holder` says which process of this container it is, where that is known.
pub fn port_in_use(port: u16, holder: Option<&str>) -> Finding {
    let cause = match holder {
        Some(holder) => format!("{holder} listens on port {port}."),
        None => format!(
            "a process outside this container listens on port {port}, most likely a second dind \
             service: all containers of a Kubernetes pod share their ports. Docker commands reach \
             that one; this one, dind-init {}, does not start.",
            env!("CARGO_PKG_VERSION")
        ),
    };
    PORT_IN_USE.met(cause)
}

pub fn socket_busy(path: &Path, obstacle: Obstacle) -> Finding {
    let path = path.display();
    let (cause, advice) = match obstacle {
        Obstacle::Directory => (
            format!(
                "{path} is a directory; Docker makes one when it is told to mount a socket that \
                 does not exist."
            ),
            SOCKET_DIRECTORY,
        ),
        Obstacle::Mount => (
            format!("a volume is mounted on {path}."),
            SOCKET_BUSY.advice,
        ),
        Obstacle::LiveSocket => (
            format!("another Docker daemon answers on {path}."),
            SOCKET_LIVE,
        ),
        Obstacle::OtherFile => (format!("{path} is a file, not a socket."), SOCKET_FILE),
    };
    SOCKET_BUSY.advised(cause, advice, [])
}

/// An I/O error while a socket was made; `place` is its path or port.
pub fn socket_failed(place: &str, error: &io::Error) -> Finding {
    let cause = format!("{place}: {error}.");
    match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem => SOCKET.advised(cause, SOCKET_READ_ONLY, []),
        _ => SOCKET.met(cause),
    }
}

pub fn no_such_group(group: &str) -> Finding {
    SOCKET_GROUP.met(format!(
        "the group {group:?} is neither a number nor in /etc/group."
    ))
}
