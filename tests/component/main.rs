//! The CI/CD component: its template, its scripts under every shell, and jobs that include it.
//!
//! What is run by `gitlab-ci-local`, an interpreter of `.gitlab-ci.yml`, and by pods laid out like
//! the runner's, tests the image, so `make image` comes first.
#![allow(clippy::unwrap_used)]

mod inputs;
mod jobs;
mod lint;
mod planted;
#[path = "../pods/mod.rs"]
mod pods;
mod project;
mod rules;
mod runner;
mod shells;
mod silence;
mod template;
mod wait;
