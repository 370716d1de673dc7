//! The rooms of dind-init, the init of a docker-in-docker service.
//!
//! A library only so that the tests and benchmarks reach the parts; its interface is not stable.
//! `main.rs` is the table of contents, `service/mod.rs` the service's life in order.

pub mod adjustments;
pub mod atomic_file;
pub mod background;
pub mod cli;
pub mod commands;
pub mod dockerd;
pub mod error_daemon;
pub mod explain;
pub mod facts;
pub mod findings;
pub mod job_log;
pub mod lint;
pub mod log;
pub mod memory;
pub mod opening;
pub mod pki;
pub mod plan;
pub mod preflight;
pub mod reasons;
pub mod registry;
pub mod report;
pub mod service;
pub mod settings;
pub mod setup;
pub mod signals;
pub mod sockets;
pub mod status;
pub mod supervise;
pub mod trials;
