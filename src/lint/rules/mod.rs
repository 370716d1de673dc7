//! What can be wrong: one file a subject.

mod certificates;
mod client;
mod command;
mod edits;
mod host;
pub mod one_job;
pub mod one_runner;
mod options;
mod ports;
pub mod privileges;
mod registry;
#[cfg(test)]
mod samples;
mod services;
mod settings;
mod storage;
pub mod together;
mod unset;
