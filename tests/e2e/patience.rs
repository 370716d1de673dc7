//! A service that waits for a lock which another dind may be about to give up.

use std::time::{Duration, Instant};

use crate::pod::{Plan, Pod};
use crate::suite::Suite;
use crate::volume::Volume;

/// How long the lock is waited for where nobody asks for the end.
const PATIENCE: Duration = Duration::from_secs(5);
/// 128 + SIGTERM.
const ASKED_TO_END: i32 = 143;

#[test]
fn who_waits_for_the_certificates_lock_ends_when_asked() {
    let certs = Volume::disk();
    let other = Pod::new(Suite::Trixie).certs(&certs).start();
    other.job("docker version").expect_success();
    ends_when_asked(Pod::new(Suite::Trixie).certs(&certs), "CERTS-IN-USE");
}

#[test]
fn who_waits_for_the_data_directory_ends_when_asked() {
    let data = Volume::disk();
    let with_data = |plan: Plan| plan.plain().volume(&data, "/var/lib/docker");
    let other = with_data(Pod::new(Suite::Trixie)).start();
    other.job("docker version").expect_success();
    ends_when_asked(with_data(Pod::new(Suite::Trixie)), "STORAGE-IN-USE");
}

/// Asks as soon as it can be waiting: the sockets are bound before that.
fn ends_when_asked(plan: Plan, unsaid: &str) {
    let pod = plan.start();
    pod.in_service("until [ -S /run/docker.sock ]; do sleep 0.01; done")
        .expect_success();
    let asked = Instant::now();
    pod.signal("TERM");
    let end = pod.service_end().expect_status(ASKED_TO_END);
    let took = asked.elapsed();
    assert!(
        took < PATIENCE / 2,
        "it went on waiting for {took:?}\n{end}"
    );
    assert!(
        end.output().contains("SIGTERM: ended before dockerd"),
        "{end}"
    );
    // Nobody knows whether the other would have let go in time.
    assert!(!end.output().contains(unsaid), "{end}");
}
