//! The data directory, and the disk below it.

use super::*;

fault!(
    a_read_only_data_directory,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod)
            .service_option("--mount=type=tmpfs,destination=/var/lib/docker,ro"),
        id: "STORAGE-READONLY",
        fact: "/var/lib/docker",
        fix: "mount_path = \"/var/lib/docker\"",
        ..Fault::USUAL
    }
);

fault!(
    a_full_disk,
    [docker_20, docker_26, docker_28],
    Fault {
        pod: |pod| with_certs(pod)
            .service_option("--mount=type=tmpfs,destination=/var/lib/docker,tmpfs-size=100k"),
        id: "STORAGE-FULL",
        fact: "100 KiB",
        fix: "KUBERNETES_SERVICE_EPHEMERAL_STORAGE_REQUEST",
        cure: InVain("a scheduler has to find the space"),
        ..Fault::USUAL
    }
);

fault!(
    a_disk_that_fills_up_in_mid_job,
    [docker_26, docker_28],
    Fault {
        pod: |pod| with_certs(pod)
            .service_option("--mount=type=tmpfs,destination=/var/lib/docker,tmpfs-size=40m"),
        job: "head -c 60M /dev/urandom > /tmp/large && tar -C /tmp -c large | docker import - large",
        id: "STORAGE-FULL",
        fact: "no space left on device",
        fix: "KUBERNETES_SERVICE_EPHEMERAL_STORAGE_REQUEST",
        client: Client::HearsNothing,
        check: Check::CannotKnow,
        cure: InVain("a scheduler has to find the space"),
        ..Fault::USUAL
    }
);

fault!(
    a_data_directory_that_another_daemon_uses,
    [docker_26],
    Fault {
        pod: |pod| beside_the_user_of_its_data(pod.plain()),
        id: "STORAGE-IN-USE",
        fact: "is locked by another process",
        fix: "/var/lib/docker",
        ..Fault::USUAL
    }
);

// The same with TLS: a client that finds no certificates never dials, and hears nothing.
fault!(
    a_data_directory_that_another_daemon_uses_with_tls,
    [docker_20, docker_26, docker_28],
    Fault {
        pod: |pod| beside_the_user_of_its_data(with_certs(pod)),
        id: "STORAGE-IN-USE",
        fact: "is locked by another process",
        fix: "/var/lib/docker",
        ..Fault::USUAL
    }
);

fn beside_the_user_of_its_data(pod: Plan) -> Plan {
    let data = Volume::disk();
    let other = Pod::new(Suite::Trixie)
        .plain()
        .volume(&data, "/var/lib/docker")
        .start();
    other.job("docker version").expect_success();
    pod.volume(&data, "/var/lib/docker").beside(other)
}

fault!(
    a_storage_driver_that_is_gone,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod).command(&["--storage-driver=devicemapper"]),
        id: "STORAGE-DRIVER-CONFLICT",
        fact: "devicemapper was asked for by name, and this dockerd does not have it",
        fix: "DOCKER_DRIVER",
        ..Fault::USUAL
    }
);

fault!(
    data_of_several_storage_drivers,
    [docker_20, docker_26, docker_28],
    Fault {
        pod: |pod| with_certs(pod).entrypoint_script(
            "mkdir -p /var/lib/docker/overlay2/l /var/lib/docker/btrfs/subvolumes; \
             exec dockerd-entrypoint.sh"
        ),
        id: "STORAGE-DRIVER-CONFLICT",
        fact: "holds data of several storage drivers: btrfs, overlay2",
        fix: "DOCKER_DRIVER: overlay2",
        ..Fault::USUAL
    }
);

fault!(
    data_of_a_driver_that_does_not_work_here,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod).entrypoint_script(
            "mkdir -p /var/lib/docker/btrfs/subvolumes; exec dockerd-entrypoint.sh"
        ),
        id: "STORAGE-DRIVER-CONFLICT",
        fact: "was made with the storage driver btrfs",
        fix: "DOCKER_DRIVER: overlay2",
        ..Fault::USUAL
    }
);

fault!(
    a_storage_driver_that_there_never_was,
    [docker_20, docker_26, docker_28],
    Fault {
        pod: |pod| with_certs(pod).command(&["--storage-driver=overlay3"]),
        id: "STORAGE-DRIVER-CONFLICT",
        fact: "overlay3 was asked for by name, and this dockerd does not have it",
        fix: "DOCKER_DRIVER",
        ..Fault::USUAL
    }
);

fault!(
    a_storage_driver_of_a_variable,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod).variable("DOCKER_DRIVER", "overlay"),
        id: "STORAGE-DRIVER-CONFLICT",
        fact: "DOCKER_DRIVER is overlay",
        fix: "DOCKER_DRIVER: overlay2",
        ..Fault::USUAL
    }
);

/// Docker 29 has no volume for its data here, and is an older one that says it is 29: it falls back
/// to vfs, as 29 would not. The older one by its own name is the control.
#[test]
fn docker_29_without_a_volume_for_its_data_is_an_error() {
    for (version, is_told) in [("29.7.2", true), ("28.5.2", false)] {
        let log = RunnerLog::new();
        let pod = with_certs(Pod::new(Suite::Trixie))
            .instead_of("dockerd", &calling_itself(version))
            .service_option("--image-volume=ignore")
            .gitlab_job(&Volume::disk())
            .runner_log(&log)
            .start();
        pod.job("docker info").expect_success();
        let service = pod.service_log();
        assert!(service.contains("STORAGE-ON-OVERLAY"), "{service}");
        let written = log.text().unwrap();
        let told = written.contains("error STORAGE-ON-OVERLAY")
            && written.contains("Docker 29 and newer take no other storage driver");
        assert_eq!(told, is_told, "{written}");
    }
}

/// Has the image's dockerd say that it is of another version; for `instead_of`.
pub(super) fn calling_itself(version: &str) -> String {
    format!(
        "[ \"$1\" = --version ] && echo 'Docker version {version}, build 1f3a8ec' && exit
        exec \"$original\" \"$@\""
    )
}

fault!(
    next_to_no_room_for_images,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod)
            .service_option("--mount=type=tmpfs,destination=/var/lib/docker,tmpfs-size=8m"),
        job: "head -c 20M /dev/urandom > /tmp/large && tar -C /tmp -c large | docker import - large",
        id: "STORAGE-FULL",
        fact: "only ",
        fix: "KUBERNETES_SERVICE_EPHEMERAL_STORAGE_REQUEST",
        client: Client::HearsNothing,
        cure: InVain("a scheduler has to find the space"),
        ..Fault::USUAL
    }
);

/// The control for the rows above: drivers that this dockerd does not know left what it ignores.
#[test]
fn data_of_drivers_that_were_removed_is_ignored_as_dockerd_does() {
    let pod = with_certs(Pod::new(Suite::Trixie))
        .entrypoint_script(
            "mkdir -p /var/lib/docker/overlay2/l /var/lib/docker/aufs/diff \
                 /var/lib/docker/devicemapper/metadata /var/lib/docker/btrfs; \
             exec dockerd-entrypoint.sh",
        )
        .start();
    pod.job("docker info").expect_success();
}

/// dockerd goes on with the driver that it is told, whatever else is there.
#[test]
fn a_driver_that_is_named_is_never_refused_for_the_sake_of_others() {
    let pod = with_certs(Pod::new(Suite::Trixie))
        .entrypoint_script(
            "mkdir -p /var/lib/docker/overlay2/l /var/lib/docker/btrfs/subvolumes; \
             exec dockerd-entrypoint.sh --storage-driver=overlay2",
        )
        .start();
    pod.job("docker info --format '{{.Driver}}'")
        .expect_success()
        .expect("overlay2");
}
