//! The command line.

use std::{ffi::OsString, path::Path};

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::{
    commands, dockerd::launch::SecondStage, reasons::Layer, settings::variables,
    trials::namespaced::Trial,
};

/// The name under which docker:dind images call their entrypoint.
const ENTRYPOINT_NAME: &str = "dockerd-entrypoint.sh";

/// The exit status for arguments and settings that are not accepted (sysexits' EX_USAGE).
pub const USAGE: u8 = 64;

/// The init of a docker-in-docker service: makes the TLS certificates, opens the sockets, and runs
/// and watches dockerd.
///
/// Installed as dockerd-entrypoint.sh it takes the place of the one in docker:dind images, with
/// the same variables, argument forms, paths, ports and exit statuses.
#[derive(Debug, Parser)]
#[command(name = "dind-init", version = VERSION, max_term_width = COLUMNS, after_long_help = after_help())]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run dockerd as the service's entrypoint does (the default)
    ///
    /// Without arguments or with flags: dockerd with certificates, sockets and these flags last.
    /// With `dockerd …`: this very command line. With anything else: that command, with the
    /// environment of a Docker client.
    Run {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Print what is wrong in this container and what `run` would do, without changing anything
    Check {
        /// Facts and plan as lists of lines, findings with their ids
        #[arg(long, value_enum, default_value_t)]
        output: commands::check::Output,
        /// The service's arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Make the certificates in DOCKER_TLS_CERTDIR and exit
    Certs,
    /// Find mistakes in config.toml, Helm values and .gitlab-ci.yml before they are applied
    ///
    /// The exit status is 0 where docker commands will work, 1 where something is found that breaks
    /// them, and 2 for a file that cannot be read. Tokens and passwords are never shown. For the
    /// rest, see docs/lint.md.
    Lint(commands::lint::Arguments),
    /// Print what a reason means and how to fix it
    Explain {
        /// Such as CERTS-READONLY
        id: String,
    },
    /// Print completions for a shell
    Completions { shell: Shell },
    /// Become dockerd, with the sockets in place (second stage)
    #[command(hide = true)]
    ExecDockerd(SecondStage),
    /// Try something in a namespace of its own, and tell what was refused
    #[command(hide = true)]
    Trial {
        #[command(subcommand)]
        trial: Trial,
    },
}

impl Cli {
    /// Parses a whole command line, the program's own name first.
    pub fn parse_line(mut line: impl Iterator<Item = OsString>) -> Result<Self, clap::Error> {
        let program = line.next().unwrap_or_default();
        if Path::new(&program).file_name() == Some(ENTRYPOINT_NAME.as_ref()) {
            return Ok(Self {
                command: Some(Command::Run {
                    arguments: line.collect(),
                }),
            });
        }
        Self::try_parse_from(std::iter::once(program).chain(line))
    }
}

/// Completions for `shell`.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "dind-init", &mut script);
    script
}

const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("DIND_INIT_COMMIT"),
    ")"
);

/// As wide as the rest of the help at most is.
const COLUMNS: usize = 100;

fn after_help() -> String {
    format!(
        "{OFFICIAL}\n\nVariables of dind-init:\n{}\n{}",
        variables::help(COLUMNS),
        statuses()
    )
}

const OFFICIAL: &str = "\
Variables of the official image:
  DOCKER_TLS_CERTDIR      the directory of ca/, server/ and client/; empty: no TLS
  DOCKER_TLS_SAN          more names for the server's certificate: DNS:name,IP:address or bare ones
  DOCKER_HOST             unix://PATH moves the unix socket
  DOCKER_IPTABLES_LEGACY  1: legacy iptables; empty: nftables; not set: whichever works";

/// One a line, as the layers of the catalogue have them.
fn statuses() -> String {
    let mut layers = Layer::ALL;
    layers.sort_by_key(|layer| layer.exit_status());
    let own = layers.map(|layer| format!("  {} {}\n", layer.exit_status(), layer.title()));
    format!(
        "Exit status:\n  dockerd's own, 128 + n if signal n ended it, 126 or 127 if it could not be \
         run;\n  or what dind-init's reason is about:\n{}  \
         of lint: 0 docker commands will work, 1 they will not, 2 a file cannot be read or written",
        own.concat()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::parse_line(line.split_whitespace().map(OsString::from))
    }

    fn run_arguments(line: &str) -> Vec<OsString> {
        match parse(line).unwrap().command {
            Some(Command::Run { arguments }) => arguments,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn as_the_entrypoint_every_argument_is_the_service_s() {
        for program in [
            "dockerd-entrypoint.sh",
            "/usr/local/bin/dockerd-entrypoint.sh",
        ] {
            for arguments in ["", "--help", "check", "--mtu=1400", "docker info"] {
                let words: Vec<&str> = arguments.split_whitespace().collect();
                assert_eq!(run_arguments(&format!("{program} {arguments}")), words);
            }
        }
    }

    #[test]
    fn under_our_own_name_they_follow_run() {
        assert_eq!(
            run_arguments("dind-init run --mtu 1400 -D"),
            ["--mtu", "1400", "-D"]
        );
        assert!(parse("dind-init").unwrap().command.is_none());
        assert!(parse("dind-init --mtu").is_err());
        assert!(parse("dind-init chekc").is_err());
    }

    #[test]
    fn there_are_completions_for_every_command() {
        let script = String::from_utf8(completions(Shell::Bash)).unwrap();
        assert!(script.contains("certs") && script.contains("check"));
    }
}
