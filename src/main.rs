//! The init of a docker-in-docker service.

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
};

use dind_init::{
    commands::{
        self,
        cli::{self, Cli, Command},
    },
    dockerd::launch,
    trials::namespaced,
};

fn main() -> ExitCode {
    let command = match Cli::parse_line(env::args_os()) {
        Ok(cli) => cli.command,
        Err(error) => {
            let status = if error.use_stderr() { cli::USAGE } else { 0 };
            // A closed stderr is no reason to fail otherwise.
            let _ = error.print();
            return ExitCode::from(status);
        }
    };
    ExitCode::from(match command {
        None => commands::run::run(Vec::new()),
        Some(Command::Run { arguments }) => commands::run::run(arguments),
        Some(Command::Check { arguments, output }) => commands::check::check(arguments, output),
        Some(Command::Certs) => commands::certs::certs(),
        Some(Command::Lint(arguments)) => commands::lint::lint(&arguments),
        Some(Command::Explain { id }) => commands::explain::explain(&id),
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
    })
}

fn print(text: &[u8]) -> u8 {
    u8::from(io::stdout().write_all(text).is_err())
}
