//! What Docker's networks need of the network outside: free addresses, forwarding, the size of
//! packets, name servers.

#[cfg(test)]
use crate::reasons::Sample;
use crate::reasons::{
    START_ANYWAY, Weight,
    advice::{
        Advice,
        Executor::{Docker, Kubernetes},
        Place, job, paste, runner, say,
    },
    snippets::{self, dockerd_flags},
};

catalogue! { Network:

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
