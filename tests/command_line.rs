//! The command line, as anybody may use it: no container, no privileges, nothing left behind.
#![allow(clippy::unwrap_used)]

use std::{
    fs, io,
    net::TcpListener,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            fs::symlink,
            net::{SocketAddr, UnixListener},
        },
    },
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
};

use nix::{
    fcntl::{Flock, FlockArg},
    sched::{CloneFlags, unshare},
    unistd::Uid,
};
use tempfile::{TempDir, tempdir};

const DIND_INIT: &str = env!("CARGO_BIN_EXE_dind-init");

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
fn check_tells_what_would_be_done_and_does_nothing() {
    let (directory, path) = certificate_directory();
    let variables = [
        ("DOCKER_TLS_CERTDIR", path.as_str()),
        ("DOCKER_TLS_SAN", "DNS:a.example"),
        ANY_MACHINE,
    ];
    let data_root = tempdir().unwrap();
    let flag = format!("--data-root={}", data_root.path().display());
    let checked = dind_init(&["check", "--mtu=1400", &flag], &variables);
    let report = stdout(&checked);
    assert_eq!(status(&checked), 0, "{report}");
    for part in ["Facts", "a.example", "Plan", "client: issue", "--mtu=1400"] {
        assert!(report.contains(part), "{part} in {report}");
    }
    assert!(names(directory.path()).is_empty());
    assert!(names(data_root.path()).is_empty());
}

#[test]
fn check_finds_a_data_directory_that_another_daemon_uses() {
    let data_root = tempdir().unwrap();
    let database = data_root.path().join("volumes/metadata.db");
    fs::create_dir(database.parent().unwrap()).unwrap();
    let database = fs::File::create(&database).unwrap();
    let flag = format!("--data-root={}", data_root.path().display());
    let check = || dind_init(&["check", &flag], &[ANY_MACHINE]);

    let free = check();
    assert_eq!(status(&free), 0, "{}", stdout(&free));
    let lock = Flock::lock(database, FlockArg::LockExclusiveNonblock).unwrap();
    let used = check();
    assert_eq!(status(&used), 74, "{}", stdout(&used));
    assert!(stdout(&used).contains("fatal STORAGE-IN-USE"));
    drop(lock);
    assert_eq!(names(data_root.path()), ["volumes"]);
}

#[test]
fn check_has_the_status_of_what_would_stop_the_service() {
    let (directory, path) = foreign_certificate_directory();
    let variables = [("DOCKER_TLS_CERTDIR", path.as_str()), ANY_MACHINE];
    let checked = dind_init(&["check"], &variables);
    let report = stdout(&checked);
    assert_eq!(status(&checked), 70, "{report}");
    assert!(report.contains("fatal CERTS-FOREIGN"), "{report}");
    let ca = directory.path().join("client/ca.pem");
    assert_eq!(fs::read_to_string(ca).unwrap(), FOREIGN);
}

#[test]
fn check_finds_that_there_is_no_dockerd() {
    let (_directory, path) = certificate_directory();
    let nowhere = [("DOCKER_TLS_CERTDIR", path.as_str()), ("PATH", "/nowhere")];
    let checked = dind_init(&["check"], &nowhere);
    assert!(stdout(&checked).contains("fatal DAEMON-MISSING"));
    let here = dind_init(&["check"], &nowhere[..1]);
    assert!(!stdout(&here).contains("DAEMON-MISSING"));
}

#[test]
fn check_speaks_json_too() {
    let (_directory, path) = foreign_certificate_directory();
    let variables = [("DOCKER_TLS_CERTDIR", path.as_str())];
    let checked = dind_init(&["check", "--output", "json", "--mtu=1400"], &variables);
    let report: serde_json::Value = serde_json::from_str(&stdout(&checked)).unwrap();
    let findings = report["findings"].as_array().unwrap();
    assert!(
        findings
            .iter()
            .any(|finding| finding["id"] == "CERTS-FOREIGN")
    );
    assert_eq!(report["exit_status"], status(&checked));
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
fn check_says_where_the_job_s_variables_lead() {
    let (_directory, path) = certificate_directory();
    let variables = [
        ("DOCKER_TLS_CERTDIR", path.as_str()),
        ("DOCKER_HOST", "tcp://docker:2375"),
    ];
    let checked = dind_init(&["check"], &variables);
    let report = stdout(&checked);
    assert_eq!(status(&checked), 77, "{report}");
    assert!(report.contains("error CLIENT-PORT"), "{report}");
    let right = [variables[0], ("DOCKER_HOST", "tcp://docker:2376")];
    let report = stdout(&dind_init(&["check"], &right));
    assert!(!report.contains("CLIENT-"), "{report}");
}

#[test]
fn check_asks_for_the_certificates_lock_as_the_service_does() {
    let (directory, path) = certificate_directory();
    let client = directory.path().join("client");
    fs::create_dir(&client).unwrap();
    let handle = fs::File::open(&client).unwrap();
    let lock = Flock::lock(handle, FlockArg::LockExclusiveNonblock).unwrap();
    let variables = [("DOCKER_TLS_CERTDIR", path.as_str())];
    let report = stdout(&dind_init(&["check"], &variables));
    assert!(report.contains("fatal CERTS-IN-USE"), "{report}");
    drop(lock);
    let report = stdout(&dind_init(&["check"], &variables));
    assert!(!report.contains("CERTS-IN-USE"), "{report}");
    assert_eq!(fs::read_dir(&client).unwrap().count(), 0);
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

/// In a network of its own, whose ports nobody else's tests have.
#[test]
fn check_finds_a_port_and_a_socket_that_somebody_else_has() {
    if !Uid::effective().is_root() {
        // Without root dockerd opens its own, and nobody may make a network.
        return;
    }
    thread::spawn(|| {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        let directory = tempdir().unwrap();
        let path = directory.path().join("docker.sock");
        let host = format!("unix://{}", path.display());
        let check = || stdout(&dind_init(&["check"], &[("DOCKER_HOST", &host)]));
        let [port, socket] = ["NETWORK-PORT-IN-USE", "NETWORK-SOCKET-BUSY"];

        let report = check();
        assert!(
            !report.contains(port) && !report.contains(socket),
            "{report}"
        );
        let listeners = (
            TcpListener::bind("0.0.0.0:2375").unwrap(),
            UnixListener::bind(&path).unwrap(),
        );
        let report = check();
        assert!(report.contains(&format!("fatal {port}")), "{report}");
        let ourselves = format!("process {} of this container", std::process::id());
        assert!(report.contains(&ourselves), "{report}");
        assert!(report.contains(&format!("fatal {socket}")), "{report}");
        // As a dind-init of another container that explains there, until the port is wanted.
        let name = SocketAddr::from_abstract_name("dind-init/explains/2375").unwrap();
        let explaining = UnixListener::bind_addr(&name).unwrap();
        let report = check();
        assert!(!report.contains(port), "{report}");
        drop((listeners, explaining));
    })
    .join()
    .unwrap();
}

#[test]
fn completions_are_printed() {
    let output = dind_init(&["completions", "bash"], &[]);
    assert_eq!(status(&output), 0);
    assert!(stdout(&output).contains("dind-init"));
}

/// What the machine lacks that runs the tests is none of their business.
const ANY_MACHINE: (&str, &str) = (
    "DIND_IGNORE",
    "NOT-PRIVILEGED,PRIVILEGE-SECCOMP,PRIVILEGE-APPARMOR,CGROUP-NO-DEVICES,STORAGE-READONLY,\
     STORAGE-FULL,NETWORK-NAT-MISSING,NETWORK-FORWARDING",
);

const FOREIGN: &str = "somebody's";

/// An empty certificate directory, and its path as text.
fn certificate_directory() -> (TempDir, String) {
    let directory = tempdir().unwrap();
    let path = directory.path().to_str().unwrap().to_owned();
    (directory, path)
}

/// One with a `client/ca.pem` that is not ours.
fn foreign_certificate_directory() -> (TempDir, String) {
    let (directory, path) = certificate_directory();
    let client = directory.path().join("client");
    fs::create_dir(&client).unwrap();
    fs::write(client.join("ca.pem"), FOREIGN).unwrap();
    (directory, path)
}

fn dind_init(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    command(DIND_INIT, arguments, variables)
}

/// Runs a program with these variables, and nothing else of the machine's but `PATH`.
/// Docker, as far as `check` asks for it: programs that have nothing to say.
fn programs() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("programs");
    fs::create_dir_all(&directory).unwrap();
    for name in ["dockerd", "containerd"] {
        match symlink("/bin/true", directory.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => panic!("{error}"),
            _ => {}
        }
    }
    directory
}

fn command(program: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let path = std::env::var("PATH").unwrap();
    Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", format!("{}:{path}", programs().display()))
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
