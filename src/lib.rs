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
//! A library only so that tests, benchmarks and fuzz targets reach the parts, by [`testing`]: what is in
//! no other way reachable is known to the compiler to be dead.

mod adjustments;
mod assessment;
mod commands;
mod dockerd;
mod error_daemon;
mod facts;
mod findings;
mod job_directory;
mod lint;
mod pki;
mod plan;
mod reasons;
mod registry;
mod report;
mod service;
mod settings;
mod setup;
mod sockets;
mod system;
mod trials;

#[cfg(test)]
mod pictures;
#[cfg(test)]
mod rooms;

use std::process::ExitCode;

/// Runs the command line, and returns its exit status.
pub fn main() -> ExitCode {
    commands::main()
}

/// What tests, benchmarks and fuzz targets use. Not an interface: it changes as they do.
#[doc(hidden)]
pub mod testing {
    pub mod assessment {
        pub mod certificates {
            pub use crate::assessment::certificates::{names, wanted};
        }
    }
    pub mod dockerd {
        pub mod ended {
            pub use crate::dockerd::ended::Ended;
        }
        pub mod log {
            pub use crate::dockerd::log::{End, Recogniser};
        }
    }
    pub mod error_daemon {
        pub use crate::error_daemon::{ErrorDaemon, tls};
    }
    pub mod facts {
        pub mod certificates {
            pub use crate::facts::certificates::{Access, CertificateDirectory};
        }
        pub mod control_groups {
            pub use crate::facts::control_groups::{ControlGroups, ROOT};
        }
        pub mod mounts {
            pub use crate::facts::mounts::Mounts;
        }
    }
    pub mod lint {
        pub use crate::lint::lint;
        pub mod output {
            pub use crate::lint::output::{Format, Options, render};
        }
        pub mod problem {
            pub use crate::lint::problem::Judgement;
        }
        pub mod repair {
            pub use crate::lint::repair::repair;
        }
        pub mod secrets {
            pub use crate::lint::secrets::shown_line;
        }
        pub mod source {
            pub use crate::lint::source::{Files, Place, Source};
        }
        pub mod yaml {
            pub use crate::lint::yaml::{MAXIMAL_DEPTH, Node, Scalar, Style, Value, parse};
        }
    }
    pub mod pki {
        pub use crate::pki::{
            Certificates, ClientAction, ClientKeyInTheMaking, Decision, Job, ServerAction, Wanted,
            decide, prepare,
        };
        pub mod inspect {
            pub use crate::pki::inspect::{Certificate, public_key_of};
        }
        pub mod issue {
            pub use crate::pki::issue::{Authority, Validity};
        }
    }
    pub mod reasons {
        pub use crate::reasons::{Finding, Severity};
        pub mod advice {
            pub use crate::reasons::advice::Executor;
        }
        pub mod hole {
            pub use crate::reasons::hole::Surroundings;
        }
        pub mod daemon {
            pub use crate::reasons::daemon::UNKNOWN;
        }
    }
    pub mod registry {
        pub use crate::registry::look;
        pub mod install {
            pub use crate::registry::install::{registries, to_pem};
        }
        pub mod sources {
            pub use crate::registry::sources::{Role, Scope, Source};
        }
        pub mod trust {
            pub use crate::registry::trust::Trust;
        }
    }
    pub mod settings {
        pub use crate::settings::{CertificateSettings, ClientKey, Settings};
        pub mod registry {
            pub use crate::settings::registry::RegistrySettings;
        }
        pub mod registry_host {
            pub use crate::settings::registry_host::RegistryHost;
        }
        pub mod subject_names {
            pub use crate::settings::subject_names::SubjectName;
        }
    }
}
