//! Tests that change what a process has only once: its signal mask, its limits, its children.

use std::{env, process::Command};

use super::signals::{self, Signals};

/// Set in the process that has one test alone.
const ALONE: &str = "DIND_TEST_ALONE";

/// What runs this program on this machine, where that is another one's: what Cargo has as
/// `CARGO_TARGET_<triple>_RUNNER`, which it does not hand down.
const RUNNER: &str = "DIND_TEST_RUNNER";

/// Whether this process has the test for itself: `cargo test` runs all of them in one. Where it has
/// not, the test (its whole name) has been run in one that does, and has passed.
///
/// There the threads have all signals blocked from the start, as the service's have.
pub fn is_alone(test: &str) -> bool {
    if env::var_os(ALONE).is_some() {
        return true;
    }
    let signals = Signals::block().unwrap();
    let this = env::current_exe().unwrap();
    let mut command = match env::var_os(RUNNER) {
        Some(runner) => {
            let mut command = Command::new(runner);
            command.arg(this);
            command
        }
        None => Command::new(this),
    };
    let done = command
        .args(["--exact", test])
        .env(ALONE, "1")
        .output()
        .unwrap();
    signals::restore(&signals.original).unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
    false
}
