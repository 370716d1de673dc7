//! What dockerd itself says of its flags and of daemon.json, without being started: `dockerd
//! --validate` (Docker 23 and newer).
//!
//! For whoever only wants to know: a dockerd that is started says the same.

use std::{
    ffi::OsString,
    path::PathBuf,
    time::{Duration, Instant},
};

use super::{
    ended::Ended,
    log::{End, Recogniser},
};
use crate::{
    reasons::{Finding, daemon},
    system::{background::Background, child},
};

/// So long a dockerd that hangs is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why dockerd would end as soon as it has read these arguments; `None` also where that is not known.
///
/// `removed`: variables that it does not get.
pub fn ask(
    dockerd: PathBuf,
    arguments: Vec<OsString>,
    removed: &'static [&'static str],
) -> Option<Finding> {
    let asked = Background::start(move || {
        let mut command = child::program(dockerd);
        // Last: a dockerd that does not know it complains of what stands before it first.
        command.args(arguments).arg("--validate");
        removed.iter().for_each(|name| {
            command.env_remove(name);
        });
        let said = command.output().ok()?;
        (!said.status.success()).then(|| String::from_utf8_lossy(&said.stderr).into_owned())
    });
    judge(&asked.wait(Instant::now() + PATIENCE)??)
}

fn judge(said: &str) -> Option<Finding> {
    if said.contains("unknown flag: --validate") {
        return None;
    }
    let mut recogniser = Recogniser::default();
    for line in said.lines() {
        recogniser.read(line);
    }
    let finding = recogniser.explain(End::Ended(Ended::Exited(1)));
    (*finding.reason != daemon::UNKNOWN).then_some(finding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dockerd_refuses_is_a_reason_and_nothing_else_is() {
        for (said, id) in [
            (
                "Status: unknown flag: --mtuu\nSee 'dockerd --help'., Code: 125",
                Some("DAEMON-FLAG"),
            ),
            (
                "unable to configure the Docker daemon with file /etc/docker/daemon.json: the \
                 following directives don't match any configuration option: mtuu",
                Some("DAEMON-CONFIG"),
            ),
            (
                "Status: unknown flag: --validate\nSee 'dockerd --help'., Code: 125",
                None,
            ),
            ("something that nobody knows", None),
        ] {
            assert_eq!(judge(said).map(|finding| finding.reason.id), id, "{said}");
        }
    }

    #[test]
    fn a_dockerd_is_asked_after_its_own_arguments_and_without_the_clients_variables() {
        let script = "test \"$1 $2 $HOME\" = '--mtuu --validate ' && echo \"unknown flag: $1\" >&2
                      exit 1";
        let words = ["-c", script, "dockerd", "--mtuu"].map(OsString::from);
        let ask = |removed| ask("/bin/sh".into(), words.to_vec(), removed);
        assert_eq!(ask(&["HOME"]).unwrap().reason.id, "DAEMON-FLAG");
        assert_eq!(ask(&[]), None, "the control");
    }
}
