//! The command line, as anybody may use it: no container, no privileges, nothing left behind.
#![allow(clippy::unwrap_used)]

mod calls;
mod check;

use std::{fs, os::unix::fs::symlink};

use tempfile::tempdir;

use calls::{
    DIND_INIT, certificate_directory, command, dind_init, foreign_certificate_directory, names,
    status, stderr, stdout,
};

#[test]
fn help_and_version_go_to_stdout() {
    let help = dind_init(&["--help"], &[]);
    assert_eq!(status(&help), 0);
    // Lines are broken where they are full.
    let words: Vec<_> = stdout(&help)
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let text = words.join(" ");
    for word in [
        "DOCKER_TLS_CERTDIR",
        "DIND_CLIENT_KEY",
        "DIND_START_TIMEOUT Report",
        "default 60",
        "Exit status",
        "64 settings and arguments",
        "77 the job's clients",
        "check",
    ] {
        assert!(text.contains(word), "{word}");
    }
    let version = stdout(&dind_init(&["--version"], &[]));
    assert!(version.starts_with(&format!("dind-init {} (", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn a_wrong_command_or_variable_is_status_64_and_named() {
    let wrong = dind_init(&["chekc"], &[]);
    assert_eq!(status(&wrong), 64);
    assert!(stderr(&wrong).contains("chekc"));
    for (name, value, accepted) in [
        ("DOCKER_TLS_SAN", "RID:1.2", "DNS:name"),
        ("DIND_CLIENT_KEY", "ed25519", "rsa-2048"),
        ("DIND_CERT_DAYS", "4000", "from 1 to 3650"),
        ("DIND_LOG", "xml", "json"),
        ("DIND_IGNORE", "NETWORK-MUT", "ids"),
        ("DIND_INIT", "offical", "official"),
        ("DIND_DOCKERD_ARGS", "--label 'x", "quote"),
    ] {
        // `certs` starts no service where a value is not refused after all; only `run` knows DIND_INIT.
        let command = if name == "DIND_INIT" { "run" } else { "certs" };
        let refused = dind_init(&[command], &[("DOCKER_TLS_CERTDIR", "/c"), (name, value)]);
        let message = stderr(&refused);
        assert_eq!(status(&refused), 64, "{message}");
        for part in [name, value, accepted] {
            assert!(message.contains(part), "{part} in {message}");
        }
    }
}

#[test]
fn certs_makes_the_certificates_and_keeps_them() {
    let (directory, path) = certificate_directory();
    let variables = [("DOCKER_TLS_CERTDIR", path.as_str())];
    let made = dind_init(&["certs"], &variables);
    assert_eq!(status(&made), 0, "{}", stderr(&made));
    for part in ["client", "server"] {
        let files = ["ca.pem", "cert.pem", "key.pem"];
        assert_eq!(names(&directory.path().join(part)), files, "{part}");
    }
    let certificate = directory.path().join("server/cert.pem");
    let keeps = || {
        let before = fs::read(&certificate).unwrap();
        assert_eq!(status(&dind_init(&["certs"], &variables)), 0);
        fs::read(&certificate).unwrap() == before
    };
    // The machine's addresses are among its names, and those towards other tests' pods come and go.
    assert!((0..10).any(|_| keeps()));

    let before = fs::read(&certificate).unwrap();
    let renamed = [variables[0], ("DOCKER_TLS_SAN", "another.example")];
    assert_eq!(status(&dind_init(&["certs"], &renamed)), 0);
    assert_ne!(fs::read(&certificate).unwrap(), before);

    let nowhere = dind_init(&["certs"], &[("DOCKER_TLS_CERTDIR", "")]);
    assert_eq!(status(&nowhere), 64);
}

#[test]
fn another_command_gets_a_client_s_environment_and_its_own_status() {
    let (directory, path) = certificate_directory();
    let variables = [
        ("DOCKER_TLS_CERTDIR", path.as_str()),
        ("DOCKER_HOST", "tcp://docker:2376"),
    ];
    let script = "echo \"$DOCKER_HOST $DOCKER_TLS_VERIFY $DOCKER_CERT_PATH\"; exit 7";
    let before = dind_init(&["run", "sh", "-c", script], &variables);
    assert_eq!(stdout(&before), "tcp://docker:2376  \n");
    assert_eq!(status(&before), 7);

    assert_eq!(status(&dind_init(&["certs"], &variables)), 0);
    let after = dind_init(&["run", "sh", "-c", script], &variables);
    let client = directory.path().join("client");
    let expected = format!("tcp://docker:2376 1 {}\n", client.display());
    assert_eq!(stdout(&after), expected);

    let missing = dind_init(&["run", "no-such-command"], &variables);
    assert_eq!(status(&missing), 127);
    assert!(stderr(&missing).contains("no-such-command"));
}

#[test]
fn as_the_entrypoint_our_own_commands_are_just_commands() {
    let directory = tempdir().unwrap();
    let entrypoint = directory.path().join("dockerd-entrypoint.sh");
    symlink(DIND_INIT, &entrypoint).unwrap();
    let entrypoint = entrypoint.to_str().unwrap();
    let output = command(entrypoint, &["echo", "a", "--help"], &[]);
    assert_eq!(stdout(&output), "a --help\n");
    assert_eq!(status(&command(entrypoint, &["certs"], &[])), 127);
}

#[test]
fn the_way_back_says_so_where_there_is_none() {
    let output = dind_init(&["run"], &[("DIND_INIT", "official")]);
    assert_eq!(status(&output), 127);
    assert!(stderr(&output).contains("dockerd-entrypoint.official.sh"));
}

#[test]
fn json_lines_carry_the_id_and_the_severity() {
    let (_directory, path) = foreign_certificate_directory();
    let variables = [("DOCKER_TLS_CERTDIR", path.as_str()), ("DIND_LOG", "json")];
    let text = stderr(&dind_init(&["certs"], &variables));
    let line: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!(line["id"], "CERTS-FOREIGN");
    assert_eq!(line["severity"], "fatal");
    assert_eq!(line["level"], "ERROR");
}

#[test]
fn a_warning_is_no_error_for_whoever_reads_levels() {
    let (directory, path) = certificate_directory();
    fs::create_dir_all(directory.path().join("client")).unwrap();
    fs::write(directory.path().join("client/tls.crt"), "").unwrap();
    let variables = [("DOCKER_TLS_CERTDIR", path.as_str()), ("DIND_LOG", "json")];
    let text = stderr(&dind_init(&["certs"], &variables));
    let mut lines = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let warning = lines.find(|line| line["id"] == "CERTS-NAMING").unwrap();
    assert_eq!(warning["severity"], "warning");
    assert_eq!(warning["level"], "WARN");
}

#[test]
fn a_closed_stderr_changes_nothing() {
    let (_directory, path) = certificate_directory();
    let script = format!("exec {DIND_INIT} certs 2>&-");
    let variables = [("DOCKER_TLS_CERTDIR", path.as_str())];
    assert_eq!(status(&command("/bin/sh", &["-c", &script], &variables)), 0);
}

#[test]
fn a_reason_is_explained_by_its_id() {
    let known = dind_init(&["explain", "certs-readonly"], &[]);
    assert_eq!(status(&known), 0);
    for part in [
        "CERTS-READONLY: ",
        "Severity: fatal",
        "empty_dir",
        "Retry",
        "DIND_IGNORE",
    ] {
        assert!(stdout(&known).contains(part), "{part}");
    }
    let unknown = dind_init(&["explain", "CERT-READONLY"], &[]);
    assert_eq!((status(&unknown), stdout(&unknown)), (64, String::new()));
    assert!(stderr(&unknown).contains("CERTS-READONLY"));
}

#[test]
fn dockerd_gets_its_sockets_from_3_on_and_under_no_other_number() {
    let directory = tempdir().unwrap();
    for name in ["a", "b"] {
        fs::write(directory.path().join(name), "").unwrap();
    }
    let script = "cd \"$1\" && exec 8<a 9<b
                  exec \"$0\" exec-dockerd --socket=9 --socket=8 -- sh -c \\
                  'for number in 3 4 5 8 9; do readlink /proc/$$/fd/$number || echo none; done'";
    let path = directory.path().to_str().unwrap();
    let said = stdout(&command("sh", &["-c", script, DIND_INIT, path], &[]));
    let names: Vec<_> = said
        .lines()
        .map(|line| line.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(names, ["b", "a", "none", "none", "none"]);
}

#[test]
fn completions_are_printed() {
    let output = dind_init(&["completions", "bash"], &[]);
    assert_eq!(status(&output), 0);
    assert!(stdout(&output).contains("dind-init"));
}
