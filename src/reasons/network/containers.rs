//! What keeps a container of the job from its ports and its interface.

#[cfg(test)]
use crate::reasons::Sample;
use crate::reasons::advice::{Executor::Kubernetes, Place::Node, paste, say};

catalogue! { Network:

/// Not [`PORT_IN_USE`](super::PORT_IN_USE), which is about the daemon's own port, and comes first
/// for its words.
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
}
