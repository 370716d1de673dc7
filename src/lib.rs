//! The rooms of dind-init, the init of a docker-in-docker service.
//!
//! A room uses what stands above it in this list, and nothing below it; `rooms.rs` holds that.
//!
//! - `system`: Linux as this program needs it: signals, waiting, locks, files that are whole
//! - `reasons`: the catalogue of all that can be wrong, and what is said about it
//! - `settings`: the environment, parsed
//! - `facts`: what is there: mounts, privileges, networks, certificates
//! - `dockerd`: how it is called, started and read
//! - `setup`: what dockerd needs of the container
//! - `trials`: what can only be known by trying it, in a namespace of its own
//! - `findings`: facts and trials, judged
//! - `sockets`: the daemon's port and path, opened before it is there
//! - `plan`: what will be run, and where it listens
//! - `adjustments`: what dockerd is told because of what was found
//! - `pki`: certificates: what is there, what is wanted, what is made, and how it is published
//! - `registry`: the CAs of registries
//! - `job_directory`: what a service leaves for its own job, and takes away of others
//! - `report`: the ways of a finding to those who should know
//! - `error_daemon`: the answers to a client while there is no dockerd
//! - `assessment`: all that can be known before dockerd is started
//! - `lint`: the same mistakes, found in files
//! - `service`: a service's life, in order
//! - `commands`: the command line
//!
//! A library only so that the tests and benchmarks reach the parts; its interface is not stable.

pub mod adjustments;
pub mod assessment;
pub mod commands;
pub mod dockerd;
pub mod error_daemon;
pub mod facts;
pub mod findings;
pub mod job_directory;
pub mod lint;
pub mod pki;
pub mod plan;
pub mod reasons;
pub mod registry;
pub mod report;
pub mod service;
pub mod settings;
pub mod setup;
pub mod sockets;
pub mod system;
pub mod trials;

#[cfg(test)]
mod rooms;
