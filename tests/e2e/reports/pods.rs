//! What the pod is, or may not do.

use super::*;
use crate::busybox::IMPORT_BUSYBOX;

/// actions/actions-runner-controller#1423: `runAsUser` for an image that is made for root.
#[test]
fn a_user_of_the_pod_s_security_context() {
    let log = RunnerLog::new();
    let pod = usual()
        .service_option("--user=1000")
        .gitlab_job(&Volume::disk())
        .runner_log(&log)
        .start();
    pod.job("docker info")
        .expect_failure()
        .expect("PRIVILEGE-ROOTLESS-KIT")
        .expect("`run_as_user`");
    let told = log.text().unwrap();
    assert_eq!(told.matches("dind-init: fatal").count(), 1, "{told}");
}

/// actions/actions-runner-controller#263: one mistake, told once.
#[test]
fn a_read_only_root() {
    let read_only = || {
        usual()
            .service_option("--read-only")
            .service_option("--read-only-tmpfs=false")
    };
    let log = RunnerLog::new();
    let pod = read_only()
        .gitlab_job(&Volume::disk())
        .runner_log(&log)
        .start();
    pod.job("docker info").expect_failure();
    let told = log.text().unwrap();
    assert!(told.contains("read_only_root_filesystem = false"), "{told}");
    assert_eq!(told.matches("dind-init: fatal").count(), 1, "{told}");
}

/// moby/moby#22139, GoogleContainerTools/kaniko#758, coder/envbox#175: capabilities in place of
/// `privileged`. dockerd starts, and the first container does not.
#[test]
fn capabilities_in_place_of_privileged() {
    let log = RunnerLog::new();
    let pod = usual()
        .unprivileged()
        .service_option("--cap-add=SYS_ADMIN,NET_ADMIN")
        .service_option("--security-opt=seccomp=unconfined")
        .gitlab_job(&Volume::disk())
        .runner_log(&log)
        .start();
    pod.job(&format!(
        "set -e\n{IMPORT_BUSYBOX}\ndocker run --rm busybox echo inner"
    ))
    .expect_failure();
    let told = log.text().unwrap();
    for part in ["error CGROUP-READONLY", "privileged = true"] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

/// cattle-ops/terraform-aws-gitlab-runner#357: the runner has a dind service, and so has the job.
#[test]
fn two_dind_services() {
    let certs = [Volume::memory(), Volume::memory()];
    let log = RunnerLog::new();
    let [first, second] = certs.map(|certs| {
        Pod::new(Suite::Trixie)
            .certs(&certs)
            .gitlab_job(&Volume::disk())
            .runner_log(&log)
    });
    let pod = first.start();
    pod.job("docker info").expect_success();
    assert_eq!(log.text().unwrap(), "");
    let second = second.start_in(&pod);
    let outcome = pod.job("docker info").expect_success();
    for part in [
        "fatal NETWORK-PORT-IN-USE",
        "most likely a second dind service",
        "Keep one dind service",
    ] {
        wait_for(&log, part, &outcome);
    }
    drop(second);
}

/// moby/moby#47895: a kernel without IPv6's NAT.
#[test]
fn no_ip6tables() {
    let fails = "echo \"can't initialize ip6tables table nat: Table does not exist\" >&2; exit 3";
    works(
        usual()
            .instead_of("ip6tables", fails)
            .instead_of("ip6tables-restore", fails),
        &format!("set -e\n{IMPORT_BUSYBOX}\ndocker run --rm busybox echo inner"),
    );
}

/// testcontainers/testcontainers-java#6321, #5857: a port of an inner container, from the job.
#[test]
fn a_published_port() {
    works(
        usual(),
        &format!(
            "set -e\n{IMPORT_BUSYBOX}
            docker run --detach --publish 8080:80 busybox httpd -f >/dev/null
            until (exec 3<>/dev/tcp/docker/8080) 2>/dev/null; do sleep 0.1; done"
        ),
    );
}

/// testcontainers/testcontainers-java#529: Drone's plugin, on a runner that is not privileged.
#[test]
fn a_plugin_that_starts_dockerd_itself() {
    let plan = || {
        Pod::new(Suite::Trixie).plain().unprivileged().command(&[
            "dockerd-entrypoint.sh",
            "dockerd",
            "--data-root=/var/lib/docker",
            "--storage-driver=overlay2",
            "--host=tcp://0.0.0.0:2375",
            "--host=unix:///var/run/docker.sock",
        ])
    };
    let told = is_explained(plan(), "docker info", &["fatal NOT-PRIVILEGED"]);
    let wait = "until docker info; do sleep 0.1; done";
    is_cured(plan(), wait, &told, "NOT-PRIVILEGED", Pasted);
}

/// jenkinsci/kubernetes-plugin#830: an empty volume in the place of the socket.
#[test]
fn a_volume_in_the_socket_s_place() {
    let plan = || usual().volume(&Volume::disk(), "/var/run/docker.sock");
    let told = is_explained(plan(), "docker info", &["fatal NETWORK-SOCKET-BUSY"]);
    is_cured(
        plan(),
        "docker info",
        &told,
        "NETWORK-SOCKET-BUSY",
        Done("/var/run/docker.sock", |pod| {
            pod.without_volumes_at("/var/run/docker.sock")
        }),
    );
}

/// moby/moby#9868, docker/for-linux#343: dockerd lives on, and the containers of the job do not
/// start. The kernel's count tells which of the limits it was.
#[test]
fn a_limit_of_processes_that_only_containers_meet() {
    let log = RunnerLog::new();
    let pod = usual()
        .service_option("--pids-limit=60")
        .gitlab_job(&Volume::disk())
        .runner_log(&log)
        .start();
    let outcome = pod
        .job(&format!(
            "set -e\n{IMPORT_BUSYBOX}\nfor try in $(seq 20); do docker run -d busybox sleep 60; done"
        ))
        .expect_failure();
    wait_for(&log, "error PRIVILEGE-PROCESSES", &outcome);
}

/// docker/for-linux#791: what a daemon wrote last is not on the disk.
#[test]
fn a_data_directory_that_lacks_what_a_killed_daemon_wrote() {
    let log = RunnerLog::new();
    let pod = usual().gitlab_job(&Volume::disk()).runner_log(&log).start();
    pod.job(&format!(
        "set -e\n{IMPORT_BUSYBOX}\ndocker run --rm busybox echo"
    ))
    .expect_success();
    pod.in_service("rm /var/lib/docker/overlay2/l/*")
        .expect_success();
    let outcome = pod.job("docker run --rm busybox echo").expect_failure();
    wait_for(&log, "error STORAGE-DAMAGED", &outcome);
}
