//! Reasons about ports, sockets and the network.
