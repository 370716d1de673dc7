//! Pulls that do not arrive: dockerd's words are in the job's log, and what to look at is in ours.

use super::*;
use crate::pods::registry::{Access, LOGIN, REGISTRY, Registry};

/// docker-library/docker#132. No program knows which name was meant.
#[test]
fn a_registry_that_nobody_knows() {
    for suite in [Suite::Bookworm, Suite::Trixie, Suite::Sid] {
        is_told_after(
            usual_on(suite),
            "docker pull registry.nowhere.test/group/image",
            &[
                "error REGISTRY-UNREACHABLE",
                "registry.nowhere.test",
                "misspelt",
            ],
        );
    }
}

/// NO_PROXY names the service, and the proxy is one that the service does not reach.
#[test]
fn a_proxy_that_the_service_does_not_reach() {
    let registry = Registry::start(Access::Password);
    let plan = || {
        let ca = Volume::secret(&[("ca.crt", &registry.ca())]);
        usual()
            .knowing(&registry)
            .volume(&ca, "/etc/dind/registry-ca")
            .variable("HTTPS_PROXY", "http://proxy.nowhere.test:3128")
            .variable("NO_PROXY", "docker,localhost")
    };
    let login = format!("{LOGIN} {REGISTRY}");
    let told = is_told_after(
        plan(),
        &login,
        &["error REGISTRY-PROXY", "proxyconnect", "HTTPS_PROXY"],
    );
    is_cured(plan(), &login, &told, "REGISTRY-PROXY", Pasted);
}

/// moby/moby#40507: a company's proxy that lets nobody through.
#[test]
fn a_proxy_that_refuses() {
    let proxy = r#"exec perl -MIO::Socket::INET -e '
        $proxy = IO::Socket::INET->new(LocalPort => 3128, Listen => 9, ReuseAddr => 1);
        while ($client = $proxy->accept) {
            sysread $client, $_, 4096;
            print $client "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
            close $client;
        }'"#;
    is_told_after(
        usual()
            .other_service(proxy)
            .variable("HTTPS_PROXY", "http://localhost:3128")
            .variable("NO_PROXY", "docker"),
        "docker pull registry.test/group/image",
        &["error REGISTRY-PROXY", "Forbidden"],
    );
}
