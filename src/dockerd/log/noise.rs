//! What sounds like a fault and is none. Users chase these lines; an explanation must not.

/// Fragments that occur in this order, in lower case.
const NOISE: &[&[&str]] = &[
    // Whoever only tries the port: the runner's health check, a probe (gitlab-runner#27215).
    &["http: tls handshake error from", ": eof"],
    &["http: tls handshake error from", "connection reset by peer"],
    &["http: tls handshake error from", "i/o timeout"],
    &["http: tls handshake error from", "broken pipe"],
    // dockerd loads modules, if it can; the image has none (docker-library/docker#350).
    &["running modprobe"],
    &["modprobe: "],
    &["ip: can't find device"],
    // What the kernel was built without, and no job asks for.
    &["your kernel does not support"],
    &["unable to find blkio cgroup"],
    &["unable to find cpuset cgroup"],
    // No IPv6 NAT; dockerd goes on with IPv4.
    &["ip6tables is enabled, but cannot set up ip6tables chains"],
    // Ours to say once, and said when it starts.
    &["binding to ip address without --tlsverify"],
    &["binding to an ip address, even on localhost"],
    &["deprecation notice"],
    &["support for listening on tcp without authentication"],
    &["startup is intentionally being slowed down"],
    // containerd tries all of its plugins.
    &["skip loading plugin"],
    &["could not use snapshotter"],
    &["devmapper not configured"],
    &["must be a btrfs filesystem"],
    &["must be a zfs filesystem"],
    &["no opentelemetry endpoint"],
    &["tracing endpoint not configured"],
    &["configuration migrated from version"],
    &["failed to load cni during init"],
    &["cdi setup error"],
    &["unable to setup quota"],
    &["fuse-overlayfs\": executable file not found"],
    &["open file ulimit"],
    // Docker 20.10 on Debian 12: it waits for its containerd, and asks again.
    &["containerd config version `1` has been deprecated"],
    &[
        "grpc: addrconn.createtransport failed to connect",
        "containerd.sock",
        "reconnecting",
    ],
    // Docker 29, at every start: no file system with fsverity, and no nft, which it does not need.
    &["failed check for fsverity support"],
    &["failed to find nft tool error="],
    &["error while setting daemon root propagation"],
    // A registry at a loopback address needs no TLS (127.0.0.0/8 and ::1 are insecure registries by
    // themselves), and dockerd asks again without it.
    &[
        "https://127.",
        ": http: server gave http response to https client",
    ],
    &[
        "https://localhost",
        ": http: server gave http response to https client",
    ],
    &[
        "https://[::1]",
        ": http: server gave http response to https client",
    ],
    // What a container that did not start leaves behind; why it did not is said elsewhere.
    &["after shim disconnected"],
    &["cleaning up dead shim"],
    &["copy shim log"],
    &["reading from a closed fifo"],
    // A stop that was asked for.
    &["processing signal '"],
    &["graceful shutdown"],
    &["failed to get event", "context canceled"],
    &["daemon shutdown complete"],
];

/// Whether a message, in lower case, means nothing.
pub fn is_noise(text: &str) -> bool {
    NOISE.iter().any(|fragments| {
        let mut rest = text;
        fragments.iter().all(|fragment| {
            let found = rest.split_once(fragment);
            rest = found.map_or(rest, |(_, after)| after);
            found.is_some()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dockerd::log::Message, reasons};

    #[test]
    fn no_sample_of_the_catalogue_is_noise() {
        for sample in reasons::all().flat_map(|reason| reason.samples) {
            let noise = sample.text.lines().all(|line| {
                let message = Message::parse(line);
                is_noise(&message.text.to_ascii_lowercase())
            });
            assert!(!noise, "{}", sample.text);
        }
    }

    /// After lines of Docker 20.10.24, which stood before those that said why it ended.
    #[test]
    fn a_containerd_that_is_waited_for_is_no_fault() {
        for line in [
            "time=\"2026-11-26T07:36:40Z\" level=warning msg=\"containerd config version `1` has been \
             deprecated and will be removed in containerd v2.0, please switch to version `2`\"",
            "time=\"2026-11-26T07:36:40Z\" level=warning msg=\"[core] grpc: addrConn.createTransport \
             failed to connect to {unix:///var/run/docker/containerd/containerd.sock localhost <nil> \
             0 <nil>}. Err: connection error: desc = \\\"transport: timeout\\\". Reconnecting...\"",
        ] {
            let text = Message::parse(line).text.to_ascii_lowercase();
            assert!(is_noise(&text), "{text}");
        }
        assert!(!is_noise(
            "failed to start containerd: timeout waiting for containerd to start"
        ));
    }

    #[test]
    fn only_a_registry_at_a_loopback_address_may_do_without_tls() {
        let passed_over = |host| {
            let line = format!(
                "time=\"2026-11-23T16:04:42Z\" level=warning msg=\"Error getting v2 registry: Get \
                 \\\"https://{host}/v2/\\\": http: server gave HTTP response to HTTPS client\""
            );
            is_noise(&Message::parse(&line).text.to_ascii_lowercase())
        };
        for host in [
            "127.0.0.1:5000",
            "127.8.0.1",
            "localhost:5000",
            "[::1]:5000",
        ] {
            assert!(passed_over(host), "{host}");
        }
        for host in [
            "10.0.0.1:5000",
            "registry.example.com",
            "my-127.example.com",
        ] {
            assert!(!passed_over(host), "{host}");
        }
    }

    #[test]
    fn fragments_are_lower_case() {
        for fragment in NOISE.iter().copied().flatten() {
            assert_eq!(*fragment, fragment.to_ascii_lowercase());
        }
    }
}
