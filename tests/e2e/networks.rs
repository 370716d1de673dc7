//! The networks of inner containers, beside that of the pod.

use crate::docker_work::IMPORT_BUSYBOX;
use crate::pod::{Plan, Pod};
use crate::suite::Suite;
use crate::volume::Volume;

/// What inner containers can send at once: on the default bridge, and on a network like those of
/// docker compose.
const MTUS: &str = "
    docker network create ours >/dev/null
    for network in bridge ours; do
        echo $network $(docker run --rm --network $network busybox busybox cat /sys/class/net/eth0/mtu)
    done";

#[test]
fn every_network_has_the_pods_smaller_mtu_docker_26() {
    every_network_has_the_pods_smaller_mtu(Suite::Trixie);
}

#[test]
fn every_network_has_the_pods_smaller_mtu_docker_28() {
    every_network_has_the_pods_smaller_mtu(Suite::Sid);
}

fn every_network_has_the_pods_smaller_mtu(suite: Suite) {
    let pod = on_a_small_network(Pod::new(suite)).start();
    look_at_mtus(&pod, "bridge 1400", "ours 1400");
    let log = pod.service_log();
    assert!(log.contains("dind-init: note NETWORK-MTU"), "{log}");
}

/// It has no option for networks that a job makes, and would end if it were given one.
#[test]
fn docker_20_is_told_what_it_knows_and_the_job_the_rest() {
    let pod = on_a_small_network(Pod::new(Suite::Bookworm)).start();
    look_at_mtus(&pod, "bridge 1400", "ours 1500");
    let log = pod.service_log();
    assert!(log.contains("dind-init: warning NETWORK-MTU"), "{log}");
    assert!(log.contains("com.docker.network.driver.mtu: 1400"), "{log}");
}

/// The control, and the switch: dockerd by itself does not look.
#[test]
fn dind_mtu_off_leaves_dockerds_own() {
    let pod = on_a_small_network(Pod::new(Suite::Trixie))
        .variable("DIND_MTU", "off")
        .start();
    look_at_mtus(&pod, "bridge 1500", "ours 1500");
    let log = pod.service_log();
    assert!(log.contains("dind-init: warning NETWORK-MTU"), "{log}");
}

fn on_a_small_network(plan: Plan) -> Plan {
    plan.certs(&Volume::memory())
        .entrypoint_script("ip link set eth0 mtu 1400; exec dockerd-entrypoint.sh")
}

fn look_at_mtus(pod: &Pod, bridge: &str, ours: &str) {
    pod.job(&format!("set -e\n{IMPORT_BUSYBOX}\n{MTUS}"))
        .expect_success()
        .expect(bridge)
        .expect(ours);
}
