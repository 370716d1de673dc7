//! Whom containers reach, and by which ports.

use super::*;
use crate::busybox::IMPORT_BUSYBOX;
use crate::faults::paste::before_script;

/// graphprotocol/graph-node#1153, Kinto/kinto#357, with a service of the pod in the place of the
/// developer's own PostgreSQL.
#[test]
fn a_published_port_that_another_service_of_the_pod_has() {
    for suite in [Suite::Bookworm, Suite::Trixie, Suite::Sid] {
        is_told_after(
            usual_on(suite).other_service("exec busybox httpd -f -p 5432"),
            &format!(
                "set -e\n{IMPORT_BUSYBOX}
                docker run --detach --publish 5432:80 busybox httpd -f"
            ),
            &["error NETWORK-PUBLISHED-PORT", "of the pod share"],
        );
    }
}

/// The same by the job's own containers.
#[test]
fn a_published_port_that_another_container_has() {
    let publish = |port| format!("docker run --detach --publish {port}:80 busybox httpd -f");
    for suite in [Suite::Bookworm, Suite::Trixie, Suite::Sid] {
        let job = format!("set -e\n{IMPORT_BUSYBOX}\n{}\n", publish(8080));
        is_told_after(
            usual_on(suite),
            &format!("{job}{}", publish(8080)),
            &["error NETWORK-PUBLISHED-PORT"],
        );
        works(usual_on(suite), &format!("{job}{}", publish(18080)));
    }
}

/// jpetazzo/dind#132, actions/actions-runner-controller#1146 and #3794: two daemons at one table.
#[test]
fn tables_that_another_daemon_changes() {
    let busy = "case \"$*\" in
        *MASQUERADE*) echo 'iptables: Resource temporarily unavailable.' >&2; exit 4;;
        esac; exec \"$original\" \"$@\"";
    is_explained(
        usual().instead_of("iptables", busy),
        "docker info",
        &["fatal NETWORK-TABLES-BUSY", "keep one dind service"],
    );
}

/// docker-library/docker#175: official listened on 2375 twice.
#[test]
fn the_port_that_the_daemon_has_anyway() {
    works(
        Pod::new(Suite::Trixie)
            .plain()
            .variable("DOCKER_HOST", "tcp://localhost:2375"),
        "docker info",
    );
}

/// projectcalico/calico#2334, koderover/zadig#1952: a pod network of 1440 bytes.
#[test]
fn a_pod_network_of_less_than_usual() {
    works(
        usual().entrypoint_script("ip link set eth0 mtu 1440; exec dockerd-entrypoint.sh"),
        "docker network inspect bridge | grep 1440
        docker network create own
        docker network inspect own | grep 1440",
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

/// The same with one that answers: what is printed leads to it, and nothing else does.
#[test]
fn a_network_of_the_job_s_own_asks_a_name_server_of_ipv6() {
    let pod = usual()
        .entrypoint_script(&format!(
            "ip address add fd00:10:96::a/128 dev lo nodad
            perl -MIO::Socket::IP -e '{NAME_SERVER}' &
            echo nameserver fd00:10:96::a > /etc/resolv.conf
            exec dockerd-entrypoint.sh"
        ))
        .start();
    let ask = |network: &str| {
        let nslookup = "busybox busybox timeout 5 busybox nslookup inner.test";
        format!("docker run --rm {network} {nslookup} | grep 10.9.8.7")
    };
    pod.job(&format!("{IMPORT_BUSYBOX}\n{}", ask("")))
        .expect_failure();
    let told = before_script(&pod.service_log(), "NETWORK-DNS-IPV6");
    pod.job(&format!("{told}\n{}", ask("--network job")))
        .expect_success();
}

/// Says of every name that it is 10.9.8.7.
const NAME_SERVER: &str = r#"
    my $server = IO::Socket::IP->new(
        LocalHost => "fd00:10:96::a", LocalPort => 53, Proto => "udp") or die $@;
    while (defined $server->recv(my $asked, 512)) {
        my ($name, $type, $class) = substr($asked, 12) =~ /^(.*?\0)(..)(..)/s;
        my $knows = unpack("n", $type) == 1;
        my $answer = "\xc0\x0c" . pack("nnNnC4", 1, 1, 9, 4, 10, 9, 8, 7);
        $server->send(substr($asked, 0, 2) . pack("n5", 0x8180, 1, $knows, 0, 0)
            . $name . $type . $class . ($knows ? $answer : ""));
    }"#;
