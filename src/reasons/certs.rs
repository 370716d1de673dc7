//! Reasons about the TLS certificate directory.
