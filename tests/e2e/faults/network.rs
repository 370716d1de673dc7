//! Ports, sockets and packet filters.

use super::*;

fault!(
    a_port_that_another_service_of_the_pod_has,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod)
            .other_service("exec busybox httpd -f -p 2376")
            .entrypoint_script(
                "until grep -q ':0948 .* 0A ' /proc/net/tcp /proc/net/tcp6; do sleep 0.01; done; \
                 exec dockerd-entrypoint.sh"
            ),
        id: "NETWORK-PORT-IN-USE",
        fact: "a process outside this container listens on port 2376",
        fix: "Keep one dind service",
        // Whoever has the port answers.
        client: Client::HearsNothing,
        cure: OutOfReach("the other service has to go"),
        // The service has ended: it has no port to explain anything on.
        check: Check::CannotKnow,
        ..Fault::USUAL
    }
);

fault!(
    a_directory_in_the_sockets_place,
    [docker_20, docker_26, docker_28],
    Fault {
        pod: |pod| with_certs(pod)
            .entrypoint_script("mkdir -p /run/docker.sock; exec dockerd-entrypoint.sh"),
        id: "NETWORK-SOCKET-BUSY",
        fact: "docker.sock is a directory",
        fix: "config.toml",
        cure: OutOfReach("the fault is made by a stand-in, which stays"),
        ..Fault::USUAL
    }
);

fault!(
    a_file_in_the_sockets_place,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod)
            .entrypoint_script("echo a file > /run/docker.sock; exec dockerd-entrypoint.sh"),
        id: "NETWORK-SOCKET-BUSY",
        fact: "docker.sock is a file",
        fix: "config.toml",
        cure: OutOfReach("the fault is made by a stand-in, which stays"),
        ..Fault::USUAL
    }
);

fault!(
    a_group_that_does_not_exist,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod).command(&["--group=ci"]),
        id: "NETWORK-SOCKET-GROUP",
        fact: "\"ci\"",
        fix: "--group",
        cure: Done("Take `--group` out of the service's `command`", |pod| pod
            .command(&[])),
        ..Fault::USUAL
    }
);

fault!(
    no_range_of_addresses_that_is_free,
    [docker_20, docker_26, docker_28],
    Fault {
        pod: |pod| with_certs(pod).entrypoint_script(
            "ip address add 10.213.0.1/24 dev eth0; \
             exec dockerd-entrypoint.sh --default-address-pool=base=10.213.0.0/24,size=24"
        ),
        id: "NETWORK-POOL-OVERLAP",
        fact: "10.213.0.0/24 has no network that is free",
        fix: "DIND_DOCKERD_ARGS: \"--bip 10.214.0.1/24 --default-address-pool base=10.215.0.0/16,size=24\"",
        ..Fault::USUAL
    }
);

// The kernels of our machines all have NAT, so iptables' own words stand in for one that has not.
fault!(
    a_kernel_without_nat,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod)
            .instead_of("iptables", WITHOUT_NAT)
            .instead_of("iptables-restore", WITHOUT_NAT),
        id: "NETWORK-NAT-MISSING",
        fact: "TABLE_ADD failed (Not supported): table nat",
        fix: "modprobe",
        cure: InVain("the fault is made by a stand-in, which stays"),
        ..Fault::USUAL
    }
);

const WITHOUT_NAT: &str = r#"
    case "$0 $*" in
    *restore*) grep -q '^[*]nat' || exit 0 ;;
    *nat*) ;;
    *) exec "$original" "$@" ;;
    esac
    echo "iptables v1.8.11 (nf_tables): TABLE_ADD failed (Not supported): table nat" >&2
    exit 4"#;

/// Legacy iptables beside what nftables has. A rule of an outer Docker's name server is none that
/// drops anything, and is the control.
#[test]
fn rules_of_nftables_beside_legacy_iptables() {
    for (rule, is_said) in [
        ("-A FORWARD -s 10.9.9.9 -j DROP", true),
        ("-t nat -A OUTPUT -d 127.0.0.11 -j RETURN", false),
    ] {
        let pod = with_certs(Pod::new(Suite::Trixie))
            .variable("DOCKER_IPTABLES_LEGACY", "1")
            .entrypoint_script(&format!(
                "mkdir -p /usr/local/sbin/.iptables-legacy; \
                 for program in iptables iptables-save iptables-restore ip6tables; do \
                     ln -s \"$(command -v \"$(echo $program | sed 's/tables/tables-legacy/')\")\" \
                         /usr/local/sbin/.iptables-legacy/$program; done; \
                 iptables-nft {rule}; exec dockerd-entrypoint.sh"
            ))
            .start();
        pod.job("docker info").expect_success();
        let log = pod.service_log();
        assert!(
            log.contains("(legacy): DOCKER_IPTABLES_LEGACY is set"),
            "{log}"
        );
        let said = log.contains("warning NETWORK-BACKEND-MIXED");
        assert_eq!(said, is_said, "{rule}\n{log}");
    }
}
