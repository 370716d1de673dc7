//! Whether containers get overlays in the data directory, and what dockerd does without.

use nix::errno::Errno;

use super::data_root;
use crate::{
    dockerd::options::Options,
    facts::{docker_version::DockerVersion, graph_drivers::GraphDrivers, storage::Storage},
    reasons::{Finding, Severity, storage},
    trials::{Outcome, Trials, namespaced::Step},
};

/// Docker 29 has containerd keep images, and does without overlay mounts only where it is told to
/// (moby `daemon/image_store_choice.go`).
const CONTAINERD_S: u32 = 29;

/// What a refused overlay means for dockerd.
pub fn refused(
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
        Step::Mount if refusal.errno == Errno::EPERM => {
            (&storage::OVERLAY_FORBIDDEN, "an overlay mount")
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
pub fn driver_that_works(trials: &Trials) -> &'static str {
    match &trials.overlay {
        Outcome::Failed(refusal) if refusal.step == Step::Mount => "vfs",
        _ => "overlay2",
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            LITTLE, findings,
            tests::{ids, judged, on, passed},
        },
        *,
    };
    use crate::{dockerd::configuration::Configuration, trials::namespaced::Refusal};

    fn refused(step: Step, errno: Errno) -> Trials {
        Trials {
            overlay: Outcome::Failed(Refusal { step, errno }),
            ..passed()
        }
    }

    #[test]
    fn where_no_overlay_holds_the_file_system_says_why() {
        for (file_system, errno, id) in [
            ("overlay", Errno::EINVAL, "STORAGE-ON-OVERLAY"),
            ("ext4", Errno::ENODEV, "STORAGE-ON-OVERLAY"),
            // In a user namespace, on a kernel before 5.11.
            ("ext4", Errno::EPERM, "STORAGE-OVERLAY-FORBIDDEN"),
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
            findings(&place, &drivers, None, &trials, &options)[0].severity
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
            let found = findings(&place, &drivers, docker, &trials, &options);
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
