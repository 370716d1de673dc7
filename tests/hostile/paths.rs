//! Pipes and endless files where variables name a path, or where one lies later.

use std::os::unix::fs::symlink;

use nix::{sys::stat::Mode, unistd::mkfifo};

use crate::{
    MOST_KILOBYTES, ends_when_asked, kilobytes, pod,
    pods::{
        openssl::{Authority, Profile},
        pod::Plan,
        volume::Volume,
    },
    works,
};

/// dockerd itself may be kept by its own file, but not PID 1.
#[test]
fn a_path_that_never_ends_keeps_nobody() {
    let named: [fn(Plan, &str) -> Plan; 3] = [
        |plan, path| plan.variable("SSL_CERT_FILE", path),
        |plan, path| plan.variable("DIND_DOCKERD_ARGS", &format!("--config-file={path}")),
        |plan, path| plan.variable("CI_SERVER_TLS_CA_FILE", path),
    ];
    let paths = ["/builds/pipe", "/dev/zero"];
    for (name, path) in named.iter().flat_map(|name| paths.map(|path| (name, path))) {
        let builds = Volume::disk();
        mkfifo(&builds.path().join("pipe"), Mode::S_IRWXU).unwrap();
        let pod = name(pod(&builds).certs(&Volume::memory()), path).start();
        pod.in_service("until [ -S /run/docker.sock ]; do sleep 0.1; done")
            .expect_success();
        let kilobytes = kilobytes(&pod, "VmRSS");
        assert!(kilobytes < MOST_KILOBYTES, "{path}: {kilobytes} kB");
        ends_when_asked(&pod);
    }
}

/// The error daemon presents the server's certificate while dockerd stops.
#[test]
fn a_pipe_in_place_of_the_server_s_certificate_keeps_nobody_when_dockerd_stops() {
    let (builds, certs) = (Volume::disk(), Volume::disk());
    let pod = pod(&builds).volume(&certs, "/certs").start();
    works(&pod);
    for name in ["cert.pem", "key.pem", "ca.pem"] {
        let path = certs.path().join("server").join(name);
        std::fs::remove_file(&path).unwrap();
        mkfifo(&path, Mode::S_IRWXU).unwrap();
    }
    ends_when_asked(&pod);
}

/// Kubernetes' own links lead through `..data`, and are followed: the control.
#[test]
fn a_secret_s_links_are_followed_within_the_secret_alone() {
    let authority = Authority::new("Corp", Profile::Strict);
    let secret = Volume::secret(&[("inside.crt", &authority.certificate())]);
    let outside = secret.path().join("outside.crt");
    symlink("../../../../etc/ssl/certs/ca-certificates.crt", outside).unwrap();
    let pod = pod(&Volume::disk())
        .certs(&Volume::memory())
        .volume(&secret, "/etc/dind/registry-ca")
        .start();
    works(&pod);
    pod.job("cat /certs/client/registry-ca.pem /builds/.dind-init/7/registry-ca.pem 2>/dev/null | grep -c BEGIN; cat /builds/.dind-init/7/status.json")
        .expect_success()
        .expect("1\n")
        .expect("outside.crt: a symbolic link that leads out of its volume")
        .expect_not("inside.crt");
}
