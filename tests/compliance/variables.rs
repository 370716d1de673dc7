//! The variables that the entrypoint reads, set, empty and unset, and those that it leaves to
//! dockerd.

use crate::stand_in::Workbench;
use crate::subject::dind_without_variables;

const UNIX: &str = "unix:/run/docker.sock";

/// Official (entrypoint): set means TLS on 2376 with the certificates there, empty or unset means
/// plain TCP on 2375 and no certificates.
#[test]
fn docker_tls_certdir_chooses_between_tls_and_plain() {
    let bench = Workbench::new(dind_without_variables());
    let elsewhere = [("DOCKER_TLS_CERTDIR", "/else/where")];
    let start = bench.run(&elsewhere, &[]).expect_start();
    start.expect_serves(&["tcp:2376", UNIX]);
    let file = start.flag("--tlscacert");
    assert_eq!(file.as_deref(), Some("/else/where/server/ca.pem"));
    bench
        .shell("ls /else/where/server/key.pem /else/where/client/key.pem; ! ls /certs/server")
        .expect_success();

    let empty = bench.run(&[("DOCKER_TLS_CERTDIR", "")], &[]).expect_start();
    let unset = ["env", "-u", "DOCKER_TLS_CERTDIR", "dockerd-entrypoint.sh"];
    let unset = bench.run_command(&[], &unset).expect_start();
    for start in [empty, unset] {
        start.expect_serves(&["tcp:2375", UNIX]);
        for flag in ["--tlsverify", "--tlscacert", "--tlscert", "--tlskey"] {
            assert_eq!(start.flag(flag), None, "{:?}", start.argv);
        }
    }
    bench.shell("! ls /certs/server").expect_success();
}

/// Official (entrypoint): `unix://…` moves the unix socket and changes nothing else: TCP and the
/// certificates stay. Any other value is the client's, and not for the server to obey
/// (docker-library/docker#175).
#[test]
fn docker_host_moves_the_unix_socket_and_nothing_else() {
    let bench = Workbench::new(dind_without_variables());
    for (value, socket) in [
        ("unix:///runner/docker.sock", "unix:/runner/docker.sock"),
        ("unix:///run/else.sock", "unix:/run/else.sock"),
        ("tcp://docker:2375", UNIX),
        ("tcp://0.0.0.0:1234", UNIX),
        ("ssh://docker", UNIX),
        ("", UNIX),
    ] {
        bench.shell("mkdir -p /runner").expect_success();
        let start = bench.run(&[("DOCKER_HOST", value)], &[]).expect_start();
        start.expect_serves(&["tcp:2376", socket]);
        assert!(start.flag("--tlsverify").is_some(), "{value}");
    }
}

/// Official: dockerd has the container's environment, and reads some of it itself (moby
/// `daemon/command/options.go`, `daemon/config`); hack/dind adds `container=docker`, which tells
/// it where it is.
#[test]
fn dockerd_s_own_variables_reach_it_as_they_are() {
    let bench = Workbench::new(dind_without_variables());
    let variables = [
        ("DOCKER_DRIVER", "vfs"),
        ("DOCKER_TMPDIR", "/tmp/x"),
        ("DOCKER_RAMDISK", "1"),
        ("DOCKER_MIN_API_VERSION", "1.24"),
        ("DOCKER_INSECURE_NO_IPTABLES_RAW", "1"),
        ("HTTP_PROXY", "http://proxy.example.com:3128"),
        ("https_proxy", "http://proxy.example.com:3128"),
        ("NO_PROXY", "docker,10.0.0.0/8"),
        ("SSL_CERT_DIR", "/etc/ssl/certs"),
        ("OTEL_SERVICE_NAME", "two words"),
        ("CI_COMMIT_MESSAGE", "first line\nsecond = line"),
        ("EMPTY", ""),
    ];
    for words in [&[][..], &["dockerd"]] {
        let start = bench.run(&variables, words).expect_start();
        for (name, value) in variables {
            assert_eq!(start.variable(name), Some(value), "{name}");
        }
        assert_eq!(start.variable("container"), Some("docker"));
    }
}

/// Official (entrypoint): an explicit `dockerd …` is the user's own word, and so are dockerd's
/// variables beside it.
#[test]
fn an_explicit_dockerd_keeps_the_tls_variables() {
    let bench = Workbench::new(dind_without_variables());
    let variables = [("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "/mine")];
    let start = bench.run(&variables, &["dockerd"]).expect_start();
    for (name, value) in variables {
        assert_eq!(start.variable(name), Some(value), "{name}");
    }
}

/// Official (entrypoint): one that is not absolute lies below wherever the container starts, which a
/// service's `working_dir` may choose.
#[test]
fn a_certificate_directory_that_is_not_absolute_is_below_the_working_directory() {
    let bench = Workbench::new(dind_without_variables());
    bench.shell("mkdir /below").expect_success();
    let line = "cd /below && DOCKER_TLS_CERTDIR=certs exec dockerd-entrypoint.sh";
    let start = bench.run_command(&[], &["sh", "-c", line]).expect_start();
    start.expect_serves(&["tcp:2376", UNIX]);
    let file = start.flag("--tlscert").unwrap();
    // The same file, however it is called.
    bench
        .shell(&format!(
            "cd /below && test {file} -ef /below/certs/server/cert.pem && ls certs/client/key.pem"
        ))
        .expect_success();
}

mod differs {
    use super::*;

    /// Official passes the client's variables on, and dockerd takes two of them as its own: with
    /// `DOCKER_TLS_CERTDIR: ""` and a `DOCKER_TLS_VERIFY` that was left over, it serves TLS on 2375
    /// (moby `daemon/command/options.go`).
    #[test]
    fn the_client_s_variables_do_not_reach_dockerd() {
        let bench = Workbench::new(dind_without_variables());
        let variables = [
            ("DOCKER_TLS_CERTDIR", ""),
            ("DOCKER_TLS_VERIFY", "1"),
            ("DOCKER_CERT_PATH", "/certs/client"),
            ("DOCKER_HOST", "tcp://docker:2375"),
        ];
        let start = bench.run(&variables, &[]).expect_start();
        for (name, _) in &variables[1..] {
            assert_eq!(start.variable(name), None, "{name}");
        }
    }
}
