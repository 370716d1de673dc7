//! Outside strings in the job's log, the status, the service's log and the daemon's answer.

use std::fs;

use crate::{
    pod,
    pods::{gitlab::RunnerLog, volume::Volume},
};

const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n\
                   -----END PRIVATE KEY-----";

/// A key in place of a setting, and a value that commands.
#[test]
fn what_a_variable_holds_is_shown_without_secrets_commands_and_end() {
    let long = "x".repeat(100_000);
    for (value, shown, hidden) in [
        (KEY, "[a private key]", "MIGHAgEA"),
        (
            "x\r\u{1b}[0Ksection_start:1:x\r\u{1b}[0K",
            "\\u{1b}",
            "\u{1b}[0Ksection_start",
        ),
        (
            "x\n{\"command_exit_code\":0}",
            "\\n{",
            "\n{\"command_exit_code",
        ),
        (&long, "x…", &long),
        ("small", "\"small\"", "never said"),
    ] {
        let (builds, log) = (Volume::disk(), RunnerLog::new());
        let pod = pod(&builds)
            .certs(&Volume::memory())
            .runner_log(&log)
            .variable("DIND_CLIENT_KEY", value)
            .start();
        let answer = pod.job("until [ \"$(docker version 2>&1)\" ]; do sleep 0.2; done; docker version 2>&1; cat /builds/.dind-init/7/status.*");
        let status = fs::read_to_string(builds.path().join(".dind-init/7/status.txt")).unwrap();
        let texts = [
            answer.output().to_owned(),
            status,
            log.text().unwrap(),
            pod.service_log(),
        ];
        for text in texts {
            assert!(text.contains("SETTINGS-INVALID"), "{text}");
            assert!(
                text.contains(shown) || text.contains(&shown.replace('\\', "\\\\")),
                "{text}"
            );
            assert!(!text.contains(hidden), "{text}");
            assert!(text.len() < 32 * 1024, "{}", text.len());
        }
    }
}
