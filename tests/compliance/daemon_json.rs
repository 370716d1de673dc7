//! daemon.json: what stands there is the user's word.

use std::fs;

use crate::stand_in::Workbench;
use crate::subject::{dind, dind_without_variables};
use crate::volume::Volume;

/// Official: dockerd reads /etc/docker/daemon.json, or the file that `--config-file` names.
#[test]
fn its_settings_are_dockerd_s() {
    let elsewhere = Volume::disk();
    fs::write(
        elsewhere.path().join("own.json"),
        r#"{"labels": ["from=elsewhere"]}"#,
    )
    .unwrap();
    for (words, label) in [
        (&[][..], "from=etc"),
        (&["--config-file=/elsewhere/own.json"], "from=elsewhere"),
        (&["--config-file", "/elsewhere/own.json"], "from=elsewhere"),
    ] {
        let pod = dind()
            .plain()
            .configuration(r#"{"labels": ["from=etc"], "max-concurrent-downloads": 7}"#)
            .volume(&elsewhere, "/elsewhere")
            .command(words)
            .start();
        pod.job("docker info --format '{{.Labels}}'")
            .expect_success()
            .expect(label);
    }
}

/// Official (moby): a file that does not parse, or holds what dockerd does not know, ends the
/// service, and dockerd names it.
#[test]
fn a_wrong_file_ends_the_service() {
    for (json, named) in [
        ("{\"mtu\": 1400,}", "invalid character"),
        ("{\"mtuu\": 1400}", "mtuu"),
    ] {
        let pod = dind().plain().configuration(json).start();
        pod.service_end().expect_failure().expect(named);
    }
}

mod differs {
    use super::*;

    /// Official gives dockerd hosts and TLS files by flag whatever the file says, and dockerd ends:
    /// "specified both as a flag and in the configuration file" (moby#22339, #25471).
    #[test]
    fn what_the_file_sets_is_no_flag() {
        for (json, absent) in [
            (
                r#"{"hosts": ["tcp://0.0.0.0:1234", "unix:///run/own.sock"]}"#,
                "--host",
            ),
            (r#"{"tlscert": "/mine.pem"}"#, "--tlscert"),
            (r#"{"tlsverify": true}"#, "--tlsverify"),
        ] {
            let bench = Workbench::new(dind_without_variables().configuration(json));
            let start = bench.run(&[], &[]).expect_start();
            assert_eq!(start.flag(absent), None, "{:?}", start.argv);
        }
    }

    /// The same with a real dockerd.
    #[test]
    fn hosts_in_the_file_are_served() {
        let pod = dind()
            .plain()
            .configuration(
                r#"{"hosts": ["tcp://127.0.0.1:1234", "unix:///run/own.sock"], "tls": false}"#,
            )
            .start();
        pod.in_service("until docker -H unix:///run/own.sock version; do sleep 0.1; done")
            .expect_success();
        pod.job("DOCKER_HOST=tcp://127.0.0.1:1234 docker version")
            .expect_success();
    }
}
