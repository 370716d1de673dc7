//! What a service's command, or a variable in its place, tells dockerd.

use std::ffi::OsString;

use super::one_job::{Daemon, OneJob};
use crate::{
    dockerd::options::flags,
    lint::problem::Problem,
    reasons::{daemon, storage},
};

/// A feature flag of the runner.
pub const HONOR_ENTRYPOINT: &str = "FF_KUBERNETES_HONOR_ENTRYPOINT";

/// Drivers that copy every layer.
const SLOW_DRIVERS: &[&str] = &["vfs", "native"];

pub fn problems(scene: &OneJob<'_>) -> Vec<Problem> {
    let daemons = scene.daemons.iter();
    daemons
        .filter(|daemon| !daemon.service.is_the_runners)
        .flat_map(|daemon| [dropped(scene, daemon), slow_driver(scene, daemon)])
        .flatten()
        .collect()
}

/// With that flag a service gets neither its entrypoint nor its command (gitlab-runner
/// `getCommandAndArgs`).
fn dropped(scene: &OneJob<'_>, daemon: &Daemon<'_>) -> Option<Problem> {
    let command = daemon.service.command.as_ref()?;
    let words = command.words.as_ref()?;
    let flag = scene.job.variables.literal(HONOR_ENTRYPOINT)?;
    if !is_on(&flag) || words.is_empty() {
        return None;
    }
    let is_flags = words.iter().all(|word| word.starts_with('-'));
    let finding = daemon::COMMAND_DROPPED.found(
        format!(
            "{HONOR_ENTRYPOINT} is on, and with it the Kubernetes executor passes no command to \
             services."
        ),
        match is_flags {
            true => format!(
                "in .gitlab-ci.yml, with dind-init in the service's image:\n    variables:\n      \
                 DIND_DOCKERD_ARGS: {:?}\nor turn {HONOR_ENTRYPOINT} off",
                joined(words)
            ),
            false => format!("in .gitlab-ci.yml, turn {HONOR_ENTRYPOINT} off for this job"),
        },
    );
    let problem = scene.problem(finding, &command.place, "not passed on");
    Some(match scene.job.variables.written(HONOR_ENTRYPOINT) {
        Some((_, flag)) => problem.with_related(flag.clone(), "because of this"),
        // In the runner's configuration.
        None => problem,
    })
}

/// As the runner reads feature flags (Go's `strconv.ParseBool`).
pub fn is_on(value: &str) -> bool {
    ["1", "t", "T", "true", "TRUE", "True"].contains(&value)
}

/// As a shell splits them; quotes only where they are needed.
fn joined(words: &[String]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@+".contains(c);
    let quoted = words.iter().map(|word| match word.chars().all(is_plain) {
        true => word.into(),
        false => shell_words::quote(word),
    });
    quoted.collect::<Vec<_>>().join(" ")
}

fn slow_driver(scene: &OneJob<'_>, daemon: &Daemon<'_>) -> Option<Problem> {
    let service = daemon.service;
    let met = |driver: &str, how: &str| {
        storage::SLOW_DRIVER.found(
            format!("{how} has dockerd use {driver}."),
            format!(
                "in .gitlab-ci.yml, take {driver} out: dockerd finds out itself what works. Overlay \
                 mounts work where /var/lib/docker is a volume."
            ),
        )
    };
    // The variable overrides the flag (moby#46254).
    if let Some((variable, place)) = service.variables.written("DOCKER_DRIVER") {
        let is_slow = SLOW_DRIVERS.contains(&variable.value.as_str());
        let finding = met(&variable.value, "DOCKER_DRIVER");
        return is_slow.then(|| scene.problem(finding, place, ""));
    }
    let command = service.command.as_ref()?;
    let words: Vec<OsString> = command.words.iter().flatten().map(OsString::from).collect();
    let driver = flags(&words, "storage-driver", Some('s')).pop()?;
    let is_slow = SLOW_DRIVERS.contains(&driver.as_str());
    is_slow.then(|| scene.problem(met(&driver, "The service's command"), &command.place, ""))
}
