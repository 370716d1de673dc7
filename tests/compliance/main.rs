//! Drop-in, proved: what the official docker:dind image does, asked of any image.
//!
//! Black box: nothing here knows dind-init. `DIND_UNDER_TEST` names the image; without it, it is
//! this checkout's own on each suite's Docker. A case says in its comment what official does, and
//! how that is known: "entrypoint" is docker-library/docker@3289af88 (Docker 29.7.2), "hack/dind"
//! and "moby" are moby/moby at docker-v29.7.2, and a number is an issue.
//!
//! The cases in a module named `differs` are another kind: there official is wrong, and what is
//! asserted is our own behaviour, on purpose. docs/undocumented-official-behaviour.md lists each of
//! them and says why. An image with the official entrypoint is to pass all others:
//!
//! ```sh
//! DIND_UNDER_TEST=docker:dind cargo nextest run -E 'binary(compliance) - test(/differs::|beyond|control/)'
//! ```
//!
//! What dind-init does beyond official, by default and with a switch, is neither: its cases belong
//! into a module named `beyond` of their chapter, or a chapter of that name.
//!
//! Most cases need no dockerd: a stand-in takes its place, and tells how it was started.
#![allow(clippy::unwrap_used)]

mod arguments;
mod beyond;
mod certificates;
mod client;
mod control;
mod daemon_json;
mod image;
mod iptables;
mod leftovers;
mod mounts;
mod page;
#[path = "../pods/mod.rs"]
mod pods;
mod process;
mod rootless;
mod sockets;
mod stand_in;
mod start;
mod subject;
mod variables;
mod versions;

use pods::{busybox, openssl, pod, podman, suite, transcript, volume};
