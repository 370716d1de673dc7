//! Judging: pure functions from facts, and from what came of trials, to reasons of the catalogue.

pub mod client;
pub mod control_groups;
pub mod flags;
pub mod graph_drivers;
pub mod handshake;
pub mod lost_starts;
pub mod network;
pub mod privileges;
pub mod registry_values;
pub mod storage;
