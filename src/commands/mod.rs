//! What `dind-init` does for each of its commands.

pub mod certs;
pub mod check;
pub mod cli;
pub mod explain;
pub mod lint;
#[cfg(test)]
mod page;
pub mod run;

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
};

use self::cli::{Cli, Command, USAGE};
use crate::{
    dockerd::launch,
    report::log,
    settings::{InvalidVariable, LogFormat, Settings, process_environment},
    system::stderr,
    trials::namespaced,
};

/// Does what the command line says, and returns the exit status.
pub fn main() -> ExitCode {
    let command = match Cli::parse_line(env::args_os()) {
        Ok(cli) => cli.command,
        Err(error) => {
            let status = if error.use_stderr() { USAGE } else { 0 };
            // A closed stderr is no reason to fail otherwise.
            let _ = error.print();
            return ExitCode::from(status);
        }
    };
    let status = match command {
        None => run::run(Vec::new()),
        Some(Command::Run { arguments }) => run::run(arguments),
        Some(Command::Check { arguments, output }) => check::check(arguments, output),
        Some(Command::Certs) => certs::certs(),
        Some(Command::Lint(arguments)) => lint::lint(&arguments),
        Some(Command::Explain { id }) => explain::explain(&id),
        Some(Command::Completions { shell }) => print(&cli::completions(shell)),
        Some(Command::Trial { trial }) => match trial.run() {
            Ok(()) => 0,
            Err(refusal) => {
                print(refusal.to_string().as_bytes());
                namespaced::REFUSED
            }
        },
        Some(Command::ExecDockerd(stage)) => {
            let error = stage.exec();
            let _ = writeln!(io::stderr(), "dind-init: dockerd could not be run: {error}");
            launch::exit_status_of_failed_exec(&error)
        }
    };
    stderr::settle();
    ExitCode::from(status)
}

fn print(text: &[u8]) -> u8 {
    u8::from(io::stdout().write_all(text).is_err())
}

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
