//! `dind-init check`: what would be done, and what would stop the service.

use std::{
    fs,
    net::TcpListener,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener},
    },
    thread,
};

use nix::{
    fcntl::{Flock, FlockArg},
    sched::{CloneFlags, unshare},
    unistd::Uid,
};
use tempfile::tempdir;

use crate::calls::{
    ANY_MACHINE, FOREIGN, certificate_directory, dind_init, foreign_certificate_directory, names,
    status, stdout,
};

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
