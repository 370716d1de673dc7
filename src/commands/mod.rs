//! What `dind-init` does for each of its commands.

pub mod certs;
pub mod check;
pub mod cli;
pub mod explain;
pub mod lint;
pub mod run;

use self::cli::USAGE;
use crate::{
    report::log,
    settings::{InvalidVariable, LogFormat, Settings, process_environment},
};

/// Reads the settings and starts the log; an error is logged and becomes the exit status.
fn start() -> Result<Settings, u8> {
    match Settings::parse(&process_environment) {
        Ok(settings) => {
            log::start(settings.log);
            Ok(settings)
        }
        Err(error) => {
            log::start(LogFormat::default());
            Err(refuse(&error))
        }
    }
}

fn refuse(error: &InvalidVariable) -> u8 {
    tracing::error!("fatal: {error}");
    USAGE
}
