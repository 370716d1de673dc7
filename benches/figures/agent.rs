//! The agent: PID 1 of the container, it starts and stops what the observer asks for.
//!
//! It cannot be asked by `podman exec`, whose own start would be part of every figure.

use std::{
    fs::{self, File},
    io::{Read, Write},
    os::unix::net::UnixListener,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

use crate::{
    clock, rounds,
    service::{DIND_INIT, Daemon, LOG, READY_CERTIFICATES, SHARED, SOCKET},
};

/// Answers one request after the other, until the container is removed.
///
/// What fails ends the container, and the observer shows why.
pub fn serve() {
    let path = Path::new(SHARED).join(SOCKET);
    let listener = UnixListener::bind(path).expect("the shared directory is writable");
    let mut running = None;
    for stream in listener.incoming() {
        let mut stream = stream.expect("the observer is there");
        let mut request = String::new();
        stream.read_to_string(&mut request).expect("a request");
        let answer = answer(&request, &mut running);
        stream
            .write_all(answer.as_bytes())
            .expect("the observer waits");
    }
}

fn answer(request: &str, running: &mut Option<Child>) -> String {
    match request {
        "plain port" => blocks(&rounds::in_turn(rounds::plain_port)),
        "client's CA" => blocks(&rounds::in_turn(rounds::client_ca)),
        "dockerd executed" => blocks(&rounds::in_turn(rounds::dockerd_executed)),
        "preflight" => blocks(&rounds::in_turn(rounds::preflight)),
        "certificates" => blocks(&[rounds::certificates()]),
        "ready certificates" => {
            let mut certs = Command::new(DIND_INIT);
            certs
                .arg("certs")
                .env("DOCKER_TLS_CERTDIR", READY_CERTIFICATES);
            let status = certs.status().expect("dind-init starts");
            assert!(status.success(), "dind-init certs: {status}");
            String::new()
        }
        "stop" => {
            stop(running.take().expect("something runs"));
            String::new()
        }
        daemon => {
            let daemon = Daemon::named(daemon).expect("a known request");
            let mut command = daemon.command();
            let log = File::create(Path::new(SHARED).join(LOG)).expect("a log");
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log);
            let start = clock::now();
            *running = Some(command.spawn().expect("the daemon starts"));
            clock::write(start)
        }
    }
}

/// A line for each time, and an empty one between what was measured in turn.
fn blocks(times: &[Vec<Duration>]) -> String {
    let lines = |times: &Vec<Duration>| -> Vec<String> {
        times.iter().copied().map(clock::write).collect()
    };
    let blocks: Vec<String> = times.iter().map(|times| lines(times).join("\n")).collect();
    blocks.join("\n\n")
}

/// Ends a daemon and waits until this process is alone: no containerd, no port, no lock is left.
pub fn stop(mut daemon: Child) {
    terminate(&daemon);
    daemon.wait().expect("it is our child");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_alone() {
        assert!(Instant::now() < deadline, "something outlives the daemon");
        // As PID 1 we inherit what it leaves.
        while !matches!(
            waitpid(None, Some(WaitPidFlag::WNOHANG)),
            Err(Errno::ECHILD) | Ok(WaitStatus::StillAlive)
        ) {}
        thread::sleep(Duration::from_millis(1));
    }
}

/// Asks a child to end.
pub fn terminate(child: &Child) {
    let pid = i32::try_from(child.id()).expect("a pid is an i32");
    kill(Pid::from_raw(pid), Signal::SIGTERM).expect("it was not waited for yet");
}

fn is_alone() -> bool {
    let entries = fs::read_dir("/proc").expect("/proc is mounted");
    let names = entries.flatten().map(|entry| entry.file_name());
    names
        .filter_map(|name| name.to_str()?.parse::<u32>().ok())
        .eq([1])
}
