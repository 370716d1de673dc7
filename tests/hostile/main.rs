//! A job is a stranger: what it can write is planted in real pods, and the service neither touches
//! what it leads to, nor waits, nor believes it. Each scenario has its control: the same pod without
//! the plant, or the plant's own doing where nobody is careful.
//!
//! They test the image, so `make image` comes first.
#![allow(clippy::unwrap_used, reason = "a test may fail with a panic")]

mod authorities;
mod clients;
mod hung;
mod neighbours;
mod paths;
mod planted;
#[path = "../pods/mod.rs"]
mod pods;
mod race;
mod served;
mod streams;
mod text;

use std::{
    fs,
    os::unix::fs::lchown,
    path::Path,
    time::{Duration, Instant},
};

use pods::{
    pod::{Plan, Pod},
    suite::Suite,
    volume::Volume,
};

/// What a container is given between SIGTERM and SIGKILL, by `docker stop`.
const GRACE: Duration = Duration::from_secs(10);

/// Who plants: a job's user, or root of a container without privileges.
#[derive(Clone, Copy, Debug)]
pub enum Planter {
    User,
    Root,
}

impl Planter {
    pub const ALL: [Self; 2] = [Self::User, Self::Root];

    /// Makes it the planter's, links themselves included.
    fn owns(self, path: &Path) {
        let id = match self {
            Self::User => 1000,
            Self::Root => 0,
        };
        lchown(path, Some(id), Some(id)).unwrap();
    }

    /// The same with all that is in it.
    pub fn owns_all(self, path: &Path) {
        if path.is_dir() && !path.is_symlink() {
            for entry in fs::read_dir(path).unwrap() {
                self.owns_all(&entry.unwrap().path());
            }
        }
        self.owns(path);
    }
}

/// A pod of job 7 with `builds`, and with TLS.
pub fn pod(builds: &Volume) -> Plan {
    Pod::new(Suite::Trixie).gitlab_job(builds)
}

/// Waits until the job can use Docker.
#[track_caller]
pub fn works(pod: &Pod) {
    pod.job("until docker version >/dev/null 2>&1; do sleep 0.2; done")
        .expect_success();
}

/// SIGTERM ends the service within its grace.
#[track_caller]
pub fn ends_when_asked(pod: &Pod) {
    let asked = Instant::now();
    pod.signal("TERM");
    let end = pod.service_end();
    let took = asked.elapsed();
    assert!(end.status().is_some() && took < GRACE, "{took:?}\n{end}");
}

/// What a process 1 that keeps everything would exceed at once.
const MOST_KILOBYTES: u64 = 64 * 1024;

/// The memory of the service's process 1: `VmRSS`, or `VmHWM` for the most that it ever had.
#[track_caller]
pub fn kilobytes(pod: &Pod, counter: &str) -> u64 {
    let line = format!("sed -n 's/^{counter}:[^0-9]*\\([0-9]*\\) kB/\\1/p' /proc/1/status");
    pod.in_service(&line).output().trim().parse().unwrap()
}
