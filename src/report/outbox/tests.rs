use std::{
    fs,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
};

use tempfile::tempdir;

use super::*;
use crate::{
    facts::mounts::Mounts,
    reasons::{certs, client, registry},
    report::status::State,
};

/// The runner's log, and its file.
fn log_of_a_job(directory: &Path) -> (JobLog, PathBuf) {
    let logs = directory.join("logs-1-7");
    fs::create_dir(&logs).unwrap();
    let file = logs.join("output.log");
    fs::write(&file, "").unwrap();
    let mount = format!("1 0 8:1 /x {} rw - ext4 /dev/a rw", logs.display());
    let log = JobLog::find(&Mounts::parse(&mount), "1", "7");
    (log.unwrap(), file)
}

fn start(job_directory: Option<JobDirectory>, job_log: Option<JobLog>) -> Outbox {
    Outbox::start(job_directory.map(|directory| || Some(directory)), job_log)
}

/// An outbox, and the runner's log file.
fn outbox_of_a_job(directory: &Path) -> (Outbox, PathBuf) {
    let (log, file) = log_of_a_job(directory);
    (start(None, Some(log)), file)
}

fn wait_for(file: &Path, part: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let text = fs::read_to_string(file).unwrap();
        if text.contains(part) {
            return text;
        }
        assert!(Instant::now() < deadline, "{part} in {text}");
        thread::yield_now();
    }
}

/// One that nobody empties.
fn idle(job_directory: Option<JobDirectory>) -> Outbox {
    let outbox = Outbox(Arc::new(Shared {
        job_directory: OnceLock::new(),
        job_log: None,
        waiting: Watched::new(Waiting::since(Instant::now())),
    }));
    outbox.0.have(job_directory);
    outbox
}

#[test]
fn what_nobody_would_write_is_not_waited_for() {
    let builds = tempdir().unwrap();
    for directory in [None, JobDirectory::claim(builds.path(), "17")] {
        let is_written = directory.is_some();
        let outbox = idle(directory);
        outbox.status(Status::starting(), true);
        assert_eq!(outbox.0.waiting.lock().is_unsettled(), is_written);
        outbox.entry(0, client::PORT.noted("x"));
        assert!(outbox.empty());
        assert!(!outbox.0.waiting.lock().is_unsettled());
    }
}

#[test]
fn whoever_is_kept_while_writing_is_told_of() {
    let outbox = idle(None);
    drop(outbox.0.waiting.lock().take_due());
    assert!(!outbox.empty());
}

/// The volume of the job's directory hangs, that of the runner's log does not.
#[test]
fn who_waits_for_the_directory_keeps_nobody_and_gets_the_last_status() {
    let directory = tempdir().unwrap();
    let (log, file) = log_of_a_job(directory.path());
    let (answer, answered) = mpsc::channel();
    let claim = move || answered.recv().unwrap();
    let outbox = Outbox::start(Some(claim), Some(log));
    let status = |state| Status {
        state,
        ..Status::starting()
    };
    outbox.status(status(State::Starting), true);
    outbox.entry(0, certs::READONLY.noted("told all the same"));
    wait_for(&file, "told all the same");
    outbox.status(status(State::Ready), true);
    assert!(outbox.claimed().is_none());
    let job = JobDirectory::claim(directory.path(), "7").unwrap();
    answer.send(Some(job)).unwrap();
    let path = outbox.job_directory().unwrap().path().join("status.txt");
    outbox.settle();
    assert!(fs::read_to_string(path).unwrap().starts_with("ready "));

    // It answers that there is none.
    let (answer, answered) = mpsc::channel();
    let outbox = Outbox::start(Some(move || answered.recv().unwrap()), None);
    outbox.status(status(State::Starting), true);
    assert!(outbox.0.waiting.lock().is_unsettled());
    answer.send(None).unwrap();
    assert!(outbox.job_directory().is_none());
    assert!(!outbox.0.waiting.lock().is_unsettled());
}

#[test]
fn the_status_says_what_stands_in_the_job_s_log() {
    for (is_there, mark) in [(true, "above|"), (false, "start|")] {
        let directory = tempdir().unwrap();
        let (log, file) = log_of_a_job(directory.path());
        if !is_there {
            fs::remove_file(file).unwrap();
        }
        let job = JobDirectory::claim(directory.path(), "7").unwrap();
        let text = job.path().join("status.txt");
        let outbox = start(Some(job), Some(log));
        let mut status = Status::starting();
        status.findings = vec![certs::READONLY.noted("x")];
        outbox.entry(0, status.findings[0].clone());
        outbox.settle();
        outbox.status(status, true);
        outbox.settle();
        let text = fs::read_to_string(text).unwrap();
        assert!(text.contains(mark), "{text}");
    }
}

#[test]
fn what_is_fatal_is_read_before_an_error_that_was_found_first() {
    let directory = tempdir().unwrap();
    let (outbox, file) = outbox_of_a_job(directory.path());
    outbox.entry(0, client::PORT.noted("first"));
    outbox.entry(1, certs::READONLY.noted("second"));
    outbox.entry(2, client::PROXY.noted("third"));
    let text = wait_for(&file, "third");
    let at = |part: &str| text.find(part).unwrap();
    assert!(at("second") < at("first"), "{text}");
    assert!(at("first") < at("third"), "{text}");
}

#[test]
fn an_error_waits_for_something_worse_until_there_can_be_none() {
    // An end, the assessment's, the service's, or that of our patience.
    for release in [Outbox::release, Outbox::settle, |_: &Outbox| {}] {
        let directory = tempdir().unwrap();
        let (outbox, file) = outbox_of_a_job(directory.path());
        outbox.entry(0, client::PORT.noted("first"));
        release(&outbox);
        wait_for(&file, "first");
        // Nothing else is waited for.
        assert_eq!(outbox.0.waiting.lock().rest(), None);
    }
}

#[test]
fn a_flood_of_findings_is_written_once_a_second_and_the_last_state_at_once() {
    let builds = tempdir().unwrap();
    let directory = JobDirectory::claim(builds.path(), "17").unwrap();
    let file = directory.path().join("status.txt");
    let outbox = start(Some(directory), None);
    let mut status = Status::starting();
    outbox.status(status.clone(), true);
    outbox.settle();
    let began = Instant::now();
    let mut versions = 0;
    let mut seen = fs::read_to_string(&file).unwrap();
    for number in 0..500 {
        let finding = registry::NOT_PEM.found(number.to_string(), "");
        status.findings = vec![finding];
        outbox.status(status.clone(), false);
        let now = fs::read_to_string(&file).unwrap();
        versions += u32::from(now != seen);
        seen = now;
    }
    let seconds = u32::try_from(began.elapsed().as_secs()).unwrap();
    assert!(versions <= seconds + 1, "{versions} in {seconds} s");
    status.state = State::Ready;
    outbox.status(status, true);
    outbox.settle();
    assert!(fs::read_to_string(&file).unwrap().starts_with("ready "));
}
