//! The documents, held to what they say: every block that can be pasted parses, every link leads
//! somewhere, and every example is run in a real pod, or is on the list of those that cannot be.
//!
//! The pods test the image, so `make image` comes first (SUITE=sid as well).
#![allow(clippy::unwrap_used)]

#[path = "../pipeline/checkout.rs"]
#[allow(dead_code)] // the pipeline's own tests change it
mod checkout;
mod component;
#[allow(dead_code)] // the component's own tests speak more of it
#[path = "../component/project.rs"]
mod component_project;
mod coverage;
mod dockerfile;
mod execution;
mod inputs;
mod job;
mod kubernetes;
mod links;
mod other_ci;
mod page;
#[path = "../pods/mod.rs"]
mod pods;
mod readme;
mod runner;
mod scenarios;
mod syntax;
#[path = "../component/template.rs"]
mod template;
mod troubleshooting;
