//! Docker 29, which none of our machines has: what its sources log (moby at docker-v29.7.2, put
//! together from their words) reaches its reason, or none where it means nothing.

use super::{End, Recogniser};
use crate::dockerd::ended::Ended;

/// For what means nothing.
const NONE: &str = "DAEMON-UNKNOWN";

const LINES: &[(&str, &str)] = &[
    (
        "NETWORK-NAT-MISSING",
        "failed to start daemon: Error initializing network controller: failed to register \"bridge\" driver: failed to create NAT chain DOCKER: iptables failed: iptables --wait -t nat -N DOCKER: iptables v1.8.11 (nf_tables): Could not fetch rule set generation id: Invalid argument",
    ),
    (
        "NETWORK-BACKEND-MIXED",
        "failed to start daemon: Error initializing network controller: unable to add return rule in DOCKER-ISOLATION-STAGE-1 chain: (iptables failed: x)",
    ),
    (
        NONE,
        "ip6tables is enabled, but cannot set up ip6tables chains",
    ),
    (
        "DAEMON-IPTABLES",
        "failed to start daemon: Error initializing network controller: failed to register \"bridge\" driver: failed to find iptables: iptables not found",
    ),
    (
        "NETWORK-POOL-OVERLAP",
        "failed to start daemon: Error initializing network controller: error creating default \"bridge\" network: all predefined address pools have been fully subnetted",
    ),
    (
        "NETWORK-BRIDGE-FILTER",
        "failed to start daemon: Error initializing network controller: error creating default \"bridge\" network: cannot restrict inter-container communication or run without the userland proxy: stat /proc/sys/net/bridge/bridge-nf-call-iptables: no such file or directory: set environment variable DOCKER_IGNORE_BR_NETFILTER_ERROR=1 to ignore",
    ),
    (
        "NETWORK-FORWARDING",
        "failed to start daemon: Error initializing network controller: error creating default \"bridge\" network: IPv4 forwarding is disabled: check your host's firewalling and set sysctl net.ipv4.ip_forward=1, or disable this with daemon option --ip-forward=false",
    ),
    (
        "NETWORK-PORT-IN-USE",
        "failed to load listeners: listen tcp 0.0.0.0:2375: bind: address already in use",
    ),
    (
        "NETWORK-SOCKET-BUSY",
        "failed to load listeners: can't create unix socket /var/run/docker.sock: device or resource busy",
    ),
    (
        "NETWORK-SOCKET",
        "failed to load listeners: no sockets found via socket activation: make sure the service was started by systemd",
    ),
    (
        "DAEMON-CONTAINERD",
        "failed to start containerd: timeout waiting for containerd to start",
    ),
    ("DAEMON-CONTAINERD", "containerd is still running"),
    ("STORAGE-IN-USE", "waiting for response from boltdb open"),
    (
        "STORAGE-IN-USE",
        "failed to start daemon: error while opening volume store metadata database (/var/lib/docker/volumes/metadata.db): timeout",
    ),
    (
        "STORAGE-IN-USE",
        "failed to start daemon: Error initializing network controller: boltdb file /var/lib/docker/network/files/local-kv.db is already open",
    ),
    (
        "STORAGE-ON-OVERLAY",
        "time=\"2026-08-06T10:00:00Z\" level=error msg=\"failed to mount overlay: invalid argument\" storage-driver=overlay2",
    ),
    (
        "STORAGE-ON-OVERLAY",
        "time=\"2026-08-06T10:00:00Z\" level=error msg=\"Handler for POST /containers/create returned error\" error-response=\"failed to mount /tmp/containerd-mount1234: mount source: \\\"overlay\\\", target: \\\"/tmp/containerd-mount1234\\\", fstype: overlay, flags: 0, data: \\\"x\\\", err: invalid argument\" method=POST module=api request-url=/v1.52/containers/create status=500",
    ),
    (
        "STORAGE-SLOW-DRIVER",
        "Preferred snapshotter not available in containerd",
    ),
    (
        "STORAGE-UNSUITABLE-FS",
        "failed to start daemon: snapshotter selection failed, no drivers available",
    ),
    (
        "STORAGE-DRIVER-CONFLICT",
        "failed to start daemon: configured driver \"overlayfs\" not available",
    ),
    (
        "STORAGE-DRIVER-CONFLICT",
        "failed to start daemon: error initializing graphdriver: prior storage driver btrfs failed: driver not supported",
    ),
    (
        "STORAGE-DRIVER-CONFLICT",
        "failed to start daemon: error initializing graphdriver: /var/lib/docker contains several valid graphdrivers: btrfs, overlay2; cleanup or explicitly choose storage driver (-s <DRIVER>)",
    ),
    (
        "STORAGE-DRIVER-CONFLICT",
        "failed to start daemon: error initializing graphdriver: the devicemapper storage-driver has been deprecated and removed",
    ),
    (
        "STORAGE-UNSUITABLE-FS",
        "failed to start daemon: error initializing graphdriver: overlay2: the backing xfs filesystem is formatted without d_type support, which leads to incorrect behavior.",
    ),
    (
        "STORAGE-UNSUITABLE-FS",
        "failed to start daemon: error initializing graphdriver: no supported storage driver found",
    ),
    (
        "CGROUP-NO-DEVICES",
        "failed to start daemon: Devices cgroup isn't mounted",
    ),
    (
        "CERTS-INCOMPLETE",
        "invalid TLS configuration: could not load X509 key pair (cert: \"/certs/server/cert.pem\", key: \"/certs/server/key.pem\"): open /certs/server/cert.pem: no such file or directory",
    ),
    (
        "CERTS-INCOMPLETE",
        "invalid TLS configuration: could not read CA certificate \"/certs/server/ca.pem\": open /certs/server/ca.pem: no such file or directory",
    ),
    (
        "CERTS-UNREADABLE",
        "invalid TLS configuration: failed to append certificates from PEM file: \"/certs/server/ca.pem\"",
    ),
    (
        "DAEMON-CONFIG",
        "unable to configure the Docker daemon with file /etc/docker/daemon.json: the following directives are specified both as a flag and in the configuration file: hosts: (from flag: [fd://], from file: [tcp://0.0.0.0:1])",
    ),
    (
        "DAEMON-CONFIG",
        "unable to configure the Docker daemon with file /etc/docker/daemon.json: the following directives don't match any configuration option: mtuu",
    ),
    (
        "DAEMON-CONFIG",
        "unable to configure the Docker daemon with file /etc/docker/daemon.json: invalid character '}' looking for beginning of object key string",
    ),
    (
        "STORAGE-READONLY",
        "failed to start daemon: chmod /var/lib/docker: read-only file system",
    ),
    (
        "STORAGE-READONLY",
        "failed to start daemon: could not create or set daemon root permissions: /var/lib/docker: chown /var/lib/docker: read-only file system",
    ),
    (
        "STORAGE-READONLY",
        "failed to start daemon: Unable to get the TempDir under /var/lib/docker: mkdir /var/lib/docker/tmp: read-only file system",
    ),
    (
        "PRIVILEGE-ROOTLESS",
        "dockerd needs to be started with root privileges. To run dockerd in rootless mode as an unprivileged user, see https://docs.docker.com/go/rootless/",
    ),
    (
        "PRIVILEGE-ROOTLESS",
        "rootless mode needs to be enabled for running with RootlessKit",
    ),
    (
        "CLIENT-WRONG-CA",
        "http: TLS handshake error from 10.0.0.1:1234: remote error: tls: bad certificate",
    ),
    (
        "CLIENT-WRONG-CA",
        "http: TLS handshake error from 10.0.0.1:1234: remote error: tls: unknown certificate authority",
    ),
    (
        "CLIENT-NO-CERTIFICATE",
        "http: TLS handshake error from 10.0.0.1:1234: tls: client didn't provide a certificate",
    ),
    (
        "CLIENT-HTTP-ON-TLS",
        "http: TLS handshake error from 10.0.0.1:1234: tls: first record does not look like a TLS handshake",
    ),
    (NONE, "http: TLS handshake error from 10.0.0.1:1234: EOF"),
    (
        NONE,
        "Binding to an IP address, even on localhost, can also give access to scripts run in a browser. Be safe out there!",
    ),
    (
        NONE,
        "Found dockerd's open file ulimit (1024) is far too small -- consider increasing it significantly (at least 1048576)",
    ),
    (
        "DAEMON-MIN-API-VERSION",
        "failed to start API server: invalid minimum API version (1.60): must be between 1.24 and 1.55",
    ),
    (
        "DAEMON-NFTABLES",
        "failed to start daemon: Error initializing network controller: firewall-backend is set to nftables: failed to find nft tool: exec: \"nft\": executable file not found in $PATH",
    ),
    (
        "CERTS-NOT-NAMED",
        "invalid TLS configuration: could not load X509 key pair (cert: \"\", key: \"\"): open : no such file or directory",
    ),
    // What every start logs, at level warning.
    (
        NONE,
        "time=\"2026-08-06T10:00:00Z\" level=warning msg=\"failed check for fsverity support\" error=\"inappropriate ioctl for device\" path=/var/lib/docker/containerd/daemon/io.containerd.content.v1.content",
    ),
    (
        NONE,
        "time=\"2026-08-06T10:00:00Z\" level=warning msg=\"Failed to find nft tool\" error=\"exec: \\\"nft\\\": executable file not found in $PATH\"",
    ),
    (
        "NETWORK-RAW-TABLE",
        "failed to start daemon: Error initializing network controller: Unable to enable DIRECT ACCESS FILTERING - DROP rule: (iptables failed: iptables --wait -t raw -A PREROUTING -d 172.17.0.2 ! -i docker0 -j DROP: iptables v1.8.11 (legacy): can't initialize iptables table `raw': Table does not exist)",
    ),
];

#[test]
fn what_docker_29_logs_reaches_its_reason() {
    for (id, line) in LINES {
        let mut recogniser = Recogniser::default();
        // dockerd lives on with it, or it is what dockerd ended with.
        let finding = recogniser
            .read(line)
            .unwrap_or_else(|| recogniser.explain(End::Ended(Ended::Exited(1))));
        assert_eq!(finding.reason.id, *id, "{line}");
        let means_nothing = finding.cause.contains("Its log shows no known cause");
        assert_eq!(means_nothing, *id == NONE, "{finding}");
    }
}
