//! Options of dockerd that it does not take: it ends, and says so where nobody looks.

use std::ffi::OsString;

use super::of_each_daemon;
use crate::{
    dockerd::{
        flags::Given,
        options::{Origin, RegistryValue, flags},
    },
    findings::registry_values,
    lint::{
        model::{daemon, image::Image},
        problem::Problem,
        scene::{Daemon, Scene},
        source::Place,
    },
    reasons::storage,
};

/// Storage drivers, and the first version without them (moby's release notes).
const REMOVED_DRIVERS: &[(&str, u32)] = &[("aufs", 24), ("overlay", 24), ("devicemapper", 25)];

/// The first Docker that takes a mirror with a path.
const FIRST_WITH_PATHS: u32 = 24;

/// The version with which it may stand in a tag without a number.
const NEWEST: u32 = 29;

/// Mirrors and insecure registries that dockerd does not take.
pub fn registries(scene: &Scene<'_>) -> Vec<Problem> {
    of_each_daemon(scene, not_taken)
}

/// A storage driver that dockerd no longer has.
pub fn removed_driver(scene: &Scene<'_>) -> Vec<Problem> {
    of_each_daemon(scene, |daemon| removed(daemon).into_iter().collect())
}

/// Of `--registry-mirror` and `--insecure-registry`: the judgement of run time. A value with a
/// variable that is not in the files is not known here.
fn not_taken(daemon: &Daemon<'_>) -> Vec<Problem> {
    let service = daemon.service;
    let version = Image::parse(&service.image).version();
    let takes_paths = version.is_none_or(|version| version >= FIRST_WITH_PATHS);
    let variable = service.variables.written("DIND_DOCKERD_ARGS");
    let text = variable.map_or("", |(variable, _)| &variable.value);
    let given = Given::new(&daemon::flags(service), text);
    let of_command = service.command.as_ref().map(|command| &command.place);
    let of_command = of_command.map(|place| (daemon::flags(service), place));
    let of_variable = variable.map(|(_, place)| (daemon::further_flags(service), place));
    let places = of_command.into_iter().chain(of_variable);
    let problems = places.flat_map(|(words, place)| {
        let findings = registry_values::findings(&known(&words), &given, takes_paths);
        let label = "dockerd does not take it";
        let problem = move |finding| Problem::new(finding, place.clone(), label);
        findings.into_iter().map(problem)
    });
    problems.collect()
}

/// The values of which it is known what they are.
fn known(words: &[OsString]) -> Vec<RegistryValue> {
    let values = ["registry-mirror", "insecure-registry"].map(|flag| {
        let values = flags(words, flag, None).into_iter();
        values.map(move |value| RegistryValue {
            flag,
            value,
            origin: Origin::Flag,
        })
    });
    let values = values.into_iter().flatten();
    values.filter(|it| !it.value.contains('$')).collect()
}

/// dockerd ends with a driver that it no longer has.
fn removed(daemon: &Daemon<'_>) -> Option<Problem> {
    let service = daemon.service;
    let said_by_flag = || {
        let driver = flags(&daemon::flags(service), "storage-driver", Some('s')).pop()?;
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
