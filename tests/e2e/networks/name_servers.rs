//! Whom inner containers and builds ask for names.

use crate::busybox::IMPORT_BUSYBOX;
use crate::pod::{Plan, Pod};
use crate::suite::Suite;
use crate::transcript::Transcript;
use crate::volume::Volume;

/// What inner containers ask where the pod's name server is on its loopback interface.
#[test]
fn loopback_name_servers_are_said_and_a_network_of_the_jobs_own_reaches_them() {
    let pod = with_a_loopback_name_server(Pod::new(Suite::Trixie), "").start();
    pod.job(&format!(
        "set -e\n{IMPORT_BUSYBOX}
        docker network create job >/dev/null
        for network in bridge job; do
            echo $network $(docker run --rm --network $network busybox cat /etc/resolv.conf \\
                | grep -E '^nameserver|ExtServers')
        done"
    ))
    .expect_success()
    .expect("bridge nameserver 8.8.8.8")
    .expect("job nameserver 127.0.0.11 # ExtServers: [host(127.0.0.53)]");
    let log = pod.service_log();
    assert!(
        log.contains("dind-init: warning NETWORK-DNS-LOOPBACK"),
        "{log}"
    );
    assert!(log.contains("docker network create job"), "{log}");
}

/// Builds as well; Docker 28 lets them ask the pod's own name server on the pod's own network.
#[test]
fn with_loopback_name_servers_builds_ask_those_that_the_finding_says() {
    for suite in [Suite::Bookworm, Suite::Trixie, Suite::Sid] {
        let pod = with_a_loopback_name_server(Pod::new(suite), "").start();
        build(&pod, "default").expect("nameserver 8.8.8.8");
        let on_the_host_s_network = match major_version(&pod) {
            ..28 => "8.8.8.8",
            28.. => "127.0.0.53",
        };
        build(&pod, "host").expect(&format!("nameserver {on_the_host_s_network}"));
    }
}

/// The fix: dockerd hands on the name servers that it is given.
#[test]
fn builds_ask_the_name_servers_that_dockerd_is_given() {
    for suite in [Suite::Bookworm, Suite::Trixie, Suite::Sid] {
        let pod = with_a_loopback_name_server(Pod::new(suite), "--dns 10.0.0.2").start();
        build(&pod, "default").expect("nameserver 10.0.0.2");
        let log = pod.service_log();
        assert!(!log.contains("NETWORK-DNS-LOOPBACK"), "{log}");
    }
}

/// Of the Docker that is there: the image may be another than the suite's.
fn major_version(pod: &Pod) -> u32 {
    let asked = pod.job("docker version --format '{{.Server.Version}}'");
    let asked = asked.expect_success();
    let major = asked.output().split('.').next().unwrap();
    major.parse().unwrap()
}

fn with_a_loopback_name_server(plan: Plan, flags: &str) -> Plan {
    plan.certs(&Volume::memory()).entrypoint_script(&format!(
        "echo nameserver 127.0.0.53 > /etc/resolv.conf; exec dockerd-entrypoint.sh {flags}"
    ))
}

/// By BuildKit, with the one CLI that has it built in.
fn build<'a>(pod: &'a Pod, network: &str) -> Transcript<'a> {
    pod.job_on(
        Suite::Bookworm,
        &format!(
            "set -e\n{IMPORT_BUSYBOX}
            printf 'FROM busybox\\nRUN cat /etc/resolv.conf\\n' > /tmp/Dockerfile
            DOCKER_BUILDKIT=1 docker build --no-cache --progress plain --network {network} \\
                --file /tmp/Dockerfile /tmp/busybox"
        ),
    )
    .expect_success()
}
