use std::{
    io::{BufRead, BufReader},
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    },
    process::{Child, Command, Stdio},
};

use nix::sys::{eventfd::EfdFlags, signal::SigSet, signalfd::SignalFd};

use super::*;
use crate::system::alone::is_alone;

#[test]
fn descendants_are_found_whatever_their_name_and_nobody_else() {
    // The shell says who its child is, and ends it with itself.
    let script = "sleep 60 & echo $!; read -r line; kill $!";
    let mut shell = Command::new("sh");
    let shell = shell.args(["-c", script]);
    let shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    let mut line = String::new();
    let mut said = BufReader::new(shell.stdout.take().unwrap());
    said.read_line(&mut line).unwrap();
    let below = Pid::from_raw(line.trim().parse().unwrap());
    let found = descendants();
    let position = |wanted| found.iter().position(|process| *process == wanted);
    assert!(position(pid(&shell)).unwrap() < position(below).unwrap());
    assert!(!found.contains(&Pid::this()) && !found.contains(&Pid::parent()));
    drop(shell.stdin.take());
    shell.wait().unwrap();
    assert!(!descendants().contains(&pid(&shell)));
}

/// What was told, in its order.
#[derive(Default)]
struct Told {
    events: Vec<String>,
    deadline: Option<Instant>,
    /// Goes on when its stdin ends, which is when the deadline is over.
    dockerd: Option<Child>,
}

impl Events for Told {
    fn ready(&mut self) {
        self.events.push("ready".to_owned());
    }
    fn failed(&mut self) {
        self.events.push("failed".to_owned());
    }
    fn asked_to_stop(&mut self, signal: Signal) {
        self.events.push(signal.to_string());
    }
    fn stopping(&mut self) {
        self.events.push("stopping".to_owned());
    }
    fn ended(&mut self, ended: Ended) {
        self.events.push(format!("{ended:?}"));
    }
    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
    fn overdue(&mut self) {
        assert!(self.deadline.take().unwrap() <= Instant::now());
        self.events.push("overdue".to_owned());
        drop(self.dockerd.as_mut().unwrap().stdin.take());
    }
}

/// With the signals that a process usually has.
fn shell(script: &str) -> Child {
    signals::restore(&[]).unwrap();
    let child = shell_as_it_is(script);
    Signals::block().unwrap();
    child
}

/// With all signals blocked, as here.
fn shell_as_it_is(script: &str) -> Child {
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).stdin(Stdio::piped());
    shell.spawn().unwrap()
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap())
}

/// What was told, and how dockerd ended.
fn supervise(
    dockerd: Child,
    deadline: Option<Instant>,
    before: impl FnOnce(&EventFd),
) -> (Vec<String>, Ended) {
    let signals = Signals::block().unwrap();
    let failed = EventFd::from_flags(EfdFlags::EFD_NONBLOCK).unwrap();
    before(&failed);
    let mut told = Told {
        events: Vec::new(),
        deadline,
        dockerd: Some(dockerd),
    };
    let ended = Supervisor {
        dockerd: pid(told.dockerd.as_ref().unwrap()),
        signals: &signals,
        readiness: &Readiness::bind().unwrap(),
        failed: Some(&failed),
        events: &mut told,
    }
    .run();
    (told.events, ended)
}

#[test]
fn dockerd_s_own_end_counts_and_what_it_leaves_behind_is_ended() {
    if !is_alone(
        "service::supervise::tests::dockerd_s_own_end_counts_and_what_it_leaves_behind_is_ended",
    ) {
        return;
    }
    for (script, expected) in [
        ("read -r line; exit 7", Ended::Exited(7)),
        (
            "read -r line; kill -KILL $$",
            Ended::Killed(Signal::SIGKILL),
        ),
    ] {
        let others = ["exit 3", "kill -ABRT $$"].map(|end| shell(&format!("read -r line; {end}")));
        let left = pid(&shell("exec sleep 60"));
        let soon = Instant::now() + Duration::from_millis(50);
        let (told, ended) = supervise(shell(script), Some(soon), |_| {
            // They end first.
            for mut other in others {
                drop(other.stdin.take());
                let stat = format!("/proc/{}/stat", other.id());
                while !fs::read_to_string(&stat).unwrap().contains(") Z ") {}
            }
        });
        assert_eq!(ended, expected);
        assert_eq!(told, ["overdue".to_owned(), format!("{expected:?}")]);
        assert_eq!(kill(left, None), Err(Errno::ESRCH));
        assert!(!has_children());
    }
}

/// A child's child: when its parent ends, which is asked to, nobody has asked it, and it would be
/// killed without a word.
#[test]
fn what_becomes_an_orphan_in_the_end_is_asked_to_end_as_well() {
    if !is_alone(
        "service::supervise::tests::what_becomes_an_orphan_in_the_end_is_asked_to_end_as_well",
    ) {
        return;
    }
    nix::sys::prctl::set_child_subreaper(true).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let [asked, begun] = ["asked", "begun"].map(|name| directory.path().join(name));
    let orphan = format!(
        "trap 'echo > {}; exit' TERM; echo > {}; for n in \\$(seq 1000); do sleep 0.01; done",
        asked.display(),
        begun.display()
    );
    // The shell in between ends by the signal, at once.
    let parent = pid(&shell(&format!("(sh -c \"{orphan}\") & wait")));
    let (_, ended) = supervise(shell("read -r line; exit 0"), Some(Instant::now()), |_| {
        let late = Instant::now() + Duration::from_secs(60);
        while !begun.exists() {
            assert!(Instant::now() < late);
        }
    });
    assert_eq!(ended, Ended::Exited(0));
    assert!(asked.exists());
    assert_eq!(kill(parent, None), Err(Errno::ESRCH));
}

#[test]
fn a_dockerd_that_nobody_can_use_is_told_to_end() {
    if !is_alone("service::supervise::tests::a_dockerd_that_nobody_can_use_is_told_to_end") {
        return;
    }
    let (told, ended) = supervise(shell("exec sleep 60"), None, |failed| {
        failed.write(1).unwrap();
    });
    assert_eq!(ended, Ended::Killed(Signal::SIGTERM));
    assert_eq!(told, ["failed", "Killed(SIGTERM)"]);
}

#[test]
fn dockerd_hears_a_stop_signal_once_and_others_as_they_come() {
    if !is_alone(
        "service::supervise::tests::dockerd_hears_a_stop_signal_once_and_others_as_they_come",
    ) {
        return;
    }
    let signals = Signals::block().unwrap();
    let mut dockerd = shell_as_it_is("exec sleep 60");
    let mut told = Told::default();
    let mut supervisor = Supervisor {
        dockerd: pid(&dockerd),
        signals: &signals,
        readiness: &Readiness::bind().unwrap(),
        failed: None,
        events: &mut told,
    };
    let mut forwarded = Vec::new();
    for signal in [
        Signal::SIGTERM,
        Signal::SIGTERM,
        Signal::SIGINT,
        Signal::SIGHUP,
    ] {
        supervisor.forward(signal, &mut forwarded);
    }
    assert_eq!(forwarded, [Signal::SIGTERM, Signal::SIGINT]);
    assert_eq!(told.events, ["SIGTERM", "SIGINT"]);
    // It has inherited the mask, so that they wait there.
    let status = fs::read_to_string(format!("/proc/{}/status", dockerd.id())).unwrap();
    let pending = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
    let bit = |signal: Signal| 1_u64 << (signal as i32 - 1);
    assert_eq!(
        u64::from_str_radix(pending.unwrap().trim(), 16).unwrap(),
        bit(Signal::SIGTERM) | bit(Signal::SIGINT) | bit(Signal::SIGHUP)
    );
    dockerd.kill().unwrap();
    dockerd.wait().unwrap();
}

/// Once dockerd is reaped its number may be another process's: what comes then is not forwarded. Of
/// signals that wait together the kernel gives the lowest first.
#[test]
fn what_comes_with_dockerd_s_end_is_not_forwarded() {
    if !is_alone("service::supervise::tests::what_comes_with_dockerd_s_end_is_not_forwarded") {
        return;
    }
    let signals = Signals::block().unwrap();
    let handled = |script: &str| {
        let mut dockerd = shell(script);
        let mut told = Told::default();
        let mut supervisor = Supervisor {
            dockerd: pid(&dockerd),
            signals: &signals,
            readiness: &Readiness::bind().unwrap(),
            failed: None,
            events: &mut told,
        };
        // A shell that waits for a line ends now.
        drop(dockerd.stdin.take());
        if script.starts_with("read") {
            poll::until_readable([signals.descriptor.as_fd()], None);
        } else {
            kill(Pid::this(), Signal::SIGCHLD).unwrap();
        }
        kill(Pid::this(), Signal::SIGWINCH).unwrap();
        let ended = supervisor.handle_signals(&mut Vec::new());
        let waits = signals.next();
        let _ = dockerd.kill();
        let _ = dockerd.wait();
        while signals.next().is_some() {}
        (ended, waits)
    };
    assert!(Signal::SIGCHLD < Signal::SIGWINCH);
    assert_eq!(
        handled("read -r line; exit 0"),
        (Some(Ended::Exited(0)), Some(Signal::SIGWINCH))
    );
    // The control: one that lives gets what comes with some other child's end.
    assert_eq!(handled("exec sleep 60"), (None, None));
}

#[test]
fn what_dockerd_says_of_itself_is_told_in_order() {
    let readiness = Readiness::bind().unwrap();
    let name = readiness.address();
    let address = SocketAddr::from_abstract_name(name.trim_start_matches('@')).unwrap();
    let dockerd = UnixDatagram::unbound().unwrap();
    let mut told = Told::default();
    let signals = Signals {
        descriptor: SignalFd::new(&SigSet::empty()).unwrap(),
        original: Vec::new(),
    };
    let mut supervisor = Supervisor {
        // It is us who speak.
        dockerd: Pid::this(),
        signals: &signals,
        readiness: &readiness,
        failed: None,
        events: &mut told,
    };
    for word in ["READY=1", "STATUS=x", "STOPPING=1"] {
        dockerd.send_to_addr(word.as_bytes(), &address).unwrap();
    }
    supervisor.handle_notifications();
    assert_eq!(told.events, ["ready", "stopping"]);
}
