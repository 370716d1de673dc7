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

/// moby/moby#32675, moby/buildkit#2936: Docker keeps name servers with IPv6 addresses from networks
/// without IPv6.
#[test]
fn name_servers_of_ipv6_alone() {
    for suite in [Suite::Bookworm, Suite::Trixie, Suite::Sid] {
        let pod = usual_on(suite)
            .entrypoint_script(
                "echo nameserver fd00:10:96::a > /etc/resolv.conf; exec dockerd-entrypoint.sh",
            )
            .start();
        pod.job(&format!(
            "set -e\n{IMPORT_BUSYBOX}\ndocker run --rm busybox cat /etc/resolv.conf"
        ))
        .expect_success()
        .expect("nameserver 8.8.8.8");
        let log = pod.service_log();
        for part in ["warning NETWORK-DNS-IPV6", "fd00:10:96::a"] {
            assert!(log.contains(part), "{part} in {log}");
        }
    }
}
