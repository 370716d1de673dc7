//! `dind-init run`: which of the official entrypoint's forms is meant.

use std::{ffi::OsString, io, os::unix::process::CommandExt, path::Path, process::Command};

use nix::unistd::Uid;

use crate::{
    dockerd::{client, flags::Invocation, launch},
    report::log,
    service,
    settings::{
        InvalidVariable, LogFormat, Settings, non_empty, process_environment, variables::INIT,
    },
};

/// The value of `DIND_INIT` that asks for the entrypoint that was there before.
const OFFICIAL: &str = "official";

/// Where the image keeps the entrypoint that was there before.
const OFFICIAL_ENTRYPOINT: &str = "/usr/local/bin/dockerd-entrypoint.official.sh";

/// Runs the service, or the command that was given instead, and returns the exit status.
pub fn run(arguments: Vec<OsString>) -> u8 {
    let wanted = non_empty(&process_environment, INIT.name);
    if wanted.as_deref() == Some(OFFICIAL) {
        let mut official = Command::new(OFFICIAL_ENTRYPOINT);
        return failed_exec(OFFICIAL_ENTRYPOINT, &official.args(arguments).exec());
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
    let (settings, mut invalid) = Settings::parse_all(&process_environment);
    invalid.extend(unknown_way_back());
    log::start(settings.log);
    service::run(&invocation, &settings, &invalid, uid)
}

/// `DIND_INIT`, where it is set to something else than the only way back.
pub fn unknown_way_back() -> Option<InvalidVariable> {
    let value = non_empty(&process_environment, INIT.name).filter(|value| value != OFFICIAL)?;
    Some(INIT.refuse(INIT.name, value))
}

fn failed_exec(program: impl AsRef<Path>, error: &io::Error) -> u8 {
    log::start(LogFormat::default());
    tracing::error!(
        "fatal: {} could not be run: {error}",
        program.as_ref().display()
    );
    launch::exit_status_of_failed_exec(error)
}
