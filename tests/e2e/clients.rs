//! Clients other than the daemon's own CLI, old and strict ones among them.

use crate::openssl::{Authority, Profile};
use crate::pod::Pod;
use crate::suite::Suite;
use crate::volume::Volume;

/// Docker's Python package, with what Python verifies by default from 3.13 on.
const STRICT_PYTHON: &str = r#"python3 - <<'END'
import ssl
import docker
import urllib3.util.ssl_, urllib3.connection

original = urllib3.util.ssl_.create_urllib3_context
def strict(*args, **kwargs):
    context = original(*args, **kwargs)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context
for module in urllib3.util.ssl_, urllib3.connection:
    module.create_urllib3_context = strict

print("python sees", docker.from_env().version()["Platform"]["Name"] or "the daemon")
END"#;

const STRICT_OPENSSL: &str =
    "set -e
    openssl verify -x509_strict -purpose sslclient -CAfile /certs/client/ca.pem /certs/client/cert.pem
    openssl s_client -connect docker:2376 -servername docker -verify_return_error -x509_strict \
        -verify_hostname docker -CAfile /certs/client/ca.pem \
        -cert /certs/client/cert.pem -key /certs/client/key.pem </dev/null";

const CURL: &str = "curl --silent --show-error --fail --cacert /certs/client/ca.pem --cert /certs/client/cert.pem \
        --key /certs/client/key.pem https://docker:2376/version";

#[test]
fn every_client_connects_to_docker_26() {
    every_client_connects(Suite::Trixie);
}

#[test]
fn every_client_connects_to_docker_28() {
    every_client_connects(Suite::Sid);
}

fn every_client_connects(daemon: Suite) {
    let pod = Pod::new(daemon).certs(&Volume::memory()).start();
    for client in [Suite::Bookworm, Suite::Trixie, Suite::Sid] {
        pod.job_on(client, "docker version")
            .expect_success()
            .expect("Server:");
        pod.job_on(client, CURL)
            .expect_success()
            .expect("ApiVersion");
        pod.job_on(client, STRICT_OPENSSL)
            .expect_success()
            .expect("/certs/client/cert.pem: OK")
            .expect("Verify return code: 0 (ok)");
    }
    pod.job_on(Suite::Bookworm, STRICT_PYTHON)
        .expect_success()
        .expect("python sees");
}

/// Nobody gets in without the certificate: the port is closed to whoever only reaches it.
#[test]
fn control_a_client_without_a_certificate_is_refused() {
    let pod = Pod::new(Suite::Trixie).certs(&Volume::memory()).start();
    pod.job("curl --silent --show-error --fail --insecure https://docker:2376/version")
        .expect_failure()
        .expect_not("ApiVersion");
    pod.job(CURL).expect_success().expect("ApiVersion");
}

/// The control of strictness: certificates like those of the official image before May 2025 do for
/// the CLI, and are refused by the strict clients.
#[test]
fn control_strict_clients_are_strict() {
    let lax = Authority::new("Example Corp Docker CA", Profile::Lax);
    let certs = Volume::memory();
    lax.issue_server(&certs.path().join("server"));
    lax.issue_client(&certs.path().join("client"));
    let pod = Pod::new(Suite::Trixie)
        .volume(&certs.read_only(), "/certs")
        .start();

    pod.job("docker version").expect_success();
    pod.job_on(Suite::Bookworm, STRICT_OPENSSL).expect_failure();
    pod.job_on(Suite::Bookworm, STRICT_PYTHON)
        .expect_failure()
        .expect("CERTIFICATE_VERIFY_FAILED");
}
