//! A release, from official images to tags, signatures and archives: the scripts in `release/`
//! against a registry in a pod, with BuildKit's own attestations. `make image` comes first.
//!
//! Stand-ins: the official images (no registry of theirs is needed here), BuildKit's scanner, the
//! suites, and GitLab's API. Everything else is what a pipeline's jobs run.
#![allow(clippy::unwrap_used)]

mod archives;
mod candidates;
#[path = "../pods/mod.rs"]
mod pods;
mod promotion;
mod rebuild;
mod site;
mod snapshot;
mod testing;

use pods::{pod, podman, suite, transcript, volume};
