//! Whether dockerd will accept its storage driver, and the data of others.
//!
//! Only what every dockerd refuses that has these drivers: tried with 20.10.24, 26.1.5 and 28.5.2,
//! and read for 29 (moby `daemon/graphdriver/driver.go`, `daemon/image_store_choice.go`). An
//! explicit choice is never refused for the sake of other drivers' data.

use crate::{
    dockerd::options::Options,
    facts::{
        docker_version::DockerVersion,
        graph_drivers::{GraphDrivers, NAMES, VFS},
        storage::Storage,
    },
    reasons::{Finding, hole::Hole, storage},
};

/// Drivers that newer versions lack, and that are no name of a containerd snapshotter either,
/// which is what Docker 29 takes an unknown name for.
const REMOVED: [&str; 3] = ["aufs", "overlay", "devicemapper"];

/// From here on a name that is no driver's is one of containerd's snapshotters.
const SNAPSHOTTERS: u32 = 29;

/// What keeps dockerd from starting with these drivers. `docker`: its version, where it is known;
/// `working` is a driver that it can have here, and
/// `in_path` says whether a program is there.
pub fn conflict(
    drivers: &GraphDrivers,
    place: &Storage,
    options: &Options,
    docker: Option<DockerVersion>,
    working: &str,
    in_path: impl Fn(&str) -> bool,
) -> Option<Finding> {
    // Then images are containerd's, and none of these drivers is used.
    if options.containerd_images {
        return None;
    }
    let driver = || [(Hole::Driver, working.to_owned())];
    let met = |cause: String| storage::DRIVER_CONFLICT.met_with(cause, driver());
    let Some(name) = &options.storage_driver else {
        return among_data(drivers, place, in_path).map(met);
    };
    let lacks = REMOVED.contains(&name.as_str()) && drivers.lacks(name);
    let why = match lacks || is_unknown(name, docker) {
        true => "this dockerd does not have it".to_owned(),
        false => unmet(drivers, name, place, in_path)?,
    };
    Some(met(format!("{}, and {why}.", asked_for(name, options))))
}

fn asked_for(name: &str, options: &Options) -> String {
    match options.driver_is_docker_driver {
        true => format!("DOCKER_DRIVER is {name}"),
        false => format!("the storage driver {name} was asked for by name"),
    }
}

/// Whether the name needs something that is not in any dockerd.
pub fn is_no_driver(name: &str) -> bool {
    !NAMES.contains(&name) && name != VFS
}

fn is_unknown(name: &str, docker: Option<DockerVersion>) -> bool {
    is_no_driver(name) && docker.is_some_and(|docker| docker.major < SNAPSHOTTERS)
}

/// dockerd goes on with the one driver whose data it finds, and with no other.
fn among_data(
    drivers: &GraphDrivers,
    place: &Storage,
    in_path: impl Fn(&str) -> bool,
) -> Option<String> {
    let found: Vec<_> = drivers
        .with_data
        .iter()
        .copied()
        .filter(|name| drivers.has(name))
        .collect();
    let root = place.data_root.display();
    match found.as_slice() {
        [] => None,
        [one] => unmet(drivers, one, place, in_path)
            .map(|why| format!("{root} was made with the storage driver {one}, and {why}.")),
        several => Some(format!(
            "{root} holds data of several storage drivers: {}; dockerd does not choose among them.",
            several.join(", ")
        )),
    }
}

/// What a driver that this dockerd has needs and does not find.
fn unmet(
    drivers: &GraphDrivers,
    name: &str,
    place: &Storage,
    in_path: impl Fn(&str) -> bool,
) -> Option<String> {
    if !drivers.has(name) {
        return None;
    }
    match name {
        "btrfs" if !place.file_system.is_empty() && place.file_system != "btrfs" => Some(format!(
            "the file system there is {}, not btrfs",
            place.file_system
        )),
        "zfs" | "fuse-overlayfs" if !in_path(name) => {
            Some(format!("there is no program {name} in the PATH"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dockerd::configuration::Configuration,
        facts::{Unread, storage::Storage},
    };

    const OF_26: [&str; 4] = ["btrfs", "zfs", "overlay2", "fuse-overlayfs"];
    /// All of them.
    const OF_20: [&str; 7] = NAMES;

    fn judged(
        with_data: &[&'static str],
        built_in: &[&'static str],
        argument: &str,
    ) -> Option<String> {
        judged_of(29, with_data, built_in, argument)
    }

    fn judged_of(
        major: u32,
        with_data: &[&'static str],
        built_in: &[&'static str],
        argument: &str,
    ) -> Option<String> {
        let argv: Vec<_> = argument.split_whitespace().map(Into::into).collect();
        let options = Options::new(&argv, &Configuration::default(), &|_| None, true);
        let drivers = GraphDrivers {
            with_data: with_data.to_vec(),
            built_in: (!built_in.is_empty()).then(|| built_in.to_vec()),
        };
        let docker = Some(DockerVersion { major, minor: 0 });
        let finding = conflict(&drivers, &on("ext4"), &options, docker, "overlay2", |_| {
            false
        })?;
        assert_eq!(finding.reason.id, "STORAGE-DRIVER-CONFLICT");
        Some(finding.cause)
    }

    fn on(file_system: &str) -> Storage {
        Storage {
            data_root: "/var/lib/docker".into(),
            existing: "/var/lib/docker".into(),
            file_system: file_system.into(),
            mount_point: "/var/lib/docker".into(),
            room: Err(Unread::new("/var/lib/docker", "not asked")),
        }
    }

    /// Each was tried with the real dockerd: what it accepts, and what it ends with.
    #[test]
    fn what_dockerd_accepts_is_accepted() {
        for (with_data, built_in, argument) in [
            (&[][..], &OF_26[..], ""),
            (&["overlay2"], &OF_26, ""),
            // Removed since: dockerd does not look at them any more.
            (&["aufs", "overlay2"], &OF_26, ""),
            (&["devicemapper"], &OF_26, ""),
            (&["overlay"], &OF_26, ""),
            (&["overlay"], &OF_20, ""),
            (&["btrfs", "overlay2"], &OF_26, "--storage-driver=overlay2"),
            (&["btrfs", "overlay2"], &OF_26, "-s vfs"),
            (&[], &OF_20, "-s overlay"),
            (&[], &OF_26, "-s some-snapshotter"),
            // Nothing is known of this dockerd.
            (&["btrfs", "overlay2"], &[], ""),
            (&[], &[], "-s devicemapper"),
        ] {
            assert_eq!(
                judged(with_data, built_in, argument),
                None,
                "{with_data:?} {argument}"
            );
        }
    }

    #[test]
    fn what_dockerd_refuses_is_found() {
        for (with_data, built_in, argument, word) in [
            (
                &["btrfs", "overlay2"][..],
                &OF_26[..],
                "",
                "btrfs, overlay2",
            ),
            (&["overlay2", "aufs"], &OF_20, "", "overlay2, aufs"),
            (&["btrfs"], &OF_26, "", "is ext4, not btrfs"),
            (&["zfs"], &OF_26, "", "no program zfs"),
            (&["fuse-overlayfs"], &OF_26, "", "no program fuse-overlayfs"),
            (&[], &OF_26, "-s btrfs", "asked for by name"),
            (
                &[],
                &OF_26,
                "--storage-driver devicemapper",
                "does not have it",
            ),
        ] {
            let cause = judged(with_data, built_in, argument);
            let cause = cause.unwrap_or_else(|| panic!("{with_data:?} {argument}: accepted"));
            assert!(cause.contains(word), "{cause}");
        }
    }

    #[test]
    fn a_name_that_is_no_driver_s_is_a_snapshotter_s_from_docker_29_on() {
        let cause = judged_of(28, &[], &[], "-s overlay3").unwrap();
        assert!(cause.contains("overlay3 was asked for by name"), "{cause}");
        assert_eq!(judged_of(29, &[], &[], "-s overlay3"), None);
        for name in ["overlay2", "vfs", "fuse-overlayfs"] {
            assert_eq!(
                judged_of(28, &[], &[], &format!("-s {name}")),
                None,
                "{name}"
            );
        }
    }

    #[test]
    fn docker_driver_is_named_where_it_is_the_one_that_asks() {
        let variable = |name: &str| (name == "DOCKER_DRIVER").then(|| "overlay".to_owned());
        let options = Options::new(&[], &Configuration::default(), &variable, true);
        let drivers = GraphDrivers {
            with_data: Vec::new(),
            built_in: Some(OF_26.to_vec()),
        };
        let finding =
            conflict(&drivers, &on("ext4"), &options, None, "overlay2", |_| false).unwrap();
        assert!(finding.cause.starts_with("DOCKER_DRIVER is overlay"));
    }

    #[test]
    fn a_driver_whose_needs_are_met_is_accepted() {
        let drivers = GraphDrivers {
            with_data: vec!["btrfs"],
            built_in: Some(OF_26.to_vec()),
        };
        let options = Options::new(&[], &Configuration::default(), &|_| None, true);
        assert_eq!(
            conflict(&drivers, &on("btrfs"), &options, None, "overlay2", |_| {
                false
            }),
            None
        );
        let fuse = GraphDrivers {
            with_data: vec!["fuse-overlayfs"],
            ..drivers.clone()
        };
        assert_eq!(
            conflict(&fuse, &on("ext4"), &options, None, "overlay2", |_| true),
            None
        );
        let both = GraphDrivers {
            with_data: vec!["btrfs", "overlay2"],
            ..drivers
        };
        let text = r#"{"features": {"containerd-snapshotter": true}}"#;
        let containerd = Options::new(&[], &Configuration::parse(text), &|_| None, true);
        assert!(conflict(&both, &on("ext4"), &options, None, "overlay2", |_| true).is_some());
        assert_eq!(
            conflict(&both, &on("ext4"), &containerd, None, "overlay2", |_| true),
            None
        );
    }
}
