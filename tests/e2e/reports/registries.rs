//! Pulls that do not arrive: dockerd's words are in the job's log, and what to look at is in ours.

use super::*;

/// docker-library/docker#132.
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
    let proxy = "http://proxy.nowhere.test:3128";
    is_told_after(
        usual()
            .variable("HTTPS_PROXY", proxy)
            .variable("NO_PROXY", "docker,localhost"),
        "docker pull registry.nowhere.test/group/image",
        &["error REGISTRY-UNREACHABLE", "proxyconnect", "HTTPS_PROXY"],
    );
}
