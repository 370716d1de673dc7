//! `make bench`: what docs/figures.md says, measured with a real dockerd, and written there.
//!
//! Times on a machine that others use as well say little by themselves, so each is a median, and
//! what is compared is measured in turn, in one run. Nothing is asserted: a missed bound is a line
//! that says so, and only what could not be measured at all ends with an error.
//!
//! This one static binary has four roles. `cargo bench` starts it as the observer, which also is
//! the docker client; mounted into a container it is the agent that starts what is measured, at a
//! word from the observer; under the name `dockerd` it says when it was started; and it makes the
//! certificates of one round.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

mod agent;
mod certificates;
mod client;
mod clock;
mod figures;
mod page;
#[allow(dead_code)] // the pod tests call more of it
#[path = "../../tests/pods/podman.rs"]
mod podman;
mod registries;
mod rounds;
mod service;
mod stand_in;
mod table;

use std::{env, path::Path};

fn main() {
    let mut arguments = env::args();
    let name = arguments.next().unwrap_or_default();
    if Path::new(&name).file_name() == Some("dockerd".as_ref()) {
        return stand_in::dockerd();
    }
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("agent"), _) => agent::serve(),
        (Some("certificates"), Some(directory)) => certificates::make(&directory),
        // `cargo test --benches` runs this too, without cargo bench's own argument.
        (Some("--bench"), _) => observe(),
        _ => eprintln!("this measures only as `cargo bench`"),
    }
}

fn observe() {
    podman::require_image(&service::image());
    let circumstances = figures::circumstances();
    println!("{circumstances}\n\n{}", table::HEAD);
    let mut rows = Vec::new();
    // Each as soon as it is known: the whole takes minutes.
    let mut print = |row: table::Row| {
        println!("{row}");
        rows.push(row);
    };
    figures::size(&mut print);
    registries::install_many(&mut print);
    figures::start(&mut print);
    let turns = figures::tls_answer(&mut print);
    figures::memory(&mut print);
    page::write(&circumstances, &rows, &turns.to_plot());
}
