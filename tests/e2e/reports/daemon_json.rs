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

/// moby/moby#40667: the quota of a node's XFS, in the node's file and as a flag.
#[test]
fn a_quota_of_a_node_s_file_system() {
    let id = "DAEMON-SETTING";
    let by_file = || {
        usual().configuration(
            r#"{"storage-driver": "overlay2", "storage-opts": ["overlay2.size=500M"]}"#,
        )
    };
    let told = is_explained(
        by_file(),
        "docker info",
        &["fatal DAEMON-SETTING", "overlay2.size only supported"],
    );
    is_cured(
        by_file(),
        "docker info",
        &told,
        id,
        Done("Take `storage-opts` out of daemon.json", |pod| {
            pod.configuration_replaced(r#"{"storage-driver": "overlay2"}"#)
        }),
    );
    let by_flag = || usual().command(&["--debug", "--storage-opt=overlay2.size=500M"]);
    let told = is_explained(by_flag(), "docker info", &["Take --storage-opt out"]);
    is_cured(by_flag(), "docker info", &told, id, Pasted);
}

/// NVIDIA/nvidia-docker#749: a node with GPUs names a runtime that no dind image has.
#[test]
fn a_runtime_of_a_node_with_gpus() {
    let of_a_node = || usual().configuration(r#"{"default-runtime": "nvidia"}"#);
    let told = is_explained(
        of_a_node(),
        "docker info",
        &["fatal DAEMON-SETTING", "nvidia"],
    );
    is_cured(
        of_a_node(),
        "docker info",
        &told,
        "DAEMON-SETTING",
        WITHOUT_RUNTIME,
    );
}

/// NVIDIA/nvidia-docker#1002: the same with all that the node says of it. dockerd starts, and no
/// container does.
#[test]
fn a_runtime_whose_program_is_the_node_s() {
    let run = format!("set -e\n{IMPORT_BUSYBOX}\ndocker run --rm busybox echo inner");
    for suite in [Suite::Bookworm, Suite::Trixie, Suite::Sid] {
        let of_a_node = || {
            usual_on(suite).file(
                &Volume::config_map(&[("daemon.json", RUNTIME_OF_A_NODE)]),
                "daemon.json",
                "/etc/docker/daemon.json",
            )
        };
        let told = is_told_after(
            of_a_node(),
            &run,
            &["error DAEMON-CONTAINER-SETTING", "nvidia-container-runtime"],
        );
        is_cured(
            of_a_node(),
            &run,
            &told,
            "DAEMON-CONTAINER-SETTING",
            WITHOUT_RUNTIME,
        );
    }
}

const RUNTIME_OF_A_NODE: &str = r#"{"default-runtime": "nvidia",
    "runtimes": {"nvidia": {"path": "nvidia-container-runtime", "runtimeArgs": []}}}"#;

const WITHOUT_RUNTIME: Cure = Done("Take `default-runtime` out of daemon.json", |pod| {
    pod.without_volumes_at("/etc/docker")
});

/// NVIDIA/nvidia-docker#375. No program can hand a GPU to this pod, which is what the fix asks for.
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
    let run = format!("set -e\n{IMPORT_BUSYBOX}\ndocker run --rm busybox echo inner");
    let id = "DAEMON-CONTAINER-SETTING";
    let by_file = || usual().configuration(r#"{"log-driver": "journald"}"#);
    let told = is_told_after(
        by_file(),
        &run,
        &["error DAEMON-CONTAINER-SETTING", "journald"],
    );
    is_cured(
        by_file(),
        &run,
        &told,
        id,
        Done("Take `log-driver` out of daemon.json", |pod| {
            pod.configuration_replaced("{}")
        }),
    );
    let by_flag = || usual().command(&["--log-driver", "journald", "--debug"]);
    let told = is_told_after(by_flag(), &run, &["Take --log-driver out", "--debug"]);
    is_cured(by_flag(), &run, &told, id, Pasted);
}

/// ConfigMaps are often mounted as the whole of /etc/docker, where Docker 20.10 keeps a key.
#[test]
fn a_config_map_in_the_place_of_etc_docker() {
    let whole = |suite| usual_on(suite).configuration(r#"{"mtu": 1400}"#);
    let told = is_explained(
        whole(Suite::Bookworm),
        "docker info",
        &["fatal DAEMON-KEY-FILE", "sub_path = \"daemon.json\""],
    );
    let mtu = "docker network inspect bridge | grep 1400";
    is_cured(
        whole(Suite::Bookworm),
        mtu,
        &told,
        "DAEMON-KEY-FILE",
        Pasted,
    );
    works(whole(Suite::Trixie), mtu);
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
