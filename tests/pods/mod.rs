//! The language of the tests in real pods: pods with a dind service, jobs that run in them, and
//! what is expected of both.
//!
//! The scenarios, the compliance suite, the demo and the benchmark each speak a part of it.
#![allow(dead_code)]

pub mod busybox;
pub mod files;
pub mod gitlab;
pub mod openssl;
pub mod pod;
pub mod podman;
pub mod registry;
pub mod suite;
pub mod transcript;
pub mod volume;
