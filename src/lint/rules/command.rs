//! What a service's command, or a variable in its place, tells dockerd.

use std::ffi::OsString;

use crate::{
    dockerd::options::flags,
    facts::client::is_feature_on,
    lint::{
        problem::Problem,
        scene::{Daemon, SaidBy, Scene},
    },
    reasons::{daemon, storage},
};

/// A feature flag of the runner.
pub const HONOR_ENTRYPOINT: &str = "FF_KUBERNETES_HONOR_ENTRYPOINT";

/// Drivers that copy every layer.
const SLOW_DRIVERS: &[&str] = &["vfs", "native"];

/// With that flag a service gets neither its entrypoint nor its command (gitlab-runner
/// `getCommandAndArgs`).
pub fn dropped(scene: &Scene<'_>) -> Vec<Problem> {
    let daemons = scene.daemons();
    daemons
        .filter_map(|(said_by, daemon)| not_passed_on(said_by, daemon))
        .collect()
}

/// A storage driver that copies every layer.
pub fn slow_driver(scene: &Scene<'_>) -> Vec<Problem> {
    let daemons = scene.daemons();
    daemons.filter_map(|(_, daemon)| slow(daemon)).collect()
}

fn not_passed_on(said_by: SaidBy<'_>, daemon: &Daemon<'_>) -> Option<Problem> {
    let service = daemon.service;
    let command = service.command.as_ref()?;
    let words = command.words.as_ref()?;
    let (variables, in_kubernetes) = match said_by {
        SaidBy::Job(job) => (&job.job.variables, job.surroundings.in_kubernetes),
        SaidBy::Runner(runner) => (&runner.runner.variables, Some(runner.is_kubernetes())),
    };
    let flag = variables.literal(HONOR_ENTRYPOINT)?;
    if !is_feature_on(&flag) || words.is_empty() || in_kubernetes == Some(false) {
        return None;
    }
    let is_flags = words.iter().all(|word| word.starts_with('-'));
    let cause = format!(
        "{HONOR_ENTRYPOINT} is on, and with it the Kubernetes executor passes no command to \
         services."
    );
    let fix = match said_by {
        SaidBy::Job(_) if is_flags => format!(
            "in .gitlab-ci.yml, with dind-init in the service's image:\n    variables:\n      \
             DIND_DOCKERD_ARGS: {:?}\nor turn {HONOR_ENTRYPOINT} off",
            joined(words)
        ),
        SaidBy::Job(_) => {
            format!("in .gitlab-ci.yml, turn {HONOR_ENTRYPOINT} off for this job")
        }
        SaidBy::Runner(runner) if is_flags => format!(
            "in {}, with dind-init in the service's image:\n    environment = [{:?}]\nor turn \
             {HONOR_ENTRYPOINT} off",
            runner.source.name(),
            format!("DIND_DOCKERD_ARGS={}", joined(words))
        ),
        SaidBy::Runner(runner) => {
            format!("in {}, turn {HONOR_ENTRYPOINT} off", runner.source.name())
        }
    };
    let finding = daemon::COMMAND_DROPPED.found(cause, fix);
    let problem = Problem::new(finding, command.place.clone(), "not passed on");
    Some(match variables.written(HONOR_ENTRYPOINT) {
        Some((_, flag)) => problem.with_related(flag.clone(), "because of this"),
        // In the runner's configuration.
        None => problem,
    })
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

fn slow(daemon: &Daemon<'_>) -> Option<Problem> {
    let service = daemon.service;
    let met = |driver: &str, how: &str| {
        storage::SLOW_DRIVER.found(
            format!("{how} has dockerd use {driver}."),
            format!(
                "take {driver} out: dockerd finds out itself what works. Overlay \
                 mounts work where /var/lib/docker is a volume."
            ),
        )
    };
    // The variable overrides the flag (moby#46254).
    if let Some((variable, place)) = service.variables.written("DOCKER_DRIVER") {
        let is_slow = SLOW_DRIVERS.contains(&variable.value.as_str());
        let finding = met(&variable.value, "DOCKER_DRIVER");
        return is_slow.then(|| Problem::new(finding, place.clone(), ""));
    }
    let command = service.command.as_ref()?;
    let words: Vec<OsString> = command.words.iter().flatten().map(OsString::from).collect();
    let driver = flags(&words, "storage-driver", Some('s')).pop()?;
    let is_slow = SLOW_DRIVERS.contains(&driver.as_str());
    let finding = met(&driver, "The service's command");
    is_slow.then(|| Problem::new(finding, command.place.clone(), ""))
}
