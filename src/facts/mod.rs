//! Plain data about this container, read once; nothing here judges or changes anything.

pub mod certificates;
pub mod client;
pub mod identity;
pub mod memory;
pub mod mounts;
pub mod ports;
