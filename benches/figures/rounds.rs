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
    service::{DIND_INIT, FIGURES, OLDER_DIND_INIT, SHARED},
};

/// Rounds of each start.
const STARTS: usize = 60;
/// Rounds of certificate making.
const ISSUES: usize = 200;

/// All rounds of a start, for each binary that is there, this checkout's first. Who goes first in a
/// turn changes.
pub fn in_turn(round: fn(&str) -> Duration) -> Vec<Vec<Duration>> {
    let mut binaries = vec![DIND_INIT];
    binaries.extend(Some(OLDER_DIND_INIT).filter(|path| Path::new(path).exists()));
    let mut times = vec![Vec::new(); binaries.len()];
    for turn in 0..STARTS {
        for step in 0..binaries.len() {
            let which = (turn + step) % binaries.len();
            times[which].push(round(binaries[which]));
        }
    }
    times
}

/// From dind-init's start until port 2375 takes a connection, without TLS.
pub fn plain_port(binary: &str) -> Duration {
    let start = clock::now();
    let mut service = start_with_stand_in(binary, "");
    while TcpStream::connect((Ipv4Addr::LOCALHOST, 2375)).is_err() {
        thread::yield_now();
    }
    let open = clock::now();
    // Ended only when dockerd runs: before that dind-init has nothing to pass SIGTERM to.
    started(&mut service);
    agent::stop(service);
    open - start
}

/// From dind-init's start until a job finds the CA by which it knows the daemon.
pub fn client_ca(binary: &str) -> Duration {
    let directory = Path::new(SHARED).join("new");
    let ca = directory.join("client/ca.pem");
    let start = clock::now();
    let mut service = start_with_stand_in(binary, directory.to_str().expect("ASCII"));
    while !ca.exists() {
        thread::yield_now();
    }
    let published = clock::now();
    started(&mut service);
    agent::stop(service);
    fs::remove_dir_all(&directory).expect("certificates were made");
    published - start
}

/// From dind-init's start until dockerd's first instruction, certificates made in between.
pub fn dockerd_executed(binary: &str) -> Duration {
    let directory = Path::new(SHARED).join("new");
    let start = clock::now();
    let mut service = start_with_stand_in(binary, directory.to_str().expect("ASCII"));
    let executed = started(&mut service);
    agent::stop(service);
    fs::remove_dir_all(&directory).expect("certificates were made");
    executed - start
}

/// All of `dind-init check`: the same preflight, and a process around it.
pub fn preflight(binary: &str) -> Duration {
    let mut check = Command::new(binary);
    check.arg("check").stdin(Stdio::null());
    let start = clock::now();
    let output = check.output().expect("dind-init starts");
    let end = clock::now();
    // A preflight that found something fatal would have left the rest out.
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    end - start
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

/// A dind-init, with the program of this benchmark as the first `dockerd` in `PATH`.
fn start_with_stand_in(binary: &str, certificates: &str) -> Child {
    let directory = Path::new("/run/stand-in");
    if !directory.exists() {
        fs::create_dir(directory).expect("/run is writable");
        symlink(FIGURES, directory.join("dockerd")).expect("/run is writable");
    }
    let path = env::var("PATH").expect("the image sets PATH");
    let mut command = Command::new(binary);
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
