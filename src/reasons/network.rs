//! Reasons about ports, sockets and the network.

use std::{io, path::Path};

#[cfg(test)]
use super::Sample;
use super::{
    Finding, Ignoring, START_ANYWAY, Weight,
    advice::{
        Advice,
        Executor::{Docker, Kubernetes},
        Place::{self, Node},
        job, paste, runner, say,
    },
    snippets::{self, dockerd_flags},
};

catalogue! { Network:

/// Not [`PORT_IN_USE`], which is about the daemon's own port, and comes first for its words.
PUBLISHED_PORT = Error "NETWORK-PUBLISHED-PORT" {
    summary: "a container publishes a port that is in use already",
    advice: &[
        say("A published port is opened in the service's container. Publish another one (`ports: [\"15432:5432\"]` in compose.yaml, `docker run --publish 15432:5432`), or none: containers of one network reach each other without."),
        say("All containers of the pod share their ports: it may be another service of the job that has this one, or a program that its script has started.").on(Kubernetes),
        say("If it is a container of an earlier step, `docker ps` shows it."),
    ],
    patterns: &[
        &["programming external connectivity", "address already in use"],
        &["programming external connectivity", "port is already allocated"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/containers/db/start returned error: driver failed programming external connectivity on endpoint db (1e56): Error starting userland proxy: listen tcp4 0.0.0.0:5432: bind: address already in use\"",
            source: "after Docker 26.1; graphprotocol/graph-node#1153",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/containers/db/start returned error: driver failed programming external connectivity on endpoint db (1e56): Bind for 0.0.0.0:5432 failed: port is already allocated\"",
            source: "after moby daemon/libnetwork/portallocator",
        },
    ],
}

VETH = Error "NETWORK-VETH" {
    summary: "the node's kernel makes no pairs of interfaces (veth), and a container's network is one",
    advice: &[
        paste("Load the module", Node, "modprobe veth"),
        say("If it is not found, the node's kernel was updated and still waits for the node's restart."),
    ],
    retryable: true,
    patterns: &[&["failed to add the host (", "pair interfaces: operation not supported"]],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.41/containers/1/start returned error: failed to create endpoint blissful_johnson on network bridge: failed to add the host (veth9754872) <=> sandbox (veth6a875bb) pair interfaces: operation not supported\"",
            source: "moby/moby#39188, #27426, #42229; Docker 20.10 to 28 have the words",
        },
    ],
}

PORT_IN_USE = Fatal "NETWORK-PORT-IN-USE" {
    summary: "the port of the Docker daemon is already in use",
    advice: &[
        say("Keep one dind service: the job's own in .gitlab-ci.yml, or the runner's in config.toml (`services`). All containers of a Kubernetes pod share their ports. If both are wanted, give the second one `variables: { DOCKER_TLS_CERTDIR: \"\" }`, which moves it to port 2375."),
    ],
    in_short: "keep one dind service",
    patterns: &[&["listen tcp", "bind: address already in use"]],
    #[cfg(test)]
    samples: &[Sample {
        text: "failed to load listeners: listen tcp 127.0.0.1:2376: bind: address already in use",
        source: "Docker 26.1.5, run beside another one",
    }],
}

/// The runner's word for it, on Docker, is "probably didn't start properly".
HEALTH_CHECK = Error "NETWORK-HEALTH-CHECK" {
    summary: "the runner waits for a port of the service that does not open",
    advice: &[
        job("Write the port that the service serves on as a number", "variables:\n  HEALTHCHECK_TCP_PORT: \"{port}\""),
    ],
    ignoring: Ignoring::Impossible("`dind-init lint` finds it, before there is a service"),
}

SOCKET_BUSY = Fatal "NETWORK-SOCKET-BUSY" {
    summary: "the place of the Docker daemon's unix socket is taken",
    advice: &[
        say("Take the volume at /var/run/docker.sock out of the runner's config.toml: a job uses either the node's Docker or its own."),
    ],
    in_short: "take the volume at var-run-docker-sock out of config toml",
    patterns: &[&["can't create unix socket"]],
    #[cfg(test)]
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
    advice: &[
        say("Correct the address at `--host` of the service's `command`, or at `hosts` in daemon.json. Without either, dind-init opens the right ones itself."),
    ],
    in_short: "take hosts out of daemon-json and host out of the command",
    patterns: &[&["no sockets found via socket activation"], &["failed to load listeners: "]],
    #[cfg(test)]
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
    advice: &[
        say("Take `--group` out of the service's `command` or DIND_DOCKERD_ARGS in .gitlab-ci.yml, or name a group that exists, or a number."),
    ],
    in_short: "name an existing group",
}

/// Tables are one network's, and each change of one is made as a whole.
TABLES_BUSY = Fatal "NETWORK-TABLES-BUSY" {
    summary: "another process changes this network's iptables rules at the same moment",
    advice: &[
        say("Try again. If it happens often, two daemons share one network: keep one dind service for a job, and do not give jobs the node's own network (`network_mode = \"host\"`, `hostNetwork: true`)."),
    ],
    in_short: "try again with one dind service",
    retryable: true,
    patterns: &[
        &["iptables", "resource temporarily unavailable"],
        &["holding the xtables lock"],
        &["iptables failed", "chain already exists"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "failed to start daemon: Error initializing network controller: Error creating default \"bridge\" network: Failed to Setup IP tables: Unable to enable NAT rule:  (iptables failed: iptables --wait -t nat -I POSTROUTING -s 172.18.0.0/16 ! -o docker0 -j MASQUERADE: iptables: Resource temporarily unavailable.\n  (exit status 4))",
            source: "after jpetazzo/dind#132, actions/actions-runner-controller#1146",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.41/containers/1/start returned error: driver failed programming external connectivity on endpoint udp-1: Error iptables FORWARD: Another app is currently holding the xtables lock; waiting (1s) for it to exit...\"",
            source: "after sameersbn/docker-gitlab#1921",
        },
        Sample {
            text: "failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to create NAT chain: iptables failed: iptables --wait -t nat -N DOCKER: iptables: Chain already exists.\n (exit status 1)",
            source: "after docker-archive/classicswarm#2649",
        },
    ],
}

BACKEND_MIXED = Fatal "NETWORK-BACKEND-MIXED" {
    summary: "iptables rules of both kinds, nftables and legacy, are mixed in this network, or the \
              kernel knows only one of them",
    advice: &[
        job("Let Docker use the kind that is there already", snippets::OTHER_IPTABLES),
    ],
    in_short: "set DOCKER-IPTABLES-LEGACY",
    ignoring: START_ANYWAY,
    patterns: &[&["unable to add return rule in", "chain"]],
    #[cfg(test)]
    samples: &[Sample {
        text: "failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to register \"bridge\" driver: unable to add return rule in DOCKER-ISOLATION-STAGE-1 chain:  (iptables failed: iptables --wait -A DOCKER-ISOLATION-STAGE-1 -j RETURN: iptables v1.8.10 (nf_tables):  RULE_APPEND failed (No such file or directory): rule in chain DOCKER-ISOLATION-STAGE-1\n (exit status 4))",
        source: "after docker-library/docker#467, Docker 25",
    }],
}

/// Any container that publishes a port needs it since Docker 28.
RAW_TABLE = Error "NETWORK-RAW-TABLE" {
    summary: "the node's kernel has no iptables table `raw`, which Docker 28 and newer want for \
              published ports",
    advice: &[
        job("Let Docker do without that protection", "variables:\n  DOCKER_INSECURE_NO_IPTABLES_RAW: 1"),
        paste("Or load the table", Node, "modprobe iptable_raw"),
    ],
    retryable: true,
    weight: Weight::Cause,
    patterns: &[
        &["unable to enable direct access filtering - drop rule"],
        &["unable to enable loopback filtering - drop rule"],
        &["tables table `raw'"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.48/containers/x/start returned error: failed to set up container networking: driver failed programming external connectivity on endpoint web: Unable to enable DIRECT ACCESS FILTERING - DROP rule:  (iptables failed: iptables --wait -t raw -A PREROUTING -p tcp -d 172.17.0.2 --dport 80 ! -i docker0 -j DROP: iptables v1.8.10 (legacy): can't initialize iptables table `raw': Table does not exist (do you need to insmod?)\\nPerhaps iptables or your kernel needs to be upgraded.\\n (exit status 3))\"",
            source: "after moby#49557, Docker 28; status 500",
        },
        Sample {
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=error msg=\"Handler for POST /containers/{name:.*}/start returned error\" error-response=\"driver failed programming external connectivity on endpoint web: Unable to enable LOOPBACK FILTERING - DROP rule: (iptables failed)\" method=POST module=api request-url=/v1.52/containers/x/start status=500",
            source: "after moby docker-v29.7.2 daemon/libnetwork; status 500",
        },
    ],
}

NAT_MISSING = Fatal "NETWORK-NAT-MISSING" {
    summary: "iptables cannot make NAT rules here, and Docker's bridge networks need them",
    advice: &[
        paste("Load the modules, now and at boot", Node, "modprobe -a ip_tables iptable_nat iptable_filter nf_nat xt_conntrack xt_addrtype xt_MASQUERADE"),
        job("Or use the other kind of iptables (1 for legacy, nothing for nftables)", snippets::OTHER_IPTABLES),
    ],
    in_short: "load the iptables modules on the node",
    retryable: true,
    ignoring: START_ANYWAY,
    patterns: &[
        &["failed to create nat chain", "iptables failed"],
        &["table_add failed"],
        &["chain_add failed"],
        &["rule_append failed"],
        &["can't initialize ip", "tables table `"],
    ],
    #[cfg(test)]
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
            text: "failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to create NAT chain DOCKER: iptables failed: iptables --wait -t nat -N DOCKER: iptables v1.8.10 (nf_tables):  CHAIN_ADD failed (No such file or directory): chain PREROUTING\n (exit status 4)",
            source: "after docker-library/docker#464",
        },
        Sample {
            text: "failed to start daemon: Error initializing network controller: Error creating default \"bridge\" network: Failed to Setup IP tables: Unable to enable NAT rule:  (iptables failed: iptables --wait -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE: iptables v1.8.10 (nf_tables):  RULE_APPEND failed (No such file or directory): rule in chain POSTROUTING\n (exit status 4))",
            source: "after docker-library/docker#468",
        },
    ],
}

/// dockerd lets it pass in a container, which it knows by `/.dockerenv`; Kubernetes has none.
BRIDGE_FILTER = Fatal "NETWORK-BRIDGE-FILTER" {
    summary: "the node's kernel does not filter bridges, and Docker was told to rely on that",
    advice: &[
        job("Go on without", "variables:\n  DOCKER_IGNORE_BR_NETFILTER_ERROR: 1"),
        paste("Or load it", Node, "modprobe br_netfilter"),
    ],
    in_short: "set DOCKER-IGNORE-BR-NETFILTER-ERROR",
    retryable: true,
    patterns: &[&["cannot restrict inter-container communication"]],
    #[cfg(test)]
    samples: &[Sample {
        text: "failed to start daemon: Error initializing network controller: error creating default \"bridge\" network: cannot restrict inter-container communication or run without the userland proxy: stat /proc/sys/net/bridge/bridge-nf-call-iptables: no such file or directory: set environment variable DOCKER_IGNORE_BR_NETFILTER_ERROR=1 to ignore",
        source: "after moby docker-v29.7.2 daemon/libnetwork; moby#49293",
    }],
}

/// The patterns are for a dockerd that does not start. What a job's `docker network create` gets is
/// status 400 or 404, and dockerd logs what it answers from status 500 on.
POOL_OVERLAP = Fatal "NETWORK-POOL-OVERLAP" {
    summary: "no range of addresses is left for Docker's networks, or theirs is in use outside",
    advice: &[
        job("Name ranges that are free in your network", dockerd_flags!("--bip {bridge} --default-address-pool base={pool},size=24")),
        say("A job that makes too many networks reads so in its own log, not here: `docker network prune`."),
    ],
    in_short: "give dockerd free ranges by bip and default-address-pool",
    ignoring: START_ANYWAY,
    patterns: &[
        &["all predefined address pools have been fully subnetted"],
        &["could not find an available, non-overlapping ipv4 address pool"],
        &["pool overlaps with other one on this address space"],
        &["list bridge addresses failed", "no available network"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "failed to start daemon: Error initializing network controller: error creating default \"bridge\" network: all predefined address pools have been fully subnetted",
            source: "after moby v28.5.2 libnetwork/ipamapi",
        },
        Sample {
            text: "failed to start daemon: Error initializing network controller: Error creating default \"bridge\" network: could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
            source: "after moby v26.1.5 libnetwork/ipam",
        },
        Sample {
            text: "failed to start daemon: Error initializing network controller: Error creating default \"bridge\" network: invalid pool request: Pool overlaps with other one on this address space",
            source: "after moby v28.5.2 libnetwork/ipamapi; 26.1.5 without `invalid pool request`",
        },
        Sample {
            text: "failed to start daemon: Error initializing network controller: list bridge addresses failed: PredefinedLocalScopeDefaultNetworks List: [10.213.0.0/24]: no available network",
            source: "Docker 20.10.24, run with no free network in its pool",
        },
    ],
}

FORWARDING = Error "NETWORK-FORWARDING" {
    summary: "the kernel does not forward packets here, so containers reach nothing",
    advice: &[
        say("Make the service privileged, so that dockerd can turn it on, and leave `--ip-forward=false` out."),
        runner("", snippets::PRIVILEGED_POD).on(Kubernetes),
        runner("", snippets::PRIVILEGED_CONTAINERS).on(Docker),
    ],
    in_short: "make the service privileged",
    weight: Weight::Cause,
    patterns: &[&["ipv4 forwarding is disabled"]],
    #[cfg(test)]
    samples: &[Sample {
        text: "failed to start daemon: Error initializing network controller: error creating default \"bridge\" network: IPv4 forwarding is disabled: check your host's firewalling and set sysctl net.ipv4.ip_forward=1, or disable this check using daemon option --ip-forward=false",
        source: "after moby docker-v29.7.2 daemon/libnetwork/drivers/bridge",
    }],
}

MTU = Warning "NETWORK-MTU" {
    summary: "Docker's networks send larger packets than this container's network takes, so \
              connections of inner containers hang",
    advice: &[
        job("Give Docker's networks the smaller MTU", "variables:\n  DIND_MTU: {bytes}"),
    ],
}

/// Without patterns: what dockerd logs about it ("No non-localhost DNS nameservers are left") Docker
/// 20.10 also logs where `--dns` has told it better.
DNS_LOOPBACK = Warning "NETWORK-DNS-LOOPBACK" {
    summary: "this container's only name servers are its own loopback addresses, so builds, and \
              containers on the default network, ask 8.8.8.8 instead",
    advice: OTHER_WAYS_TO_A_NAME_SERVER,
}

/// Docker hands none of them on to a network without IPv6 (moby/moby#32675).
DNS_IPV6 = Warning "NETWORK-DNS-IPV6" {
    summary: "this container's only name servers have IPv6 addresses, so builds, and containers on \
              the default network, ask 8.8.8.8 instead",
    advice: OTHER_WAYS_TO_A_NAME_SERVER,
}
}

const OTHER_WAYS_TO_A_NAME_SERVER: Advice = &[
    job(
        "Have Docker ask this container's own name servers, on a network of the job's own (docker compose has one). Before `docker run --network job`",
        "before_script: [docker network create job]",
    ),
    say(
        "For builds, use `docker build --network host`. Or give dockerd servers that containers can reach: `--dns` in DIND_DOCKERD_ARGS.",
    ),
];

/// The user's own `--mtu` is larger.
pub const MTU_GIVEN: Advice = &[say(
    "Take `--mtu` out of the service's `command` and DIND_DOCKERD_ARGS, and `mtu` out of \
     daemon.json: without them dockerd gets {bytes}, for the networks of the job as well.",
)];

/// dockerd leaves forwarding alone then.
pub const FORWARDING_WITH_NFTABLES: Advice = &[say(
    "Take firewall-backend out of DIND_DOCKERD_ARGS and the service's `command` in .gitlab-ci.yml, \
     and out of daemon.json: with iptables dockerd turns forwarding on itself.",
)];

/// dockerd cannot be told the MTU of networks that a job makes.
pub const MTU_OF_NETWORKS: Advice = &[
    paste(
        "Give networks the smaller MTU",
        Place::Compose,
        "networks:\n  default:\n    driver_opts:\n      com.docker.network.driver.mtu: {bytes}",
    ),
    say("For docker network create: `--opt com.docker.network.driver.mtu={bytes}`."),
];

/// A socket cannot be made in a container whose own file system is read-only.
pub const SOCKET_READ_ONLY: Advice = super::certs::READONLY_ROOT;

const SOCKET_DIRECTORY: Advice = &[say(
    "Take the volume at /var/run/docker.sock out of the runner's config.toml.",
)];

const SOCKET_LIVE: Advice = &[job(
    "Give each dind service a socket of its own, at the service",
    "variables:\n  DOCKER_HOST: unix:///runner/services/docker/docker.sock",
)];

const SOCKET_FILE: Advice = &[say(
    "Take what is mounted there out of `volumes` in the runner's config.toml, or the file out of \
     the image.",
)];

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
            "a process outside this container listens on port {port}, most likely a second dind \
             service: all containers of a Kubernetes pod share their ports. Docker commands reach \
             that one; this one, dind-init {}, does not start.",
            env!("CARGO_PKG_VERSION")
        ),
    };
    PORT_IN_USE.met(cause)
}

pub fn socket_busy(path: &Path, obstacle: Obstacle) -> Finding {
    let path = path.display();
    let (cause, advice) = match obstacle {
        Obstacle::Directory => (
            format!(
                "{path} is a directory; Docker makes one when it is told to mount a socket that \
                 does not exist."
            ),
            SOCKET_DIRECTORY,
        ),
        Obstacle::Mount => (
            format!("a volume is mounted on {path}."),
            SOCKET_BUSY.advice,
        ),
        Obstacle::LiveSocket => (
            format!("another Docker daemon answers on {path}."),
            SOCKET_LIVE,
        ),
        Obstacle::OtherFile => (format!("{path} is a file, not a socket."), SOCKET_FILE),
    };
    SOCKET_BUSY.advised(cause, advice, [])
}

/// An I/O error while a socket was made; `place` is its path or port.
pub fn socket_failed(place: &str, error: &io::Error) -> Finding {
    let cause = format!("{place}: {error}.");
    match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem => SOCKET.advised(cause, SOCKET_READ_ONLY, []),
        _ => SOCKET.met(cause),
    }
}

pub fn no_such_group(group: &str) -> Finding {
    SOCKET_GROUP.met(format!(
        "the group {group:?} is neither a number nor in /etc/group."
    ))
}
