//! The container's arguments: which forms there are, what dockerd gets, and how each one ends.

use crate::stand_in::{Record, Workbench};
use crate::subject::{dind, dind_without_variables};

/// What the entrypoint adds with TLS, whatever the spelling.
const TLS_FLAGS: [(&str, &str); 4] = [
    ("--tlsverify", ""),
    ("--tlscacert", "/certs/server/ca.pem"),
    ("--tlscert", "/certs/server/cert.pem"),
    ("--tlskey", "/certs/server/key.pem"),
];

/// Official (entrypoint): no argument, or a first one that begins with `-`, means dockerd with the
/// default hosts and the TLS flags, and the user's own words last, each as it was.
#[test]
fn flags_come_last_behind_the_default_hosts_and_tls() {
    let bench = Workbench::new(dind_without_variables());
    for words in [
        &[][..],
        &["--mtu=1450"],
        &["-D"],
        &["--registry-mirror", "https://mirror.example.com"],
        &["--dns=127.0.0.11", "--dns=10.0.0.2", "--storage-driver=vfs"],
        &["--label", "two words", "", "--label=a\"quote'and$HOME*"],
        &["-l", "warn", "not a flag"],
    ] {
        let start = bench.run(&[], words).expect_start();
        start.expect_last(words);
        start.expect_serves(&["tcp:2376", "unix:/run/docker.sock"]);
        for (name, value) in TLS_FLAGS {
            assert_eq!(
                start.flag(name).as_deref(),
                Some(value),
                "{name} of {words:?}"
            );
        }
    }
}

/// Official (entrypoint): `dockerd …` is run as it is: no hosts, no certificates.
#[test]
fn an_explicit_dockerd_gets_nothing_added() {
    let bench = Workbench::new(dind_without_variables());
    for words in [
        &["dockerd"][..],
        &["dockerd", "--host=tcp://127.0.0.1:1234", "--tls=false"],
        &["dockerd", "-H", "unix:///x.sock", "--debug"],
    ] {
        let start = bench.run(&[], words).expect_start();
        assert_eq!(start.argv, words[1..]);
    }
    let made = bench.shell("find /certs -type f").expect_success();
    assert_eq!(made.output(), "");
}

/// Official (entrypoint): a flag that makes dockerd print something and end works beside the
/// defaults (`docker run --rm docker:dind --version`). This is the image's own dockerd.
#[test]
fn dockerd_s_version_is_printed_and_the_service_ends_well() {
    let pod = dind().command(&["--version"]).start();
    pod.service_end().expect_status(0).expect("Docker version ");
}

/// Official (entrypoint, docker-entrypoint.sh): anything else is run instead, and its exit status
/// is the container's. `sh` is no command of docker's, `version` and `docker` are.
#[test]
fn another_command_is_run_instead() {
    let bench = Workbench::new(dind_without_variables());
    for (words, status, printed) in [
        (&["sh", "-c", "echo passed on; exit 7"][..], 7, "passed on"),
        (&["echo", "two  words", "--flag"], 0, "two  words --flag"),
        (&["docker", "--version"], 0, "Docker version "),
        // The CLI is there and says so, although no daemon is.
        (&["version"], 1, "Client:"),
        (&["docker", "version"], 1, "Client:"),
        // What `exec` of a shell ends with (POSIX, 2.8.2).
        (&["no-such-command"], 127, "no-such-command"),
        (&["/etc/hostname"], 126, "/etc/hostname"),
    ] {
        bench
            .run(&[], words)
            .expect_no_start()
            .transcript
            .expect_status(status)
            .expect(printed);
    }
}

/// Official (GitLab's documentation): the service's entrypoint is a shell whose command line ends
/// with the entrypoint's name, so it is not process 1, and `|| exit` passes its status on.
#[test]
fn it_is_started_from_a_shell_s_command_line() {
    for script in [
        "true && dockerd-entrypoint.sh || exit",
        "sleep 0.1; exec dockerd-entrypoint.sh",
        "true && dockerd-entrypoint.sh --mtu=1450",
    ] {
        let record = Record::new();
        let pod = dind().stand_in(&record).entrypoint_script(script).start();
        let start = record.wait_for_start(&pod);
        start.expect_serves(&["tcp:2376", "unix:/run/docker.sock"]);
        let mtu = script.contains("--mtu").then(|| "1450".to_owned());
        assert_eq!(start.flag("--mtu"), mtu, "{script}");
    }
    let failing = dind()
        .variable("STAND_IN", "3")
        .stand_in(&Record::new())
        .entrypoint_script("dockerd-entrypoint.sh || exit")
        .start();
    failing.service_end().expect_status(3);
}

/// Official (entrypoint, docker-init): dockerd's exit status is the service's, 128 + n for a
/// signal, whatever form the arguments have.
#[test]
fn dockerd_s_exit_status_is_the_service_s() {
    let bench = Workbench::new(dind_without_variables());
    for (ending, status) in [
        ("0", 0),
        ("1", 1),
        ("125", 125),
        ("255", 255),
        ("signal KILL", 137),
        ("signal ABRT", 134),
    ] {
        for words in [&[][..], &["--debug"], &["dockerd"]] {
            let run = bench.run(&[("STAND_IN", ending)], words);
            assert!(
                run.start.is_some(),
                "{ending}, {words:?}\n{}",
                run.transcript
            );
            run.transcript.expect_status(status);
        }
    }
}

/// Official (docker-init): 127 where dockerd is not in the image.
#[test]
fn a_missing_dockerd_is_status_127_or_explained() {
    let pod = dind()
        .entrypoint_script(
            "rm \"$(command -v dockerd)\"; dockerd-entrypoint.sh; echo \"status $?\"",
        )
        .start();
    let end = pod.service_end().expect_success().expect("dockerd");
    // 76 is our own status for dockerd, with the cause before it.
    let known = ["status 127\n", "status 76\n"];
    assert!(
        known.iter().any(|status| end.output().contains(status)),
        "{end}"
    );
}
