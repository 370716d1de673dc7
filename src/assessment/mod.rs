//! What `check` prints and the service acts on: all that can be known before dockerd is started.

pub mod certificates;
pub mod client;
pub mod preflight;
pub mod registries;
