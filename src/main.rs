//! The init of a docker-in-docker service.

use std::process::ExitCode;

fn main() -> ExitCode {
    dind_init::main()
}
