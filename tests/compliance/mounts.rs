//! What hack/dind mounts, and what it does about control groups.

use std::fs;

use crate::busybox::IMPORT_BUSYBOX;
use crate::stand_in::{Record, log_with};
use crate::start::Start;
use crate::subject::dind;
use crate::volume::Volume;

/// Official (hack/dind): a tmpfs on /tmp and securityfs where nothing is mounted there; what is
/// mounted stays.
#[test]
fn tmp_and_securityfs_are_mounted_where_nothing_is() {
    let record = Record::new();
    let pod = dind().stand_in(&record).start();
    let start = record.wait_for_start(&pod);
    assert_eq!(file_system_at(&start, "/tmp").as_deref(), Some("tmpfs"));
    // A kernel without securityfs has nothing to mount.
    let kernel = fs::read_to_string("/proc/filesystems").unwrap();
    if kernel.contains("securityfs") {
        assert_eq!(
            file_system_at(&start, "/sys/kernel/security").as_deref(),
            Some("securityfs")
        );
    }
    drop(pod);

    let tmp = Volume::disk();
    fs::write(tmp.path().join("precious"), "").unwrap();
    let record = Record::new();
    let pod = dind().volume(&tmp, "/tmp").stand_in(&record).start();
    record.wait_for_start(&pod);
    pod.in_service("ls /tmp/precious").expect_success();
}

/// Official (hack/dind): the root shares its mounts, so that what is mounted in the service later
/// appears in inner containers that ask for it.
#[test]
fn mounts_propagate_into_inner_containers() {
    let pod = dind().certs(&Volume::memory()).start();
    pod.in_service("mkdir -p /shared/late").expect_success();
    pod.job(&format!(
        "set -e\n{IMPORT_BUSYBOX}
        docker run --detach --name inner --volume /shared:/shared:rshared busybox sleep 1000"
    ))
    .expect_success();
    pod.in_service("mount -t tmpfs tmpfs /shared/late && echo mounted later > /shared/late/file")
        .expect_success();
    pod.job("docker exec inner cat /shared/late/file")
        .expect_success()
        .expect("mounted later");
}

/// Official (hack/dind): `mount --make-rshared /`, before dockerd is started.
#[test]
fn the_root_is_shared() {
    let record = Record::new();
    let pod = dind().stand_in(&record).start();
    let start = record.wait_for_start(&pod);
    let root = start
        .mountinfo
        .lines()
        .find(|line| line.split(' ').nth(4) == Some("/"));
    assert!(root.unwrap().contains(" shared:"), "not shared: {root:?}");
}

mod differs {
    use super::*;

    /// Official mounts its tmpfs over whatever is mounted below /tmp, such as the builds directory
    /// of a runner that uses user namespaces (GitLab Runner docs, executors/kubernetes).
    #[test]
    fn what_is_mounted_below_tmp_stays_in_sight() {
        let builds = Volume::disk();
        fs::write(builds.path().join("precious"), "").unwrap();
        let record = Record::new();
        let pod = dind()
            .volume(&builds, "/tmp/builds")
            .stand_in(&record)
            .start();
        record.wait_for_start(&pod);
        pod.in_service("ls /tmp/builds/precious").expect_success();
    }

    /// Official tries for ever to give control groups their controllers, some thousand times a
    /// second, each with a line in the log, and dockerd never starts (moby#48850).
    #[test]
    fn controllers_that_cannot_be_enabled_are_no_endless_loop() {
        let record = Record::new();
        // As a v2 tree looks whose `subtree_control` takes nothing.
        let pod = dind()
            .stand_in(&record)
            .entrypoint_script(
                "umount -R /sys/fs/cgroup; mount -t tmpfs tmpfs /sys/fs/cgroup; cd /sys/fs/cgroup
                 echo cpu memory > cgroup.controllers; echo domain > cgroup.type
                 echo > cgroup.procs; mkdir cgroup.subtree_control; cd /; exec dockerd-entrypoint.sh",
            )
            .variable("DIND_IGNORE", "CGROUP-NO-DEVICES")
            .start();
        record.wait_for_start(&pod);
        let log = log_with(&pod, "starting dockerd");
        assert!(
            log.contains("memory"),
            "no word about the controller\n{log}"
        );
        assert!(log.lines().count() < 100, "{log}");
    }
}

/// The type of the file system that is mounted there last.
fn file_system_at(start: &Start, point: &str) -> Option<String> {
    let lines = start.mountinfo.lines().rev();
    let mount = lines
        .into_iter()
        .find(|line| line.split(' ').nth(4) == Some(point))?;
    let (_, source) = mount.split_once(" - ")?;
    source.split(' ').next().map(str::to_owned)
}
