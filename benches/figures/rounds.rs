//! Figures for which dockerd is not needed: many short rounds in one container.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpStream},
    os::unix::fs::symlink,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use crate::{
    agent, clock,
    service::{DIND_INIT, FIGURES, SHARED},
};

/// Rounds of each start.
const STARTS: usize = 60;
/// Rounds of certificate making.
const ISSUES: usize = 200;

/// From dind-init's start until port 2375 takes a connection, without TLS.
pub fn plain_port() -> Vec<Duration> {
    let rounds = 0..STARTS;
    rounds
        .map(|_| {
            let start = clock::now();
            let mut service = start_with_stand_in("");
            while TcpStream::connect((Ipv4Addr::LOCALHOST, 2375)).is_err() {
                thread::yield_now();
            }
            let open = clock::now();
            // Ended only when dockerd runs: before that dind-init has nothing to pass SIGTERM to.
            started(&mut service);
            agent::stop(service);
            open - start
        })
        .collect()
}

/// From dind-init's start until dockerd's first instruction, certificates made in between.
pub fn dockerd_executed() -> Vec<Duration> {
    let directory = Path::new(SHARED).join("new");
    let rounds = 0..STARTS;
    rounds
        .map(|_| {
            let start = clock::now();
            let mut service = start_with_stand_in(directory.to_str().expect("ASCII"));
            let executed = started(&mut service);
            agent::stop(service);
            fs::remove_dir_all(&directory).expect("certificates were made");
            executed - start
        })
        .collect()
}

/// All of `dind-init check`: the same preflight, and a process around it.
pub fn preflight() -> Vec<Duration> {
    let rounds = 0..STARTS;
    rounds
        .map(|_| {
            let mut check = Command::new(DIND_INIT);
            check.arg("check").stdin(Stdio::null());
            let start = clock::now();
            let output = check.output().expect("dind-init starts");
            let end = clock::now();
            // A preflight that found something fatal would have left the rest out.
            let said = String::from_utf8_lossy(&output.stdout);
            assert_eq!(output.status.code(), Some(0), "{said}");
            end - start
        })
        .collect()
}

/// CA and server certificate, each in a fresh process and a fresh directory.
pub fn certificates() -> Vec<Duration> {
    let directory = Path::new(SHARED).join("new");
    let rounds = 0..ISSUES;
    rounds
        .map(|_| {
            let mut round = Command::new(FIGURES);
            let output = round.arg("certificates").arg(&directory).output();
            let output = output.expect("this binary starts");
            assert!(output.status.success(), "certificates: {}", output.status);
            fs::remove_dir_all(&directory).expect("certificates were made");
            clock::parse(&String::from_utf8_lossy(&output.stdout))
        })
        .collect()
}

/// `dind-init`, with the program of this benchmark as the first `dockerd` in `PATH`.
fn start_with_stand_in(certificates: &str) -> Child {
    let directory = Path::new("/run/stand-in");
    if !directory.exists() {
        fs::create_dir(directory).expect("/run is writable");
        symlink(FIGURES, directory.join("dockerd")).expect("/run is writable");
    }
    let path = env::var("PATH").expect("the image sets PATH");
    let mut command = Command::new(DIND_INIT);
    command
        .env("PATH", format!("{}:{path}", directory.display()))
        .env("DOCKER_TLS_CERTDIR", certificates)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command.spawn().expect("dind-init starts")
}

/// When the stand-in for dockerd was started, in its own words.
fn started(service: &mut Child) -> Duration {
    let output = service.stdout.as_mut().expect("it is piped");
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).expect("UTF-8");
    clock::parse(&line)
}
