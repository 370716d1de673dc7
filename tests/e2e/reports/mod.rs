//! Set-ups from public reports, made again: each as somebody had it, and what becomes of it.

mod clients;
mod daemon_json;
mod networks;
mod pods;
mod registries;

use std::thread;
use std::time::{Duration, Instant};

use crate::faults::{
    names,
    paste::{
        Cure::{self, Done, Pasted, PastedAfter},
        cured,
    },
};
use crate::gitlab::RunnerLog;
use crate::pod::{Plan, Pod};
use crate::suite::Suite;
use crate::transcript::Transcript;
use crate::volume::Volume;

/// The pod that GitLab's documentation asks for, with TLS.
fn usual() -> Plan {
    usual_on(Suite::Trixie)
}

fn usual_on(suite: Suite) -> Plan {
    Pod::new(suite).certs(&Volume::memory())
}

/// The job of the report works, and its log has no word of ours.
#[track_caller]
fn works(plan: Plan, job: &str) {
    let log = RunnerLog::new();
    let pod = plan.gitlab_job(&Volume::disk()).runner_log(&log).start();
    let outcome = pod.job(job).expect_success();
    assert_eq!(log.text().unwrap(), "", "{outcome}");
}

/// The job of the report fails, and its log says all of `parts`, before the job ends. Returns what
/// is told.
#[track_caller]
fn is_explained(plan: Plan, job: &str, parts: &[&str]) -> String {
    let log = RunnerLog::new();
    let pod = plan.gitlab_job(&Volume::disk()).runner_log(&log).start();
    let outcome = pod.job(job).expect_failure();
    let told = format!("{}{}", outcome.output(), log.text().unwrap());
    let missing: Vec<_> = parts.iter().filter(|part| !has(&told, part)).collect();
    assert!(
        missing.is_empty(),
        "{missing:?} is not in\n{told}\n{outcome}"
    );
    log.text().unwrap()
}

/// The same where dockerd itself answers: what it logs is told a moment later.
#[track_caller]
fn is_told_after(plan: Plan, job: &str, parts: &[&str]) -> String {
    let log = RunnerLog::new();
    let pod = plan.gitlab_job(&Volume::disk()).runner_log(&log).start();
    let outcome = pod.job(job).expect_failure();
    for part in parts {
        wait_for(&log, part, &outcome);
    }
    log.text().unwrap()
}

/// The job works when it has done what `id` told it to, and hears no more of that.
#[track_caller]
fn is_cured(plan: Plan, job: &str, told: &str, id: &str, cure: Cure) {
    let log = RunnerLog::new();
    let plan = cured(plan.gitlab_job(&Volume::disk()), told, id, cure).unwrap();
    let pod = plan.runner_log(&log).start();
    let outcome = pod.job(job).expect_success();
    let told_again = log.text().unwrap();
    assert!(!names(&told_again, id), "{told_again}\n{outcome}");
}

#[track_caller]
fn wait_for(log: &RunnerLog, part: &str, outcome: &Transcript<'_>) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !has(&log.text().unwrap(), part) {
        assert!(Instant::now() < deadline, "{part} in {log:?}\n{outcome}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Whether it has the part, and the whole id where the part is one.
fn has(log: &str, part: &str) -> bool {
    let is_id = part.contains('-') && part.chars().all(|c| c.is_ascii_uppercase() || c == '-');
    match is_id {
        true => names(log, part),
        false => log.contains(part),
    }
}
