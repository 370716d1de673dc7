//! Addresses that are used outside of the pod.

use crate::pod::{Plan, Pod};
use crate::suite::Suite;
use crate::volume::Volume;

/// A pod's network is seen through its default route alone, and dockerd would take 172.17.0.0/16.
#[test]
fn networks_keep_away_from_a_pod_in_docker_s_own_range() {
    for suite in [Suite::Bookworm, Suite::Trixie] {
        let pod = in_docker_s_range(Pod::new(suite)).start();
        let job = format!("set -e\n{SUBNETS}");
        let outcome = pod.job(&job).expect_success();
        outcome.expect("bridge 192.168.").expect("ours 192.168.");
        let log = pod.service_log();
        assert!(
            log.contains("dind-init: note NETWORK-POOL-OVERLAP"),
            "{log}"
        );
        assert!(
            log.contains("172.31.5.6 (this container's, on eth0)"),
            "{log}"
        );
    }
}

#[test]
fn networks_keep_away_from_gitlab_s_own_hosts_by_their_names() {
    let plan = Pod::new(Suite::Trixie).certs(&Volume::memory());
    let pod = plan
        .host_alias("gitlab.example.test", "10.200.1.2")
        .host_alias("registry.example.test", "172.20.1.2")
        .variable("CI_SERVER_HOST", "gitlab.example.test")
        .variable("CI_REGISTRY", "registry.example.test:5050")
        .start();
    let outcome = pod.job(&format!("set -e\n{SUBNETS}")).expect_success();
    outcome.expect("bridge 192.168.").expect("ours 192.168.");
    let log = pod.service_log();
    assert!(
        log.contains("172.20.1.2 (registry.example.test) is"),
        "{log}"
    );
    // What is outside of Docker's ranges is no reason, but no substitute either.
    assert!(!log.contains("gitlab.example.test"), "{log}");
    assert!(log.contains("192.168.0.0/16, 198.18.0.0/15"), "{log}");
}

/// The control: a name that nobody knows. A name server that does not answer is not waited for.
#[test]
fn a_name_server_that_is_silent_does_not_delay_the_start() {
    let pod = Pod::new(Suite::Trixie)
        .certs(&Volume::memory())
        .variable("CI_REGISTRY", "registry.example.test")
        .entrypoint_script(
            "iptables -I INPUT -p udp --dport 53 -j DROP
            echo nameserver 127.0.0.53 > /etc/resolv.conf
            exec dockerd-entrypoint.sh",
        )
        .start();
    // The certificates come with the port, which the shell before the init delays.
    let wait = "until (exec 3<>/dev/tcp/docker/2376) 2>/dev/null; do sleep 0.1; done";
    let outcome = pod.job(&format!("set -e\n{wait}\n{SUBNETS}"));
    let outcome = outcome.expect_success();
    outcome.expect("bridge 172.17.").expect("ours 172.18.");
    // A resolver that waits, beside the same silence: all containers of the pod have one network.
    let resolver = pod.job(
        "echo nameserver 127.0.0.53 > /etc/resolv.conf; ! getent ahostsv4 registry.example.test",
    );
    let resolver = resolver.expect_success().took();
    let check = pod.in_service("dind-init check").took();
    assert!(check < resolver / 5, "{check:.1?}, {resolver:.1?}");
}

/// The control, and the switch.
#[test]
fn dind_address_pools_off_leaves_dockerds_own() {
    let pod = in_docker_s_range(Pod::new(Suite::Trixie))
        .variable("DIND_ADDRESS_POOLS", "off")
        .start();
    let outcome = pod.job(&format!("set -e\n{SUBNETS}")).expect_success();
    outcome.expect("bridge 172.17.").expect("ours 172.18.");
}

fn in_docker_s_range(plan: Plan) -> Plan {
    plan.certs(&Volume::memory())
        .entrypoint_script("ip address add 172.31.5.6/32 dev eth0; exec dockerd-entrypoint.sh")
}

const SUBNETS: &str = "
    docker network create ours >/dev/null
    for network in bridge ours; do
        echo $network $(docker network inspect --format '{{(index .IPAM.Config 0).Subnet}}' $network)
    done";
