//! Options of dockerd that it does not take: it ends, and says so where nobody looks.

use super::of_each_job;
use crate::{
    dockerd::options::flags,
    lint::{
        model::{daemon, image::Image},
        problem::Problem,
        scene::{Daemon, Scene},
        source::Place,
    },
    reasons::{daemon as reasons, storage},
};

/// Storage drivers, and the first version without them (moby's release notes).
const REMOVED_DRIVERS: &[(&str, u32)] = &[("aufs", 24), ("overlay", 24), ("devicemapper", 25)];

/// The version with which it may stand in a tag without a number.
const NEWEST: u32 = 29;

/// Mirrors and insecure registries that dockerd does not take.
pub fn registries(scene: &Scene<'_>) -> Vec<Problem> {
    of_each_job(scene, |job| {
        job.daemons.iter().flat_map(not_taken).collect()
    })
}

/// A storage driver that dockerd no longer has.
pub fn removed_driver(scene: &Scene<'_>) -> Vec<Problem> {
    of_each_job(scene, |job| {
        job.daemons.iter().filter_map(removed).collect()
    })
}

/// Of `--registry-mirror` and `--insecure-registry`.
fn not_taken(daemon: &Daemon<'_>) -> Vec<Problem> {
    let Some(command) = &daemon.service.command else {
        return Vec::new();
    };
    let words = daemon::flags(daemon.service);
    let mirrors = flags(&words, "registry-mirror", None).into_iter();
    let mirrors = mirrors
        .filter(|value| !value.contains('$') && !is_mirror(value))
        .map(|value| {
            (
                value,
                "registry-mirror",
                "is no URL",
                "https://mirror.example.com",
            )
        });
    let insecure = flags(&words, "insecure-registry", None).into_iter();
    let insecure = insecure
        .filter(|value| !value.contains('$') && !is_registry(value))
        .map(|value| {
            let example = "registry.example.com:5000";
            (
                value,
                "insecure-registry",
                "is no host, with its port, nor a range of addresses",
                example,
            )
        });
    let found = mirrors.chain(insecure);
    found
        .map(|(value, flag, what, example)| {
            let finding = reasons::FLAG.found(
                format!("--{flag} is {value:?}, which {what}: dockerd ends."),
                format!(
                    "in .gitlab-ci.yml, at the service:\n    command: [\"--{flag}={example}\"]"
                ),
            );
            Problem::new(finding, command.place.clone(), "dockerd does not take it")
        })
        .collect()
}

/// As dockerd has it: a scheme, and no query or user (moby daemon/pkg/registry).
fn is_mirror(value: &str) -> bool {
    let host = value
        .strip_prefix("https://")
        .or_else(|| value.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['?', '#', '@', ' ']))
}

/// A host or a range; a scheme is passed over with a warning.
fn is_registry(value: &str) -> bool {
    let host = value
        .strip_prefix("https://")
        .or_else(|| value.strip_prefix("http://"))
        .unwrap_or(value);
    let is_range = host.split_once('/').is_some_and(|(address, bits)| {
        address.parse::<std::net::IpAddr>().is_ok() && bits.parse::<u8>().is_ok()
    });
    is_range || (!host.is_empty() && !host.contains(['/', ' ']))
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
        format!("in .gitlab-ci.yml, take {driver} out: dockerd finds out itself what works"),
    );
    let problem = Problem::new(finding, place, "no longer there");
    Some(problem.with_related(service.place.clone(), "since this version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_that_dockerd_takes() {
        for (value, expected) in [
            ("https://mirror.example.com", true),
            ("http://mirror.example.com:5000/", true),
            ("https://mirror.example.com/docker-hub/", true),
            ("mirror.example.com:5000", false),
            ("", false),
        ] {
            assert_eq!(is_mirror(value), expected, "{value}");
        }
        for (value, expected) in [
            ("registry.example.com:5000", true),
            ("10.0.0.0/8", true),
            ("fd00::/8", true),
            ("http://registry.example.com", true),
            ("registry.example.com/group", false),
            ("", false),
        ] {
            assert_eq!(is_registry(value), expected, "{value}");
        }
    }
}
