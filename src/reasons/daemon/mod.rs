//! Reasons about dockerd itself: how it is started, and what becomes of it.

pub mod life;
mod settings;
pub mod start;

pub use self::{life::*, settings::*, start::*};
