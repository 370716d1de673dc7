//! What to change where a dockerd listens elsewhere than the job dials.

use std::ffi::OsString;

use crate::{
    dockerd::{
        flags::Flags,
        hosts::{OwnHosts, SaidBy},
    },
    reasons::{Finding, Reason, advice::Advice, client, hole::Hole},
};

/// What to change, by who says where dockerd listens.
pub struct Cures {
    of_a_file: Advice,
    of_a_command: Advice,
    /// The same where flags are left that have nothing to do with it.
    of_a_command_with_flags: Advice,
}

pub const HOSTS: Cures = Cures {
    of_a_file: client::HOSTS_OF_A_FILE,
    of_a_command: client::HOSTS_OF_A_COMMAND,
    of_a_command_with_flags: client::HOSTS_OF_A_COMMAND_WITH_FLAGS,
};

/// For a job that lacks `DOCKER_HOST` besides.
pub const UNSET_AND_HOSTS: Cures = Cures {
    of_a_file: client::UNSET_AND_HOSTS_OF_A_FILE,
    of_a_command: client::UNSET_AND_HOSTS_OF_A_COMMAND,
    of_a_command_with_flags: client::UNSET_AND_HOSTS_OF_A_COMMAND_WITH_FLAGS,
};

/// `reason`, with what to change: the file or the command that says so.
pub fn met(reason: &'static Reason, cause: String, hosts: &OwnHosts, cures: &Cures) -> Finding {
    match (&hosts.said_by, corrected(hosts)) {
        (SaidBy::File, _) => reason.advised(cause, cures.of_a_file, []),
        (SaidBy::Command(_), None) => reason.advised(cause, cures.of_a_command, []),
        (SaidBy::Command(_), Some(corrected)) => reason.advised(
            cause,
            cures.of_a_command_with_flags,
            [(Hole::Corrected, corrected)],
        ),
    }
}

/// The command without what it says of where dockerd listens, if anything is left.
fn corrected(hosts: &OwnHosts) -> Option<String> {
    let SaidBy::Command(argv) = &hosts.said_by else {
        return None;
    };
    let rest = without_hosts(argv);
    let list = serde_json::to_string(&rest).unwrap_or_default();
    (!rest.is_empty()).then(|| format!("command: {list}"))
}

/// The command's flags but for where it listens, and whether with TLS.
fn without_hosts(argv: &[OsString]) -> Vec<String> {
    let flags = Flags::parse(argv);
    let words = flags.others.iter().skip(1);
    let words = words.map(|word| word.to_string_lossy().into_owned());
    words.filter(|word| !word.starts_with("--tls")).collect()
}
