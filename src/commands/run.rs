//! `dind-init run`: which of the official entrypoint's forms is meant.

use std::{ffi::OsString, io, os::unix::process::CommandExt, path::Path, process::Command};

use nix::unistd::Uid;

use super::{refuse, start};
use crate::{
    dockerd::{client, flags::Invocation, launch},
    log, service,
    settings::{InvalidVariable, non_empty, process_environment},
};

/// Where the image keeps the entrypoint that was there before.
const OFFICIAL_ENTRYPOINT: &str = "/usr/local/bin/dockerd-entrypoint.official.sh";

/// Runs the service, or the command that was given instead, and returns the exit status.
pub fn run(arguments: Vec<OsString>) -> u8 {
    match non_empty(&process_environment, "DIND_INIT").as_deref() {
        None => {}
        Some("official") => {
            let mut official = Command::new(OFFICIAL_ENTRYPOINT);
            return failed_exec(OFFICIAL_ENTRYPOINT, &official.args(arguments).exec());
        }
        Some(other) => {
            log::start(log::Format::default());
            return refuse(&InvalidVariable {
                name: "DIND_INIT",
                value: other.to_owned(),
                accepted: "\"official\", or empty".into(),
            });
        }
    }
    let uid = Uid::effective();
    let invocation = Invocation::parse(arguments);
    if let Invocation::Client(command) = invocation {
        let name = command[0].to_string_lossy().into_owned();
        return failed_exec(
            &name,
            &client::exec(command, &process_environment, uid.as_raw()),
        );
    }
    let settings = match start() {
        Ok(settings) => settings,
        Err(status) => return status,
    };
    service::run(&invocation, &settings, uid)
}

fn failed_exec(program: impl AsRef<Path>, error: &io::Error) -> u8 {
    log::start(log::Format::default());
    tracing::error!(
        "fatal: {} could not be run: {error}",
        program.as_ref().display()
    );
    launch::exit_status_of_failed_exec(error)
}
