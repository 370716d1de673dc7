//! Two daemons that were given one certificate directory.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::openssl::{Authority, Profile, is_whole_set};
use crate::pod::Pod;
use crate::suite::Suite;
use crate::volume::Volume;

/// One serves, the other says why it does not, and whoever reads meanwhile reads one whole set.
#[test]
fn two_daemons_on_one_directory_notice_each_other() {
    for _ in 0..3 {
        let certs = Volume::disk();
        let done = AtomicBool::new(false);
        let read = thread::scope(|scope| {
            let end_of_reading = SetOnDrop(&done);
            let reader = scope.spawn(|| read_sets_until(certs.path(), &done));
            let starts =
                [(); 2].map(|()| scope.spawn(|| Pod::new(Suite::Trixie).certs(&certs).start()));
            let pods = starts.map(|start| start.join().unwrap());
            one_serves_and_one_refuses(&pods);
            drop(end_of_reading);
            reader.join().unwrap()
        });
        assert!(!read.is_empty(), "no set was ever seen");
        for set in &read {
            assert!(set.is_whole(), "a mixed set was read");
        }
    }
}

fn one_serves_and_one_refuses(pods: &[Pod; 2]) {
    // The one that has ended is the one that refused; while it waits for the lock, neither has.
    let deadline = Instant::now() + Duration::from_secs(60);
    let loser = loop {
        if let Some(index) = pods.iter().position(Pod::service_has_ended) {
            break index;
        }
        assert!(
            Instant::now() < deadline,
            "neither refused:\n{}\n{}",
            pods[0].service_log(),
            pods[1].service_log()
        );
    };
    pods[loser]
        .service_end()
        .expect_status(70)
        .expect("dind-init: fatal CERTS-IN-USE: ")
        .expect("/certs/client");
    pods[1 - loser]
        .job("docker version")
        .expect_success()
        .expect("Server:");
}

/// The lock goes with the daemon, however that ends: the next one finds the directory free.
#[test]
fn a_killed_daemon_leaves_the_directory_to_the_next() {
    let certs = Volume::disk();
    let killed = Pod::new(Suite::Trixie).certs(&certs).start();
    killed.job("docker version").expect_success();
    killed.signal("KILL");
    killed.service_end().expect_status(137);

    let next = Pod::new(Suite::Trixie).certs(&certs).start();
    next.job("docker version")
        .expect_success()
        .expect("Server:");
}

/// The control: the reader does notice a mixed set when there is one.
#[test]
fn control_a_mixed_set_is_noticed() {
    let directory = TempDir::new().unwrap();
    let one = Authority::new("one", Profile::Strict);
    let other = Authority::new("other", Profile::Strict);
    one.issue_client(directory.path());
    assert!(read_set(directory.path()).unwrap().is_whole());
    fs::write(directory.path().join("ca.pem"), other.certificate()).unwrap();
    assert!(!read_set(directory.path()).unwrap().is_whole());

    let (first, second) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    one.issue_client(first.path());
    one.issue_client(second.path());
    fs::copy(second.path().join("key.pem"), first.path().join("key.pem")).unwrap();
    assert!(!read_set(first.path()).unwrap().is_whole());
}

/// The three files as a client reads them.
#[derive(Eq, Hash, PartialEq)]
struct ClientSet {
    ca: Vec<u8>,
    cert: Vec<u8>,
    key: Vec<u8>,
}

impl ClientSet {
    fn is_whole(&self) -> bool {
        let directory = TempDir::new().unwrap();
        for (name, content) in [
            ("ca.pem", &self.ca),
            ("cert.pem", &self.cert),
            ("key.pem", &self.key),
        ] {
            fs::write(directory.path().join(name), content).unwrap();
        }
        is_whole_set(directory.path())
    }
}

/// Lets the reader end when the scenario does, or fails.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Reads the set over and over, and returns each different one that was seen.
fn read_sets_until(directory: &Path, done: &AtomicBool) -> HashSet<ClientSet> {
    let mut seen = HashSet::new();
    while !done.load(Ordering::Relaxed) {
        seen.extend(read_set(directory));
    }
    seen
}

/// A set counts as read if `ca.pem` is the same before and after the reading.
fn read_set(directory: &Path) -> Option<ClientSet> {
    let read = |name| fs::read(directory.join(name)).ok();
    let ca = read("ca.pem")?;
    let set = ClientSet {
        cert: read("cert.pem")?,
        key: read("key.pem")?,
        ca,
    };
    (read("ca.pem")? == set.ca).then_some(set)
}
