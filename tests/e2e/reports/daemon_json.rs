//! What people give dockerd to read: daemon.json, flags and variables of another machine's.

use super::*;
use crate::busybox::IMPORT_BUSYBOX;

/// kubernetes/minikube#8790, HCL-TECH-SOFTWARE/connections-automation#222.
#[test]
fn an_insecure_registry_with_a_path() {
    is_explained(
        usual().command(&["--insecure-registry=registry.test:5000/group"]),
        "docker info",
        &[
            "fatal DAEMON-FLAG",
            "it has a path",
            "command: [\"--insecure-registry=registry.test:5000\"]\n",
        ],
    );
}

/// moby/moby#50233.
#[test]
fn a_mirror_without_its_scheme() {
    is_explained(
        usual().configuration(r#"{"registry-mirrors": ["mirror.test:5000"]}"#),
        "docker info",
        &[
            "fatal DAEMON-CONFIG",
            "does not begin with https://",
            "\"registry-mirrors\": [\"https://mirror.test:5000\"]",
        ],
    );
}

/// moby/moby#40667: the quota of a node's XFS.
#[test]
fn a_quota_of_a_node_s_file_system() {
    is_explained(
        usual().configuration(
            r#"{"storage-driver": "overlay2", "storage-opts": ["overlay2.size=500M"]}"#,
        ),
        "docker info",
        &[
            "fatal DAEMON-SETTING",
            "overlay2.size only supported",
            "out of daemon.json",
        ],
    );
}

/// NVIDIA/nvidia-docker#749 and #1002: a node with GPUs names a runtime that no dind image has.
#[test]
fn a_runtime_of_a_node_with_gpus() {
    is_explained(
        usual().configuration(r#"{"default-runtime": "nvidia"}"#),
        "docker info",
        &["fatal DAEMON-SETTING", "nvidia", "out of daemon.json"],
    );
    let run = format!("set -e\n{IMPORT_BUSYBOX}\ndocker run --rm busybox echo inner");
    let known = r#"{"default-runtime": "nvidia",
        "runtimes": {"nvidia": {"path": "nvidia-container-runtime", "runtimeArgs": []}}}"#;
    for suite in [Suite::Trixie, Suite::Sid] {
        is_told_after(
            usual_on(suite).configuration(known),
            &run,
            &["error DAEMON-CONTAINER-SETTING", "nvidia-container-runtime"],
        );
    }
}

/// NVIDIA/nvidia-docker#375.
#[test]
fn a_gpu_for_an_inner_container() {
    is_told_after(
        usual(),
        &format!("set -e\n{IMPORT_BUSYBOX}\ndocker run --rm --gpus all busybox echo inner"),
        &["error DAEMON-GPU", "Container Toolkit"],
    );
}

/// A log driver of a node with systemd.
#[test]
fn a_log_driver_of_a_node() {
    is_told_after(
        usual().configuration(r#"{"log-driver": "journald"}"#),
        &format!("set -e\n{IMPORT_BUSYBOX}\ndocker run --rm busybox echo inner"),
        &["error DAEMON-CONTAINER-SETTING", "journald"],
    );
}

/// ConfigMaps are often mounted as the whole of /etc/docker, where Docker 20.10 keeps a key.
#[test]
fn a_config_map_in_the_place_of_etc_docker() {
    is_explained(
        usual_on(Suite::Bookworm).configuration(r#"{"mtu": 1400}"#),
        "docker info",
        &["fatal DAEMON-KEY-FILE", "sub_path = \"daemon.json\""],
    );
    works(usual().configuration(r#"{"mtu": 1400}"#), "docker info");
}

/// LordGaav/dind-options#3, Azure/draft-classic#431.
#[test]
fn a_storage_driver_of_years_ago() {
    is_explained(
        usual().variable("DOCKER_DRIVER", "aufs"),
        "docker info",
        &[
            "fatal STORAGE-DRIVER-CONFLICT",
            "DOCKER_DRIVER is aufs",
            "DOCKER_DRIVER: overlay2",
        ],
    );
    works(usual().variable("DOCKER_DRIVER", "overlay2"), "docker info");
}

/// rwlove/home-ops#12492, docker/for-mac#3295: no volume for the data, and overlay2 by name.
#[test]
fn overlay_on_overlay() {
    is_explained(
        usual()
            .variable("DOCKER_DRIVER", "overlay2")
            .service_option("--image-volume=ignore"),
        "docker info",
        &[
            "fatal STORAGE-ON-OVERLAY",
            "mount_path = \"/var/lib/docker\"",
        ],
    );
}
