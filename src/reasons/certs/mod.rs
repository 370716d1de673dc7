//! Reasons about the TLS certificates of the daemon and its clients.

pub mod directory;
pub mod set;
pub mod shared;

pub use self::{directory::*, set::*, shared::*};
