//! Reasons about ports, sockets and the network.

use std::{io, path::Path};

use super::{Finding, Ignoring, START_ANYWAY, Sample, Weight};

catalogue! { Network:

PORT_IN_USE = Fatal "NETWORK-PORT-IN-USE" {
    summary: "the port of the Docker daemon is already in use",
    advice: "\
Keep one dind service: the job's in .gitlab-ci.yml, or the runner's in config.toml ([[services]]).
Containers of one Kubernetes pod share their ports. A second daemon needs the other port, in
.gitlab-ci.yml:
    services:
      - name: docker:dind
        alias: docker
        variables: { DOCKER_TLS_CERTDIR: \"\" }",
    patterns: &[&["listen tcp", "bind: address already in use"]],
    samples: &[Sample {
        text: "failed to load listeners: listen tcp 127.0.0.1:2376: bind: address already in use",
        source: "Docker 26.1.5, run beside another one",
    }],
}

/// The runner's word for it, on Docker, is "probably didn't start properly".
HEALTH_CHECK = Error "NETWORK-HEALTH-CHECK" {
    summary: "the runner waits for a port of the service that does not open",
    advice: "\
Write the port that the service serves on as a number, 2376 with TLS and 2375 without, in
.gitlab-ci.yml:
    services:
      - name: docker:dind
        alias: docker
        variables: { HEALTHCHECK_TCP_PORT: \"2376\" }",
    ignoring: Ignoring::Impossible("`dind-init lint` finds it, before there is a service"),
}

SOCKET_BUSY = Fatal "NETWORK-SOCKET-BUSY" {
    summary: "the place of the Docker daemon's unix socket is taken",
    advice: "\
Take \"/var/run/docker.sock:/var/run/docker.sock\" out of `volumes` in the runner's config.toml: a
job uses either the node's Docker or its own. Or name another place, in .gitlab-ci.yml:
    variables:
      DOCKER_HOST: unix:///runner/services/docker/docker.sock",
    patterns: &[&["can't create unix socket"]],
    samples: &[
        Sample {
            text: "failed to load listeners: can't create unix socket /var/run/docker.sock: is a directory",
            source: "Docker 26.1.5, run with a directory there",
        },
        Sample {
            text: "failed to load listeners: can't create unix socket /var/run/docker.sock: device or resource busy",
            source: "Docker 20.10.24, run with the node's socket mounted",
        },
    ],
}

SOCKET = Fatal "NETWORK-SOCKET" {
    summary: "the Docker daemon's socket could not be opened",
    advice: "See the cause: the path or port is named there, with what the system said.",
    patterns: &[&["no sockets found via socket activation"], &["failed to load listeners: "]],
    samples: &[
        Sample {
            text: "failed to load listeners: no sockets found via socket activation: make sure the service was started by systemd",
            source: "Docker 26.1.5, run with --host=fd://",
        },
        Sample {
            text: "failed to load listeners: listen tcp 10.9.9.9:2376: bind: cannot assign requested address",
            source: "after moby docker-v29.7.2 daemon/listeners",
        },
    ],
}

SOCKET_GROUP = Fatal "NETWORK-SOCKET-GROUP" {
    summary: "the group of the Docker daemon's unix socket does not exist",
    advice: "\
Name an existing group or a number, in .gitlab-ci.yml:
    services:
      - name: docker:dind
        command: [\"--group\", \"0\"]",
}

BACKEND_MIXED = Fatal "NETWORK-BACKEND-MIXED" {
    summary: "iptables rules of both kinds, nftables and legacy, are mixed in this network",
    advice: "\
Let Docker use the kind that is there already, in .gitlab-ci.yml (1 for legacy, \"\" for nftables):
    variables:
      DOCKER_IPTABLES_LEGACY: 1",
    ignoring: START_ANYWAY,
    patterns: &[&["unable to add return rule in", "chain"]],
    samples: &[Sample {
        text: "failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to register \"bridge\" driver: unable to add return rule in DOCKER-ISOLATION-STAGE-1 chain:  (iptables failed: iptables --wait -A DOCKER-ISOLATION-STAGE-1 -j RETURN: iptables v1.8.10 (nf_tables):  RULE_APPEND failed (No such file or directory): rule in chain DOCKER-ISOLATION-STAGE-1\n (exit status 4))",
        source: "after docker-library/docker#467, Docker 25",
    }],
}

/// Any container that publishes a port needs it since Docker 28.
RAW_TABLE = Error "NETWORK-RAW-TABLE" {
    summary: "the node's kernel has no iptables table `raw`, which Docker 28 and newer want for \
              published ports",
    advice: "\
Load it on the node:
    modprobe iptable_raw
Or do without that protection, in .gitlab-ci.yml:
    variables:
      DOCKER_INSECURE_NO_IPTABLES_RAW: 1",
    retryable: true,
    weight: Weight::Cause,
    patterns: &[
        &["unable to enable direct access filtering - drop rule"],
        &["unable to enable loopback filtering - drop rule"],
        &["tables table `raw'"],
    ],
    samples: &[
        Sample {
            text: "docker: Error response from daemon: failed to set up container networking: driver failed programming external connectivity on endpoint web: Unable to enable DIRECT ACCESS FILTERING - DROP rule:  (iptables failed: iptables --wait -t raw -A PREROUTING -p tcp -d 172.17.0.2 --dport 80 ! -i docker0 -j DROP: iptables v1.8.10 (legacy): can't initialize iptables table `raw': Table does not exist (do you need to insmod?)\nPerhaps iptables or your kernel needs to be upgraded.\n (exit status 3))",
            source: "after moby#49557, Docker 28",
        },
        Sample {
            text: "docker: Error response from daemon: driver failed programming external connectivity on endpoint web: Unable to enable LOOPBACK FILTERING - DROP rule: (iptables failed)",
            source: "after moby docker-v29.7.2 daemon/libnetwork",
        },
        Sample {
            text: "iptables v1.8.10 (legacy): can't initialize iptables table `raw': Table does not exist (do you need to insmod?)",
            source: "after iptables 1.8.10",
        },
    ],
}

NAT_MISSING = Fatal "NETWORK-NAT-MISSING" {
    summary: "iptables cannot make NAT rules here, and Docker's bridge networks need them",
    advice: "\
Load the modules on the node, once and at boot:
    modprobe -a ip_tables iptable_nat iptable_filter nf_nat xt_conntrack xt_addrtype xt_MASQUERADE
Or use the other kind of iptables, in .gitlab-ci.yml (1 for legacy, \"\" for nftables):
    variables:
      DOCKER_IPTABLES_LEGACY: 1",
    retryable: true,
    ignoring: START_ANYWAY,
    patterns: &[
        &["failed to create nat chain", "iptables failed"],
        &["table_add failed"],
        &["chain_add failed"],
        &["rule_append failed"],
        &["can't initialize ip", "tables table `"],
    ],
    samples: &[
        Sample {
            text: "failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to create NAT chain DOCKER: iptables failed: iptables --wait -t nat -N DOCKER: iptables v1.8.10 (nf_tables): TABLE_ADD failed (Not supported): table nat\n (exit status 4)",
            source: "after docker-library/docker#463",
        },
        Sample {
            text: "failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to register \"bridge\" driver: failed to create NAT chain DOCKER: iptables failed: iptables --wait -t nat -N DOCKER: iptables v1.8.11 (legacy): can't initialize iptables table `nat': Table does not exist (do you need to insmod?)\nPerhaps iptables or your kernel needs to be upgraded.\n (exit status 3)",
            source: "after docker-library/docker#350, with Docker 29's wording",
        },
        Sample {
            text: "iptables v1.8.10 (nf_tables):  CHAIN_ADD failed (No such file or directory): chain PREROUTING",
            source: "after docker-library/docker#464",
        },
        Sample {
            text: "iptables v1.8.10 (nf_tables):  RULE_APPEND failed (No such file or directory): rule in chain POSTROUTING",
            source: "after docker-library/docker#468",
        },
    ],
}

/// dockerd lets it pass in a container, which it knows by `/.dockerenv`; Kubernetes has none.
BRIDGE_FILTER = Fatal "NETWORK-BRIDGE-FILTER" {
    summary: "the node's kernel does not filter bridges, and Docker was told to rely on that",
    advice: "\
Load it on the node:
    modprobe br_netfilter
Or go on without, in .gitlab-ci.yml:
    variables:
      DOCKER_IGNORE_BR_NETFILTER_ERROR: 1",
    retryable: true,
    patterns: &[&["cannot restrict inter-container communication"]],
    samples: &[Sample {
        text: "failed to start daemon: Error initializing network controller: error creating default \"bridge\" network: cannot restrict inter-container communication or run without the userland proxy: stat /proc/sys/net/bridge/bridge-nf-call-iptables: no such file or directory: set environment variable DOCKER_IGNORE_BR_NETFILTER_ERROR=1 to ignore",
        source: "after moby docker-v29.7.2 daemon/libnetwork; moby#49293",
    }],
}

POOL_OVERLAP = Fatal "NETWORK-POOL-OVERLAP" {
    summary: "no range of addresses is left for Docker's networks, or theirs is in use outside",
    advice: "\
Name a range that is free in your network, in .gitlab-ci.yml:
    services:
      - name: docker:dind
        alias: docker
        command: [\"--bip\", \"10.213.0.1/24\", \"--default-address-pool\", \"base=10.214.0.0/16,size=24\"]
A job that makes many networks should remove them: docker network prune.",
    ignoring: START_ANYWAY,
    patterns: &[
        &["all predefined address pools have been fully subnetted"],
        &["could not find an available, non-overlapping ipv4 address pool"],
        &["pool overlaps with other one on this address space"],
        &["list bridge addresses failed", "no available network"],
    ],
    samples: &[
        Sample {
            text: "Error response from daemon: all predefined address pools have been fully subnetted",
            source: "Docker 28.5.2, run with two networks in a pool for one",
        },
        Sample {
            text: "Error response from daemon: could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
            source: "Docker 26.1.5, run with two networks in a pool for one",
        },
        Sample {
            text: "Error response from daemon: invalid pool request: Pool overlaps with other one on this address space",
            source: "Docker 28.5.2, run; 26.1.5 without the first words",
        },
        Sample {
            text: "failed to start daemon: Error initializing network controller: list bridge addresses failed: PredefinedLocalScopeDefaultNetworks List: [10.213.0.0/24]: no available network",
            source: "Docker 20.10.24, run with no free network in its pool",
        },
    ],
}

FORWARDING = Error "NETWORK-FORWARDING" {
    summary: "the kernel does not forward packets here, so containers reach nothing",
    advice: "\
Make the service privileged, so that dockerd can turn it on, and leave out `--ip-forward=false`. In
the runner's config.toml ([runners.docker] for the Docker executor):
    [runners.kubernetes]
    privileged = true",
    weight: Weight::Cause,
    patterns: &[&["ipv4 forwarding is disabled"]],
    samples: &[Sample {
        text: "IPv4 forwarding is disabled: check your host's firewalling",
        source: "after moby docker-v29.7.2 daemon/libnetwork",
    }],
}

MTU = Warning "NETWORK-MTU" {
    summary: "Docker's networks send larger packets than this container's network takes, so \
              connections of inner containers hang",
    advice: "\
Give dockerd the MTU that the cause names, in .gitlab-ci.yml:
    services:
      - name: docker:dind
        alias: docker
        command:
          - --mtu=1400
          - --default-network-opt=bridge=com.docker.network.driver.mtu=1400",
}

/// Without patterns: what dockerd logs about it ("No non-localhost DNS nameservers are left") Docker
/// 20.10 also logs where `--dns` has told it better.
DNS_LOOPBACK = Warning "NETWORK-DNS-LOOPBACK" {
    summary: "this container's only name servers are its own loopback addresses, so builds, and \
              containers on the default network, ask 8.8.8.8 instead",
    advice: "\
Give dockerd name servers that containers can reach; builds ask them, too. In .gitlab-ci.yml:
    services:
      - name: docker:dind
        alias: docker
        command: [\"--dns\", \"10.0.0.2\"]
Or have Docker ask this container's own: with Docker 28 by `docker build --network host`, and on a
network of the job's own (docker compose has one). Before `docker run --network job`, in
.gitlab-ci.yml:
    before_script: [docker network create job]",
}
}

/// For networks whose MTU dockerd cannot be told.
pub fn compose_mtu(bytes: u32) -> String {
    format!(
        "in the job's compose.yaml:\n    networks:\n      default:\n        driver_opts:\n          \
         com.docker.network.driver.mtu: {bytes}\n\
         and for docker network create: --opt com.docker.network.driver.mtu={bytes}"
    )
}

/// What lies where the unix socket should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Obstacle {
    Directory,
    Mount,
    LiveSocket,
    OtherFile,
}

/// `holder` says which process of this container it is, where that is known.
pub fn port_in_use(port: u16, holder: Option<&str>) -> Finding {
    let cause = match holder {
        Some(holder) => format!("{holder} listens on port {port}."),
        None => format!(
            "a process outside this container listens on port {port}: containers of one \
             Kubernetes pod share their ports, so two docker:dind services collide."
        ),
    };
    PORT_IN_USE.found(
        cause,
        "keep one docker:dind under `services:` of the job in .gitlab-ci.yml; a second one\n\
         needs the other port (variables of that service: DOCKER_TLS_CERTDIR: \"\" moves it to 2375).",
    )
}

pub fn socket_busy(path: &Path, obstacle: Obstacle) -> Finding {
    let (cause, fix) = match obstacle {
        Obstacle::Directory => (
            format!(
                "{} is a directory; Docker makes one when it is told to mount a socket that \
                 does not exist.",
                path.display()
            ),
            "remove the volume that is mounted there from the runner's config.toml.",
        ),
        Obstacle::Mount => (
            format!("a volume is mounted on {}.", path.display()),
            "remove \"/var/run/docker.sock:/var/run/docker.sock\" from `volumes` in the runner's\n\
             config.toml: a job uses either the node's Docker or its own, not both.",
        ),
        Obstacle::LiveSocket => (
            format!("another Docker daemon answers on {}.", path.display()),
            "give each docker:dind service a socket of its own:\n\
             DOCKER_HOST: unix:///runner/services/<name>/docker.sock",
        ),
        Obstacle::OtherFile => (
            format!("{} is a file, not a socket.", path.display()),
            "remove it, or name another place: DOCKER_HOST: unix:///<directory>/docker.sock",
        ),
    };
    SOCKET_BUSY.found(cause, fix)
}

/// An I/O error while a socket was made; `place` is its path or port.
pub fn socket_failed(place: &str, error: &io::Error) -> Finding {
    SOCKET.found(format!("{place}: {error}."), "")
}

pub fn no_such_group(group: &str) -> Finding {
    SOCKET_GROUP.found(
        format!("the group {group:?} is neither a number nor in /etc/group."),
        "name an existing group with --group, or its number.",
    )
}
