//! What is too large for the pod's own network.

use crate::busybox::IMPORT_BUSYBOX;
use crate::pod::{Plan, Pod};
use crate::suite::Suite;
use crate::transcript::Transcript;
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

/// Whatever an inner container sends or gets comes through, on every network: what is too large is
/// refused at once, by its own network, and so the other side of a connection hears what it can
/// take.
#[test]
fn what_is_too_large_for_the_way_out_is_refused_in_the_container_docker_26() {
    too_large_is_refused_at_once(Suite::Trixie);
}

#[test]
fn what_is_too_large_for_the_way_out_is_refused_in_the_container_docker_28() {
    too_large_is_refused_at_once(Suite::Sid);
}

fn too_large_is_refused_at_once(suite: Suite) {
    let server = Server::start();
    let pod = on_a_small_network(Pod::new(suite)).start();
    for network in run_on_each_network(&pod) {
        download(&pod, network, &server)
            .expect_success()
            .expect("8388608");
        send(&pod, network, &server, 1400).expect("answered");
        send(&pod, network, &server, 1450).expect("refused: Message too long");
    }
}

/// The control: the same packets are lost, and a connection that such packets come from hangs.
#[test]
fn without_the_smaller_mtu_what_is_too_large_is_lost() {
    let server = Server::start();
    let pod = on_a_small_network(Pod::new(Suite::Trixie))
        .variable("DIND_MTU", "off")
        .start();
    for network in run_on_each_network(&pod) {
        download(&pod, network, &server).expect_failure();
        send(&pod, network, &server, 1400).expect("answered");
        // After this the container knows of the smaller MTU: the pod's kernel has told it.
        send(&pod, network, &server, 1450).expect("lost");
    }
}

/// Outside of the pod, on a network that takes 1500 bytes.
struct Server {
    _pod: Pod,
    address: String,
}

impl Server {
    fn start() -> Self {
        // Packets are as large on the way as they would be from outside of this machine.
        let pod = Pod::new(Suite::Trixie)
            .image(Suite::Trixie.base_image())
            .entrypoint_script(
                "ip link set eth0 gso_max_segs 1; busybox httpd -p 80 -h /srv
                head -c 8M /dev/zero > /srv/file; exec perl -MSocket -e '
                    socket my $s, AF_INET, SOCK_DGRAM, 0;
                    bind $s, sockaddr_in 7, INADDR_ANY or die $!;
                    while (my $from = recv $s, my $_packet, 9000, 0) { send $s, \"here\", 0, $from }'",
            )
            .start();
        let outcome = pod
            .in_service("until grep -q ':0007 ' /proc/net/udp; do sleep 0.1; done; hostname -I")
            .expect_success();
        let address = outcome.output().split_whitespace().next().unwrap();
        Self {
            address: address.to_owned(),
            _pod: pod,
        }
    }
}

/// Runs a container named after its network on the default bridge and on one of the job's own.
fn run_on_each_network(pod: &Pod) -> [&'static str; 2] {
    pod.job(&format!(
        "set -e\n{IMPORT_BUSYBOX}
        docker network create ours
        for network in bridge ours; do
            docker run --detach --name $network --network $network busybox sleep 1000
        done"
    ))
    .expect_success();
    ["bridge", "ours"]
}

/// Sends one packet of `size` bytes, IP header and all, that may not be fragmented.
fn send<'a>(pod: &'a Pod, container: &str, server: &Server, size: u32) -> Transcript<'a> {
    let payload = size - 28;
    in_network_of(
        pod,
        container,
        &format!(
            "perl -MSocket -e '
                socket my $s, AF_INET, SOCK_DGRAM, 0;
                setsockopt $s, IPPROTO_IP, {IP_MTU_DISCOVER}, {IP_PMTUDISC_DO} or die $!;
                connect $s, sockaddr_in 7, inet_aton \"{}\" or die $!;
                send $s, \"x\" x {payload}, 0 or print(\"refused: $!\"), exit;
                vec(my $readable, fileno $s, 1) = 1;
                my $came = select($readable, undef, undef, 2) && recv $s, my $answer, 9, 0;
                print $came ? \"answered\" : \"lost\"'",
            server.address
        ),
    )
    .expect_success()
}

fn download<'a>(pod: &'a Pod, container: &str, server: &Server) -> Transcript<'a> {
    let command = format!(
        "curl --silent --show-error --max-time 5 http://{}/file | wc -c",
        server.address
    );
    in_network_of(pod, container, &format!("bash -o pipefail -c '{command}'"))
}

/// Runs a program of the job's image in the network of a container.
fn in_network_of<'a>(pod: &'a Pod, container: &str, command: &str) -> Transcript<'a> {
    let inspect = format!("docker inspect --format '{{{{.State.Pid}}}}' {container}");
    let process = pod.job(&inspect).expect_success();
    let process = process.output().trim();
    pod.beside_service(&format!("exec nsenter --target {process} --net {command}"))
}

/// `man 7 ip`; perl does not know their names.
const IP_MTU_DISCOVER: u32 = 10;
const IP_PMTUDISC_DO: u32 = 2;

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
