//! Whether the data directory can hold images and containers.

use nix::errno::Errno;

use super::graph_drivers;
use crate::{
    dockerd::{launch, options::Options},
    facts::{
        docker_version::DockerVersion,
        graph_drivers::GraphDrivers,
        storage::{Room, Storage},
    },
    reasons::{Finding, Severity, hole::Hole, storage},
    trials::{Outcome, Trials, data_root::Failure, namespaced::Step},
};

/// Less is not enough for most images.
const LITTLE: u64 = 1 << 30;
/// Less is not enough for any.
const NOTHING: u64 = 16 << 20;
const FEW_INODES: u64 = 10_000;

/// Docker 29 has containerd keep images, and does without overlay mounts only where it is told to
/// (moby `daemon/image_store_choice.go`).
const CONTAINERD_S: u32 = 29;

/// What is wrong with the data directory. Who cannot write there cannot mount there either.
///
/// `docker`: this Docker's version, where it was asked for.
pub fn findings(
    place: &Storage,
    drivers: &GraphDrivers,
    docker: Option<DockerVersion>,
    trials: &Trials,
    options: &Options,
    is_root: bool,
) -> Vec<Finding> {
    if let Some(unwritable) = unwritable(place, &trials.write, is_root) {
        return vec![unwritable];
    }
    [
        in_use(place, trials),
        little_room(place),
        graph_drivers::conflict(
            drivers,
            place,
            options,
            docker,
            driver_that_works(trials),
            launch::found_in_path,
        ),
        no_overlay(place, drivers, docker, trials, options),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn unwritable(place: &Storage, write: &Outcome<Failure>, is_root: bool) -> Option<Finding> {
    let Outcome::Failed(failure) = write else {
        return None;
    };
    let room = match &place.room {
        Ok(room) => room.to_string(),
        Err(unread) => unread.to_string(),
    };
    let (reason, cause) = match failure {
        Failure::ReadOnly => (
            &storage::READONLY,
            format!("{} is mounted read-only.", place.place()),
        ),
        Failure::NoRoom(errno) => (
            &storage::FULL,
            format!("{}: {}; {room}.", place.place(), errno.desc()),
        ),
        // The check for rootless mode knows better: HOME may be wrong.
        Failure::Denied(_) if !is_root => return None,
        Failure::Denied(errno) => (
            &storage::READONLY,
            format!("{} cannot be written: {}.", place.place(), errno.desc()),
        ),
    };
    Some(reason.met_with(cause, [data_root(place)]))
}

fn in_use(place: &Storage, trials: &Trials) -> Option<Finding> {
    let database = trials.locked.as_ref()?;
    let cause = format!(
        "{database} is locked by another process, and {} is on a volume that it has, too.",
        place.data_root.display()
    );
    Some(storage::IN_USE.met_with(cause, [data_root(place)]))
}

/// dockerd starts, and the job's first large image may not fit.
fn little_room(place: &Storage) -> Option<Finding> {
    let room = place.room.as_ref().ok()?;
    let Room { bytes, inodes, .. } = *room;
    let is_little = bytes < LITTLE || inodes.is_some_and(|inodes| inodes < FEW_INODES);
    let severity = match bytes < NOTHING {
        true => Severity::Error,
        false => Severity::Warning,
    };
    is_little.then(|| {
        storage::FULL
            .met(format!("{}: only {room}.", place.place()))
            .with_severity(severity)
    })
}

fn no_overlay(
    place: &Storage,
    drivers: &GraphDrivers,
    docker: Option<DockerVersion>,
    trials: &Trials,
    options: &Options,
) -> Option<Finding> {
    let Outcome::Failed(refusal) = &trials.overlay else {
        return None;
    };
    let (reason, attempt) = match refusal.step {
        // Nothing to do with the directory.
        Step::Namespace | Step::Propagation => return None,
        Step::Mount if is_far_from_overlay(&place.file_system) => {
            (&storage::UNSUITABLE_FS, "an overlay mount")
        }
        Step::Mount => (&storage::ON_OVERLAY, "an overlay mount"),
        Step::Whiteout => (&storage::ON_OVERLAY, "removing a file in an overlay mount"),
    };
    let mut cause = format!(
        "{attempt} in {} failed: {}.",
        place.place(),
        refusal.errno.desc()
    );
    if refusal.errno == Errno::ENODEV {
        cause.push_str(
            "\nThe node's kernel has no overlay file system; on the node: modprobe overlay",
        );
    }
    // dockerd falls back on another driver only where it may choose.
    let (severity, why) = match options.storage_driver.as_deref() {
        // It makes the same mount, and ends.
        Some("overlay2") if refusal.step == Step::Mount => (
            Severity::Fatal,
            "The driver overlay2 was asked for by name, so dockerd takes no other.".to_owned(),
        ),
        Some(driver) => (
            Severity::Error,
            format!("The driver {driver} was asked for by name, so dockerd takes no other."),
        ),
        None if refusal.step == Step::Mount
            && drivers.with_data == ["overlay2"]
            && !options.containerd_images =>
        {
            (
                Severity::Fatal,
                "Data of the driver overlay2 is there, so dockerd takes no other.".to_owned(),
            )
        }
        None if refusal.step == Step::Mount
            && docker.is_some_and(|docker| docker.major >= CONTAINERD_S)
            && drivers.with_data.is_empty()
            && !options.graph_drivers =>
        {
            (
                Severity::Error,
                format!(
                    "Docker {CONTAINERD_S} and newer take no other storage driver by themselves, \
                     so no container starts and nothing can be built."
                ),
            )
        }
        None => return Some(reason.met_with(cause, [data_root(place)])),
    };
    cause.push('\n');
    cause.push_str(&why);
    let finding = reason.met_with(cause, [data_root(place)]);
    Some(finding.with_severity(severity))
}

/// On these no storage driver is fast.
fn is_far_from_overlay(file_system: &str) -> bool {
    file_system.starts_with("nfs")
        || file_system.starts_with("fuse")
        || matches!(
            file_system,
            "cifs" | "smb3" | "9p" | "virtiofs" | "ceph" | "vfat" | "exfat" | "ntfs3"
        )
}

/// Where the trial is not to blame the directory for, dockerd's own first choice.
fn driver_that_works(trials: &Trials) -> &'static str {
    match &trials.overlay {
        Outcome::Failed(refusal) if refusal.step == Step::Mount => "vfs",
        _ => "overlay2",
    }
}

fn data_root(place: &Storage) -> (Hole, String) {
    (Hole::DataRoot, place.data_root.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dockerd::configuration::Configuration, trials::namespaced::Refusal};

    fn on(file_system: &str, bytes: u64) -> Storage {
        Storage {
            data_root: "/var/lib/docker".into(),
            existing: "/var/lib/docker".into(),
            file_system: file_system.into(),
            mount_point: "/var/lib/docker".into(),
            room: Ok(Room {
                read_only: false,
                bytes,
                inodes: Some(1_000_000),
            }),
        }
    }

    fn judged(place: &Storage, trials: &Trials, arguments: &[&str]) -> Vec<Finding> {
        let argv: Vec<_> = arguments.iter().map(Into::into).collect();
        let options = Options::new(&argv, &Configuration::default(), &|_| None, true);
        let drivers = GraphDrivers::default();
        findings(place, &drivers, None, trials, &options, true)
    }

    fn ids(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| finding.reason.id).collect()
    }

    fn passed() -> Trials {
        Trials {
            write: Outcome::Passed,
            overlay: Outcome::Passed,
            ..Trials::default()
        }
    }

    fn refused(step: Step, errno: Errno) -> Trials {
        Trials {
            overlay: Outcome::Failed(Refusal { step, errno }),
            ..passed()
        }
    }

    fn unwritable(failure: Failure) -> Trials {
        Trials {
            write: Outcome::Failed(failure),
            ..Trials::default()
        }
    }

    #[test]
    fn a_good_volume_has_nothing_to_say_nor_one_that_nothing_is_known_of() {
        for trials in [passed(), Trials::default()] {
            assert_eq!(ids(&judged(&on("ext4", LITTLE), &trials, &[])), [""; 0]);
        }
    }

    #[test]
    fn what_cannot_be_written_is_read_only_full_or_denied() {
        for (failure, id, word) in [
            (Failure::ReadOnly, "STORAGE-READONLY", "read-only"),
            (
                Failure::Denied(Errno::EACCES),
                "STORAGE-READONLY",
                "Permission denied",
            ),
            (
                Failure::NoRoom(Errno::EDQUOT),
                "STORAGE-FULL",
                "Quota exceeded",
            ),
            (Failure::NoRoom(Errno::ENOSPC), "STORAGE-FULL", "100 KiB"),
        ] {
            let found = judged(&on("tmpfs", 100 << 10), &unwritable(failure), &[]);
            assert_eq!(ids(&found), [id]);
            assert_eq!(found[0].severity, Severity::Fatal);
            assert!(found[0].cause.contains(word), "{}", found[0]);
            assert!(found[0].cause.contains("/var/lib/docker"), "{}", found[0]);
        }
    }

    #[test]
    fn little_room_is_a_warning() {
        let found = judged(&on("ext4", LITTLE - 1), &passed(), &[]);
        assert_eq!(ids(&found), ["STORAGE-FULL"]);
        assert_eq!(found[0].severity, Severity::Warning);
        let mut few = on("ext4", LITTLE);
        if let Ok(room) = &mut few.room {
            room.inodes = Some(FEW_INODES - 1);
        }
        assert_eq!(ids(&judged(&few, &passed(), &[])), ["STORAGE-FULL"]);
        let none = judged(&on("ext4", 1 << 20), &passed(), &[]);
        assert_eq!(none[0].severity, Severity::Error);
    }

    #[test]
    fn another_daemon_s_lock_is_named() {
        let trials = Trials {
            locked: Some("/var/lib/docker/volumes/metadata.db".into()),
            ..passed()
        };
        let found = judged(&on("ext4", LITTLE), &trials, &[]);
        assert_eq!(ids(&found), ["STORAGE-IN-USE"]);
        assert!(found[0].cause.contains("volumes/metadata.db"));
    }

    #[test]
    fn where_no_overlay_holds_the_file_system_says_why() {
        for (file_system, errno, id) in [
            ("overlay", Errno::EINVAL, "STORAGE-ON-OVERLAY"),
            ("ext4", Errno::ENODEV, "STORAGE-ON-OVERLAY"),
            ("nfs4", Errno::EINVAL, "STORAGE-UNSUITABLE-FS"),
            ("fuse.sshfs", Errno::EINVAL, "STORAGE-UNSUITABLE-FS"),
        ] {
            let trials = refused(Step::Mount, errno);
            let found = judged(&on(file_system, LITTLE), &trials, &[]);
            assert_eq!(ids(&found), [id], "{file_system}");
            assert!(found[0].cause.contains(file_system), "{}", found[0]);
        }
        // An overlay on an overlay that works is none of our business.
        assert!(judged(&on("overlay", LITTLE), &passed(), &[]).is_empty());
        // Where mounts are forbidden at all, the directory is not to blame.
        let forbidden = refused(Step::Namespace, Errno::EPERM);
        assert!(judged(&on("overlay", LITTLE), &forbidden, &[]).is_empty());
    }

    #[test]
    fn a_driver_asked_for_by_name_leaves_dockerd_no_other_choice() {
        let trials = refused(Step::Mount, Errno::EINVAL);
        let found = judged(&on("overlay", LITTLE), &trials, &["-s", "overlay2"]);
        assert_eq!(found[0].severity, Severity::Fatal);
        assert!(found[0].cause.contains("overlay2"), "{}", found[0]);
        let later = refused(Step::Whiteout, Errno::EINVAL);
        let found = judged(&on("overlay", LITTLE), &later, &["-s", "overlay2"]);
        assert_eq!(
            found[0].severity,
            Severity::Error,
            "dockerd does not try that"
        );
    }

    #[test]
    fn data_of_overlay2_leaves_dockerd_no_other_choice() {
        let trials = refused(Step::Mount, Errno::EINVAL);
        let options = Options::new(&[], &Configuration::default(), &|_| None, true);
        let severity = |with_data: &[&'static str]| {
            let drivers = GraphDrivers {
                with_data: with_data.to_vec(),
                built_in: None,
            };
            let place = on("overlay", LITTLE);
            findings(&place, &drivers, None, &trials, &options, true)[0].severity
        };
        assert_eq!(severity(&["overlay2"]), Severity::Fatal);
        assert_eq!(severity(&[]), Severity::Warning);
    }

    #[test]
    fn docker_29_does_without_overlays_only_where_it_is_told_to() {
        let trials = refused(Step::Mount, Errno::EINVAL);
        let severity = |major, with_data: &[&'static str], json: &str| {
            let options = Options::new(&[], &Configuration::parse(json), &|_| None, true);
            let drivers = GraphDrivers {
                with_data: with_data.to_vec(),
                built_in: None,
            };
            let docker = Some(DockerVersion { major, minor: 1 });
            let place = on("overlay", LITTLE);
            let found = findings(&place, &drivers, docker, &trials, &options, true);
            (found[0].reason.id, found[0].severity)
        };
        let id = "STORAGE-ON-OVERLAY";
        assert_eq!(severity(29, &[], ""), (id, Severity::Error));
        assert_eq!(severity(28, &[], ""), (id, Severity::Warning));
        assert_eq!(severity(29, &["overlay2"], ""), (id, Severity::Fatal));
        let off = r#"{"features": {"containerd-snapshotter": false}}"#;
        assert_eq!(severity(29, &[], off), (id, Severity::Warning));
    }
}
