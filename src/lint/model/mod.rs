//! What the files say, whatever their format: runners, services, variables, images.
//!
//! The readers fill it, and the rules judge it; what is not in the files is unknown rather than absent.

pub mod daemon;
pub mod image;
pub mod runner;
pub mod service;
mod surroundings;
pub mod variables;

pub use self::{
    service::Service,
    surroundings::Surroundings,
    variables::{Known, RunnerVariables, Variable, Variables},
};
