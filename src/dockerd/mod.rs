//! dockerd itself: what it is called with, how it is started, when it is ready.

pub mod client;
pub mod configuration;
pub mod ended;
pub mod flags;
pub mod help;
pub mod hosts;
pub mod insecure_registries;
pub mod launch;
pub mod log;
pub mod options;
pub mod output;
pub mod pools;
pub mod readiness;
pub mod registry_options;
pub mod rootless;
pub mod validation;
