//! What dockerd expects of the machine, and a container does not have by itself: the work of
//! moby's `hack/dind` and of the official entrypoint.
//!
//! Nothing here loops without bound. What could not be done is a finding; it is fatal only where
//! dockerd cannot live without it.

pub mod cgroup;
pub mod cgroup_namespace;
pub mod iptables;
pub mod mounts;
pub mod pid_files;
