//! Certificates: issue, inspect, verify, publish.
