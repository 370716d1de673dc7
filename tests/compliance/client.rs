//! A command that is not dockerd gets the environment of a Docker client (docker-entrypoint.sh).

use std::fs;
use std::os::unix::net::UnixListener;

use crate::openssl::{Authority, Profile};
use crate::stand_in::Workbench;
use crate::subject::dind_without_variables;
use crate::volume::Volume;

const SHOW: [&str; 3] = [
    "sh",
    "-c",
    "echo \"host=$DOCKER_HOST verify=$DOCKER_TLS_VERIFY path=$DOCKER_CERT_PATH.\"",
];

/// Official: without `DOCKER_HOST` the port is 2376 where there are certificates or
/// `DOCKER_TLS_VERIFY`, else 2375; the certificates are named for TCP, unless the user named any.
#[test]
fn the_port_and_the_certificates_are_chosen_together() {
    let certificates = Volume::disk();
    let bench = Workbench::new(dind_without_variables().volume(&certificates, "/certs"));
    let tls = ("DOCKER_TLS_VERIFY", "1");
    shows(&bench, &[], "host=tcp://docker:2375 verify= path=.");
    shows(&bench, &[tls], "host=tcp://docker:2376 verify=1 path=.");

    let authority = Authority::new("Example Corp Docker CA", Profile::Strict);
    authority.issue_client(&certificates.path().join("client"));
    let found = "verify=1 path=/certs/client.";
    shows(&bench, &[], &format!("host=tcp://docker:2376 {found}"));
    let host = ("DOCKER_HOST", "tcp://dind:1234");
    shows(&bench, &[host], &format!("host=tcp://dind:1234 {found}"));
    let path = ("DOCKER_CERT_PATH", "/mine");
    shows(
        &bench,
        &[host, path],
        "host=tcp://dind:1234 verify= path=/mine.",
    );
    let ssh = ("DOCKER_HOST", "ssh://host");
    shows(&bench, &[ssh], "host=ssh://host verify= path=.");
    let plain = ("DOCKER_TLS_CERTDIR", "");
    shows(&bench, &[plain], "host=tcp://docker:2375 verify= path=.");

    fs::write(certificates.path().join("client/key.pem"), "").unwrap();
    shows(&bench, &[], "host=tcp://docker:2375 verify= path=.");
}

/// Official: a unix socket that is there comes before any port: root's, then that in
/// `XDG_RUNTIME_DIR`.
#[test]
fn a_unix_socket_comes_first() {
    let run = Volume::disk();
    let bench = Workbench::new(dind_without_variables().volume(&run, "/runtime"));
    let runtime = ("XDG_RUNTIME_DIR", "/runtime");
    shows(&bench, &[runtime], "host=tcp://docker:2375 verify= path=.");
    let _socket = UnixListener::bind(run.path().join("docker.sock")).unwrap();
    shows(
        &bench,
        &[runtime],
        "host=unix:///runtime/docker.sock verify= path=.",
    );
    shows(&bench, &[], "host=tcp://docker:2375 verify= path=.");
    bench.shell("ln /runtime/docker.sock /run/docker.sock 2>/dev/null || mv /runtime/docker.sock /run/docker.sock").expect_success();
    shows(
        &bench,
        &[],
        "host=unix:///var/run/docker.sock verify= path=.",
    );
    let host = ("DOCKER_HOST", "tcp://dind:1234");
    shows(&bench, &[host], "host=tcp://dind:1234 verify= path=.");
}

#[track_caller]
fn shows(bench: &Workbench, variables: &[(&str, &str)], expected: &str) {
    let run = bench.run(variables, &SHOW).expect_no_start();
    assert_eq!(run.transcript.output().trim(), expected, "{variables:?}");
}
