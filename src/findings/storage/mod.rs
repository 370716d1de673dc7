//! Whether the data directory can hold images and containers.

mod overlay;

use super::graph_drivers;
use crate::{
    dockerd::{launch, options::Options},
    facts::{
        docker_version::DockerVersion,
        graph_drivers::GraphDrivers,
        storage::{Room, Storage},
    },
    reasons::{Finding, Severity, hole::Hole, storage},
    trials::{Outcome, Trials, data_root::Failure},
};

/// Less is not enough for most images.
const LITTLE: u64 = 1 << 30;
/// Less is not enough for any.
const NOTHING: u64 = 16 << 20;
const FEW_INODES: u64 = 10_000;

/// What is wrong with the data directory. Who cannot write there cannot mount there either.
///
/// `docker`: this Docker's version, where it was asked for.
pub fn findings(
    place: &Storage,
    drivers: &GraphDrivers,
    docker: Option<DockerVersion>,
    trials: &Trials,
    options: &Options,
) -> Vec<Finding> {
    if let Some(unwritable) = unwritable(place, &trials.write, options.is_root) {
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
            overlay::driver_that_works(trials),
            launch::found_in_path,
        ),
        overlay::refused(place, drivers, docker, trials, options),
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

fn data_root(place: &Storage) -> (Hole, String) {
    (Hole::DataRoot, place.data_root.display().to_string())
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::*;
    use crate::dockerd::configuration::Configuration;

    pub(super) fn on(file_system: &str, bytes: u64) -> Storage {
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

    pub(super) fn judged(place: &Storage, trials: &Trials, arguments: &[&str]) -> Vec<Finding> {
        let argv: Vec<_> = arguments.iter().map(Into::into).collect();
        let options = Options::new(&argv, &Configuration::default(), &|_| None, true);
        let drivers = GraphDrivers::default();
        findings(place, &drivers, None, trials, &options)
    }

    pub(super) fn ids(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| finding.reason.id).collect()
    }

    pub(super) fn passed() -> Trials {
        Trials {
            write: Outcome::Passed,
            overlay: Outcome::Passed,
            ..Trials::default()
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
}
