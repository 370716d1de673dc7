//! What dockerd's rules need of iptables and of the node's kernel.

#[cfg(test)]
use crate::reasons::Sample;
use crate::reasons::{
    START_ANYWAY, Weight,
    advice::{Place::Node, job, paste, say},
    snippets,
};

catalogue! { Network:

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
}
