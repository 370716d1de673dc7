//! The command line.

use std::{ffi::OsString, path::Path};

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::{commands, dockerd::launch::SecondStage, trials::namespaced::Trial};

/// The name under which docker:dind images call their entrypoint.
const ENTRYPOINT_NAME: &str = "dockerd-entrypoint.sh";

/// The exit status for arguments and settings that are not accepted (sysexits' EX_USAGE).
pub const USAGE: u8 = 64;

/// The init of a docker-in-docker service: makes the TLS certificates, opens the sockets, runs
/// dockerd and looks after it.
///
/// Installed as dockerd-entrypoint.sh it takes the place of the one in docker:dind images, with
/// the same variables, argument forms, paths, ports and exit statuses.
#[derive(Debug, Parser)]
#[command(name = "dind-init", version = VERSION, max_term_width = 100, after_long_help = AFTER_HELP)]
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
    /// Print what is found here, what is wrong with it and what would be done; change nothing
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
    /// them, and 2 for a file that cannot be read. Tokens and passwords are never shown.
    Lint(commands::lint::Arguments),
    /// Print what the catalogue says about a reason
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

const AFTER_HELP: &str = "\
Environment, as official:
  DOCKER_TLS_CERTDIR      where ca/, server/ and client/ lie; empty for plain TCP
  DOCKER_TLS_SAN          further names of the server: DNS:name,IP:address or bare ones
  DOCKER_HOST             unix://PATH moves the unix socket
  DOCKER_IPTABLES_LEGACY  set to 1 for legacy iptables, to nothing for nftables; unset: found out

Environment, our own:
  DIND_DOCKERD_ARGS       more flags for dockerd, split as a shell splits words
  DIND_MTU                auto (default): that of this container's way out, where it is less than
                          1500 and dockerd was told none; off; or a number of bytes
  DIND_ADDRESS_POOLS      auto (default): Docker's networks are put elsewhere where addresses are
                          used outside that Docker would take; off
  DIND_CGROUP_NAMESPACE   auto (default): where this container sees other containers' control
                          groups, dockerd gets a namespace that begins at its own; off
  DIND_REGISTRY_MIRRORS, DIND_INSECURE_REGISTRIES
                          lists with commas, added to those of flags and daemon.json
  DIND_CLIENT_KEY         ecdsa-p256 (default, made at once) or rsa-2048 (old clients)
  DIND_CERT_DAYS          days that certificates are valid: 1 to 3650 (default 825)
  DIND_ON_FAILURE         explain: stay and answer docker commands with the reason (default in a
                          GitLab job); exit: end with a status that is not 0 (default elsewhere)
  DIND_JOB_LOG            auto (default): write to the job's log on Kubernetes what breaks docker
                          commands; off: never
  DIND_START_TIMEOUT      seconds without a word of dockerd, before it is ready, until that is
                          explained: 1 to 3600 (default 60)
  DIND_IGNORE             ids of findings, with commas, that become warnings
  DIND_REGISTRY_CA_DIR    where CAs of registries are mounted (default /etc/dind/registry-ca): ca.crt
                          for every registry, HOST.crt, HOST_PORT.crt or HOST/ca.crt for one
  DIND_REGISTRY_CA        the same as PEM text, or as a list of paths and HOST=PATH, with commas
  DIND_REGISTRY_PROBE     1: ask CI_REGISTRY for its certificate and say whether it is trusted
  DIND_LOG                text (default) or json
  DIND_INIT               official: run the image's original entrypoint instead

Exit status:
  dockerd's own, 128 + n if signal n ended it, 126 or 127 if it could not be run;
  64 bad arguments or settings, 70 certificates, 71 privileges, 72 ports, sockets and networks,
  73 control groups, 74 storage, 75 registries, 76 dockerd, 77 the job's clients;
  of lint: 0 docker commands will work, 1 they will not, 2 a file cannot be read, 64 bad arguments";

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
