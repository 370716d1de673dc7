//! Reasons about what this container is allowed to do.

pub mod container;
pub mod rootless;

pub use self::{container::*, rootless::*};
