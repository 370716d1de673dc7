use std::{net::TcpListener, sync::Arc};

use nix::{fcntl::OFlag, unistd::pipe2};

use super::*;
use crate::{
    dockerd::log::Recogniser,
    facts::mounts::Mounts,
    plan::Plan,
    settings::Settings,
    sockets::{Sockets, TcpSocket},
};

const TIMEOUT: Duration = Duration::from_secs(60);

/// A service's sockets, of which one is open to clients.
fn bound() -> Bound {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let tcp = TcpSocket::bind(port).unwrap();
    tcp.open().unwrap();
    let settings = Settings::parse(&|_| None).unwrap();
    let mut bound = Bound::nothing(&Plan::default(), &settings);
    bound.sockets = Some(Arc::new(Sockets { tcp, unix: None }));
    bound
}

/// That of a dockerd that has said nothing, and is not ready.
fn life(bound: &Bound) -> Life<'_> {
    let settings = Settings::parse(&|_| None).unwrap();
    let (silence, _) = pipe2(OFlag::O_CLOEXEC).unwrap();
    Life {
        started: Instant::now(),
        start_timeout: TIMEOUT,
        report: Report::new(&settings, &Mounts::default()),
        output: Output::follow(silence, Recogniser::default(), |_| {}).unwrap(),
        given: Given::default(),
        dockerd: None,
        bound,
        out_of_memory_before: None,
        start: Start::Underway,
        course: Course::On,
        error_daemon: None,
    }
}

#[test]
fn a_start_that_takes_long_is_explained_once_until_it_is_over() {
    let bound = bound();
    let mut life = life(&bound);
    let deadline = life.deadline().unwrap();
    assert!(life.started + TIMEOUT <= deadline && deadline <= Instant::now() + TIMEOUT);
    life.overdue();
    assert!(life.report.has_told(&daemon::TIMEOUT));
    assert!(life.error_daemon.is_some());
    assert_eq!(life.deadline(), None, "it is explained already");
    life.ready();
    assert!(life.error_daemon.is_none(), "dockerd answers");
    life.overdue();
    assert_eq!(life.deadline(), None, "and may be silent");
}

#[test]
fn a_start_settles_once_and_not_where_the_end_came_first() {
    let bound = bound();
    let mut life = life(&bound);
    life.ready();
    let settles = life.deadline().unwrap();
    assert!(settles <= Instant::now() + SETTLED);
    life.overdue();
    assert_eq!(life.deadline(), None);
    assert!(!life.report.has_told(&daemon::TIMEOUT));
    life.ready();
    life.ended(Ended::Exited(3));
    assert_eq!(life.deadline(), None);
}

#[test]
fn an_end_that_nobody_asked_for_is_explained_and_stays_explained() {
    let bound = bound();
    let ended = Ended::Exited(3);
    let mut life = life(&bound);
    life.ready();
    life.stopping();
    assert!(
        life.error_daemon.is_none(),
        "it ends of itself, and is to say why"
    );
    life.ended(ended);
    assert!(life.report.has_told(&daemon::UNKNOWN));
    assert!(life.error_daemon.is_some());
    assert_eq!(life.deadline(), None);
    let failure = life.conclude(ended).unwrap_err();
    assert_eq!(*failure.finding.reason, daemon::UNKNOWN);
    assert_eq!((failure.status, failure.telling), (3, Telling::Done));
}

#[test]
fn who_asks_for_the_end_of_what_has_ended_gets_it() {
    let bound = bound();
    let ended = Ended::Killed(Signal::SIGKILL);
    let mut life = life(&bound);
    life.ended(ended);
    assert!(life.report.has_told(&daemon::KILLED));
    life.asked_to_stop(Signal::SIGTERM);
    assert_eq!(life.deadline(), None, "there is nothing to wait for");
    assert_eq!(life.conclude(ended).unwrap(), ended.exit_status());
}

#[test]
fn an_end_that_was_asked_for_is_no_failure_and_is_called_slow_once() {
    let bound = bound();
    let mut life = life(&bound);
    life.asked_to_stop(Signal::SIGTERM);
    let grace = life.deadline().unwrap();
    assert!(life.started < grace && grace <= Instant::now() + usual_grace(true));
    life.stopping();
    assert!(life.error_daemon.is_some(), "clients hear that it stops");
    life.overdue();
    assert_eq!(life.deadline(), None);
    assert!(!life.report.has_told(&daemon::TIMEOUT));
    life.ended(Ended::Exited(0));
    assert!(!life.report.has_told(&daemon::UNKNOWN));
    assert_eq!(life.conclude(Ended::Exited(0)).unwrap(), 0);
}

#[test]
fn a_start_may_take_one_timeout_in_silence_and_three_with_words() {
    let started = Instant::now();
    let second = |number| started + Duration::from_secs(number);
    for (last, overdue) in [
        (0, 60),
        (1, 61),
        (119, 179),
        (120, 180),
        (121, 180),
        (500, 180),
    ] {
        assert_eq!(
            start_is_overdue(started, second(last), Duration::from_secs(60)),
            second(overdue),
            "{last}"
        );
    }
}

#[test]
fn a_stop_is_called_long_before_whoever_asked_for_it_kills() {
    let kills = [(false, 10), (true, 30)];
    for (in_kubernetes, kills) in kills {
        let left = Duration::from_secs(kills).checked_sub(usual_grace(in_kubernetes));
        assert!(left.is_some_and(|left| left >= Duration::from_secs(2)));
    }
    assert!(usual_grace(false) > Duration::from_secs(5));
}

#[test]
fn kills_count_only_where_both_counters_could_be_read() {
    for (before, now, kills) in [
        (Some(1), Some(3), Some(2)),
        (Some(3), Some(3), Some(0)),
        (Some(3), Some(1), Some(0)),
        (Some(3), None, None),
        (None, Some(3), None),
        (None, None, None),
    ] {
        assert_eq!(kills_since(before, now), kills, "{before:?} {now:?}");
    }
}
