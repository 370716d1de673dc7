//! The programs without which there is no Docker.

use std::path::Path;

use crate::{dockerd::launch, plan::Plan};

/// Where a containerd of the system's own is looked for, before one is started (moby
/// `cmd/dockerd/daemon_unix.go`).
const CONTAINERD_S_SOCKET: &str = "/run/containerd/containerd.sock";

/// One that is not there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MissingProgram {
    Dockerd,
    /// dockerd would have to start it.
    Containerd,
}

impl MissingProgram {
    /// `dockerd`: as `PATH` has it.
    pub fn look(plan: &Plan, dockerd: Option<&Path>) -> Option<Self> {
        let is_there = |name| launch::found_in_path(name);
        match dockerd {
            // What is to be run is no dockerd.
            None if plan.argv.is_empty() => None,
            None => Some(Self::Dockerd),
            Some(_) if is_there("containerd") || Path::new(CONTAINERD_S_SOCKET).exists() => None,
            Some(_) => Some(Self::Containerd),
        }
    }
}
