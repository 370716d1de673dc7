//! From a commit to a release, as far as no registry is needed: the pipeline that an interpreter of
//! `.gitlab-ci.yml` reads, the tags, the release's description, and `make release`.
//!
//! What needs a registry is in `tests/release/`.
#![allow(clippy::unwrap_used)]

mod changelog;
mod checkout;
mod graph;
mod prepare;
mod preview;
mod settings;
mod source;
mod supply;
mod tags;
