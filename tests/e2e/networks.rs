//! The networks of inner containers, beside that of the pod.

use crate::busybox::IMPORT_BUSYBOX;
use crate::outcome::Outcome;
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
fn send<'a>(pod: &'a Pod, container: &str, server: &Server, size: u32) -> Outcome<'a> {
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

fn download<'a>(pod: &'a Pod, container: &str, server: &Server) -> Outcome<'a> {
    let command = format!(
        "curl --silent --show-error --max-time 5 http://{}/file | wc -c",
        server.address
    );
    in_network_of(pod, container, &format!("bash -o pipefail -c '{command}'"))
}

/// Runs a program of the service's in the network of a container.
fn in_network_of<'a>(pod: &'a Pod, container: &str, command: &str) -> Outcome<'a> {
    let inspect = "DOCKER_TLS_VERIFY= docker --host unix:///run/docker.sock inspect --format '{{.State.Pid}}'";
    pod.in_service(&format!(
        "exec nsenter --target \"$({inspect} {container})\" --net {command}"
    ))
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
    let outcome = pod.job(&format!("set -e\n{SUBNETS}")).expect_success();
    outcome.expect("bridge 172.17.").expect("ours 172.18.");
    let seconds = |command: &str| {
        let script = format!("TIMEFORMAT=took=%R; time {{ {command}; }} > /dev/null 2>&1");
        let outcome = pod.run_in_service("root", &[], &["bash", "-c", &script]);
        let output = outcome.output();
        let (_, took) = output.rsplit_once("took=").expect(output);
        took.trim().parse::<f64>().unwrap()
    };
    let resolver = seconds("getent ahostsv4 registry.example.test");
    let check = seconds("dind-init check");
    assert!(check < resolver / 5.0, "{check} s, {resolver} s");
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
    for (suite, on_the_host_s_network) in [
        (Suite::Bookworm, "8.8.8.8"),
        (Suite::Trixie, "8.8.8.8"),
        (Suite::Sid, "127.0.0.53"),
    ] {
        let pod = with_a_loopback_name_server(Pod::new(suite), "").start();
        build(&pod, "default").expect("nameserver 8.8.8.8");
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

fn with_a_loopback_name_server(plan: Plan, flags: &str) -> Plan {
    plan.certs(&Volume::memory()).entrypoint_script(&format!(
        "echo nameserver 127.0.0.53 > /etc/resolv.conf; exec dockerd-entrypoint.sh {flags}"
    ))
}

/// By BuildKit, with the one CLI that has it built in.
fn build<'a>(pod: &'a Pod, network: &str) -> Outcome<'a> {
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
