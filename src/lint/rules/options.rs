//! Options of dockerd that it does not take: it ends, and says so where nobody looks.

use std::ffi::OsString;

use super::of_each_daemon;
use crate::{
    dockerd::{
        flags::Given,
        options::{self, Origin, RegistryValue},
    },
    findings::{flags, registry_values},
    lint::{
        model::{daemon, image::Image, variables::refers},
        problem::Problem,
        scene::{Daemon, Scene},
        source::Place,
    },
    reasons::{self, storage},
};

/// Storage drivers, and the first version without them (moby's release notes).
const REMOVED_DRIVERS: &[(&str, u32)] = &[("aufs", 24), ("overlay", 24), ("devicemapper", 25)];

/// The first Docker that takes a mirror with a path.
const FIRST_WITH_PATHS: u32 = 24;

/// The version with which it may stand in a tag without a number.
const NEWEST: u32 = 29;

/// The flags whose values run time judges.
const REGISTRY_FLAGS: [&str; 2] = ["registry-mirror", "insecure-registry"];

/// Mirrors and insecure registries that dockerd does not take.
pub fn registries(scene: &Scene<'_>) -> Vec<Problem> {
    of_each_daemon(scene, not_taken)
}

/// A variable in a service's command: dockerd gets its name.
pub fn unexpanded(scene: &Scene<'_>) -> Vec<Problem> {
    of_each_daemon(scene, |daemon| with_a_name(daemon).into_iter().collect())
}

/// A flag and its value in one word: the judgement of run time.
pub fn joined(scene: &Scene<'_>) -> Vec<Problem> {
    of_each_daemon(scene, |daemon| in_one_word(daemon).collect())
}

/// A storage driver that dockerd no longer has.
pub fn removed_driver(scene: &Scene<'_>) -> Vec<Problem> {
    of_each_daemon(scene, |daemon| removed(daemon).into_iter().collect())
}

/// Of `--registry-mirror` and `--insecure-registry`: the judgement of run time. What a shell or
/// GitLab puts into a value, and is not in the files, is not known here.
fn not_taken(daemon: &Daemon<'_>) -> Vec<Problem> {
    let service = daemon.service;
    let version = Image::parse(&service.image).version();
    let takes_paths = version.is_none_or(|version| version >= FIRST_WITH_PATHS);
    let variable = service.variables.written("DIND_DOCKERD_ARGS");
    let given = given(daemon);
    let of_command = service.command.as_ref().map(|command| &command.place);
    let are_literal = !daemon::literal_flags(service).is_empty();
    let of_command = of_command.map(|place| (daemon::flags(service), are_literal, place));
    let of_variable = variable.map(|(_, place)| (daemon::further_flags(service), false, place));
    let places = of_command.into_iter().chain(of_variable);
    let problems = places.flat_map(|(words, are_literal, place)| {
        let mut values = registry_values(&words);
        values.retain(|it| are_literal || !it.value.contains('$'));
        let findings = registry_values::findings(&values, &given, takes_paths);
        let label = "dockerd does not take it";
        let problem = move |finding| Problem::new(finding, place.clone(), label);
        findings.into_iter().map(problem)
    });
    problems.collect()
}

fn given(daemon: &Daemon<'_>) -> Given {
    let variable = daemon.service.variables.written("DIND_DOCKERD_ARGS");
    let text = variable.map_or("", |(variable, _)| &variable.value);
    Given::new(&daemon::flags(daemon.service), text)
}

/// In the service's command, and in the variable.
fn in_one_word(daemon: &Daemon<'_>) -> impl Iterator<Item = Problem> {
    let given = given(daemon);
    let of_command = Given {
        variable: Vec::new(),
        ..given.clone()
    };
    let of_variable = Given {
        command: Vec::new(),
        ..given
    };
    let service = daemon.service;
    let command = service.command.as_ref().map(|command| &command.place);
    let variable = service.variables.written("DIND_DOCKERD_ARGS");
    let places = [command, variable.map(|(_, place)| place)];
    let found = [of_command, of_variable].map(|given| flags::joined(&given));
    let found = found.into_iter().zip(places);
    found.filter_map(|(finding, place)| {
        Some(Problem::new(finding?, place?.clone(), "one word, for two"))
    })
}

fn registry_values(words: &[OsString]) -> Vec<RegistryValue> {
    let values = REGISTRY_FLAGS.map(|flag| {
        let values = options::flags(words, flag, None).into_iter();
        values.map(move |value| RegistryValue {
            flag,
            value,
            origin: Origin::Flag,
        })
    });
    values.into_iter().flatten().collect()
}

/// In any other flag than those.
fn with_a_name(daemon: &Daemon<'_>) -> Option<Problem> {
    let command = daemon.service.command.as_ref()?;
    let words = daemon::literal_flags(daemon.service);
    let judged = registry_values(&words);
    let is_judged = |word: &str| judged.iter().any(|it| word.ends_with(&it.value));
    let mut words = words.iter().map(|word| word.to_string_lossy());
    let word = words.find(|word| refers(word) && !is_judged(word))?;
    let finding = reasons::daemon::FLAG.found(
        format!(
            "the runner expands no variable in a service's `command`: dockerd gets {word:?} as it \
             is written."
        ),
        format!(
            "in .gitlab-ci.yml, write the value itself; or, with dind-init in the service's image, \
             have GitLab put it into a variable:\n    variables:\n      DIND_DOCKERD_ARGS: \
             {word:?}"
        ),
    );
    Some(Problem::new(finding, command.place.clone(), "not expanded"))
}

/// dockerd ends with a driver that it no longer has.
fn removed(daemon: &Daemon<'_>) -> Option<Problem> {
    let service = daemon.service;
    let said_by_flag = || {
        let driver = options::flags(&daemon::flags(service), "storage-driver", Some('s')).pop()?;
        Some((driver, service.command.as_ref()?.place.clone()))
    };
    // The variable overrides the flag (moby#46254).
    let (driver, place): (String, Place) = match service.variables.written("DOCKER_DRIVER") {
        Some((variable, place)) => (variable.value.clone(), place.clone()),
        None => said_by_flag()?,
    };
    let (driver, without) = REMOVED_DRIVERS.iter().find(|(name, _)| *name == driver)?;
    let image = Image::parse(&service.image);
    // Only of Docker's own images it is known what their tags mean.
    let version = image
        .version()
        .or_else(|| image.is_docker().then_some(NEWEST))?;
    if !image.is_docker() || version < *without || service.image.contains("stable") {
        return None;
    }
    let finding = storage::DRIVER_CONFLICT.found(
        format!(
            "the storage driver {driver} was taken out of Docker {without}, and the service is \
             {}: dockerd ends.",
            service.image
        ),
        format!("take {driver} out: dockerd finds out itself what works"),
    );
    let problem = Problem::new(finding, place, "no longer there");
    Some(problem.with_related(service.place.clone(), "since this version"))
}
