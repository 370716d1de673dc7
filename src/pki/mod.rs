//! Certificates: issue, inspect, verify, publish.

pub mod issue;
pub mod lock;
pub mod publish;
