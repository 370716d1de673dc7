//! Ports, sockets and packet filters.

use super::*;

fault!(
    a_port_that_another_service_of_the_pod_has,
    [docker_26],
    Fault {
        pod: |pod| pod
            .plain()
            .other_service("exec busybox httpd -f -p 2375")
            .entrypoint_script(
                "until grep -q ':0947 .* 0A ' /proc/net/tcp /proc/net/tcp6; do sleep 0.01; done; \
                 exec dockerd-entrypoint.sh"
            ),
        id: "NETWORK-PORT-IN-USE",
        fact: "a process outside this container listens on port 2375",
        fix: "keep one docker:dind",
        // Whoever has the port answers.
        client: Client::HearsNothing,
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
        ..Fault::USUAL
    }
);

fault!(
    a_file_in_the_sockets_place,
    [docker_26],
    Fault {
        pod: |pod| pod
            .plain()
            .entrypoint_script("echo a file > /run/docker.sock; exec dockerd-entrypoint.sh"),
        id: "NETWORK-SOCKET-BUSY",
        fact: "docker.sock is a file",
        fix: "DOCKER_HOST: unix:///",
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
        fix: "--default-address-pool",
        ..Fault::USUAL
    }
);

// The kernels of our machines all have NAT, so iptables' own words stand in for one that has not.
fault!(
    a_kernel_without_nat,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod)
            .program("/usr/local/sbin/iptables", WITHOUT_NAT)
            .program("/usr/local/sbin/iptables-restore", WITHOUT_NAT),
        id: "NETWORK-NAT-MISSING",
        fact: "TABLE_ADD failed (Not supported): table nat",
        fix: "modprobe",
        ..Fault::USUAL
    }
);

const WITHOUT_NAT: &str = r#"
    case "$0 $*" in
    *restore*) grep -q '^[*]nat' || exit 0 ;;
    *nat*) ;;
    *) exec "/usr/sbin/${0##*/}" "$@" ;;
    esac
    echo "iptables v1.8.11 (nf_tables): TABLE_ADD failed (Not supported): table nat" >&2
    exit 4"#;
