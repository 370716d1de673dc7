//! Judging: pure functions from facts to reasons of the catalogue.

pub mod client;
