//! Scenarios in real pods: a real dockerd in a service container, real clients in a job container.
//!
//! They test the image, so `make image` comes first. Each pod looks like the one that GitLab's
//! Kubernetes executor makes: one network for all, volumes that are shared by path, the service
//! under the name `docker`, and the job's variables in the service as well.
#![allow(clippy::unwrap_used)]

mod certificates;
mod clients;
mod control_groups;
mod docker_work;
mod faults;
mod first_light;
mod lifecycle;
mod linted;
mod mirrors;
mod networks;
mod patience;
#[path = "../pods/mod.rs"]
mod pods;
mod registries;
mod reports;
mod sockets;
mod two_daemons;

use pods::{busybox, gitlab, openssl, pod, suite, transcript, volume};
