//! Reasons about ports, sockets and the network.

pub mod connectivity;
pub mod containers;
pub mod listening;
pub mod packet_filter;

pub use self::{connectivity::*, listening::*, packet_filter::*};
