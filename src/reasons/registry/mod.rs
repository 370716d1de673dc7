//! Reasons on the side of the registries. None of them stops dockerd.

pub mod mounted;
pub mod requests;

pub use self::{mounted::*, requests::*};
