//! A program in dockerd's place that says when it was started.

use std::io::{self, Write};

use nix::unistd::pause;

use crate::clock;

/// Says the time and waits to be ended. dind-init hands its standard output down.
pub fn dockerd() {
    let started = clock::now();
    writeln!(io::stdout(), "{}", clock::write(started)).expect("the agent reads this");
    pause();
}
