//! What is still to be written to files that others share, by a thread of its own: their file
//! system may be full, or keep whoever writes for ever.
//!
//! A state is written at once, findings at most once a second, and the last of all in any case.
//! What is for the job's log waits a moment while the service begins: the cause may be found after
//! its consequence, and is to be read first.

use std::{
    collections::BTreeSet,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::{explain, job_log::JobLog, status::Status};
use crate::{
    job_directory::JobDirectory,
    reasons::{Finding, Severity},
};

/// No status is written more often, but for a new state; one that could not be is tried again.
const INTERVAL: Duration = Duration::from_secs(1);

/// The longest that the job's log waits for something worse. Jobs begin later than that.
const GATHERING: Duration = Duration::from_millis(300);

/// How long the service's end waits for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Takes what is to be written. Cloned, it is still the same one.
#[derive(Clone, Debug)]
pub struct Outbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    job_directory: Option<JobDirectory>,
    job_log: Option<JobLog>,
    started: Instant,
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    status: Option<Status>,
    /// It has a new state.
    is_urgent: bool,
    /// For the job's log, with their numbers.
    entries: Vec<(usize, Finding)>,
    /// The entries wait for nothing worse.
    is_released: bool,
    is_writing: bool,
}

impl Waiting {
    /// Something is still to be written, or just being.
    fn is_unsettled(&self) -> bool {
        self.status.is_some() || !self.entries.is_empty() || self.is_writing
    }
}

impl Outbox {
    pub fn start(job_directory: Option<JobDirectory>, job_log: Option<JobLog>) -> Self {
        let outbox = Self(Arc::new(Shared {
            job_directory,
            job_log,
            started: Instant::now(),
            waiting: Mutex::default(),
            changed: Condvar::new(),
        }));
        let shared = Arc::clone(&outbox.0);
        let started = thread::Builder::new()
            .name("status".into())
            .spawn(move || shared.run());
        if let Err(error) = started {
            tracing::warn!("the job is not told what is found: {error}");
        }
        outbox
    }

    pub fn status(&self, status: Status, is_urgent: bool) {
        if self.0.job_directory.is_some() {
            let mut waiting = self.0.lock();
            waiting.status = Some(status);
            waiting.is_urgent |= is_urgent;
            self.0.changed.notify_all();
        }
    }

    /// For the job's log: the finding of this number. Nothing is worse than a fatal one.
    pub fn entry(&self, number: usize, finding: Finding) {
        if self.0.job_log.is_some() {
            let mut waiting = self.0.lock();
            waiting.is_released |= finding.severity == Severity::Fatal;
            waiting.entries.push((number, finding));
            self.0.changed.notify_all();
        }
    }

    /// Lets the job's log have what it is to get as it comes.
    pub fn release(&self) {
        self.0.lock().is_released = true;
        self.0.changed.notify_all();
    }

    /// Waits until all is written, if that can be.
    pub fn settle(&self) {
        let mut waiting = self.0.lock();
        // What is not urgent is now.
        waiting.is_urgent = true;
        waiting.is_released = true;
        self.0.changed.notify_all();
        drop(self.0.wait_while(waiting, Waiting::is_unsettled));
    }

    /// Drops what could not be written. False where a file system keeps the writer.
    pub fn empty(&self) -> bool {
        let mut waiting = self.0.lock();
        waiting.status = None;
        waiting.entries.clear();
        let waiting = self.0.wait_while(waiting, |waiting| waiting.is_writing);
        !waiting.is_writing
    }
}

impl Shared {
    fn run(&self) {
        let mut in_job_log = BTreeSet::new();
        let mut last: Option<Instant> = None;
        let mut has_complained = false;
        loop {
            let mut waiting = self.wait_for_work(last);
            let entries = match self.until_entries(&waiting) {
                Some(Duration::ZERO) => std::mem::take(&mut waiting.entries),
                _ => Vec::new(),
            };
            let status = match until_status(&waiting, last) {
                Some(Duration::ZERO) => waiting.status.take(),
                _ => None,
            };
            waiting.is_urgent &= status.is_none();
            waiting.is_writing = true;
            drop(waiting);
            let (numbers, findings): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
            if !findings.is_empty() && self.append(&explain::job_log_entry(&findings)) {
                in_job_log.extend(numbers);
            }
            let refused = status.and_then(|mut status| {
                status.in_job_log.clone_from(&in_job_log);
                last = Some(Instant::now());
                let directory = self.job_directory.as_ref()?;
                let error = status.write(directory).err()?;
                if !has_complained {
                    let path = directory.path().display();
                    tracing::warn!("{path} cannot be written: {error}");
                    has_complained = true;
                }
                Some(status)
            });
            let mut waiting = self.lock();
            waiting.is_writing = false;
            if let Some(refused) = refused {
                waiting.status.get_or_insert(refused);
            }
            self.changed.notify_all();
        }
    }

    fn wait_for_work(&self, last: Option<Instant>) -> MutexGuard<'_, Waiting> {
        let mut waiting = self.lock();
        loop {
            let rests = [self.until_entries(&waiting), until_status(&waiting, last)];
            waiting = match rests.into_iter().flatten().min() {
                Some(Duration::ZERO) => return waiting,
                Some(rest) => {
                    let waited = self.changed.wait_timeout(waiting, rest);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let waited = self.changed.wait(waiting);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }

    /// How long the entries are still to wait; `None` where there are none.
    fn until_entries(&self, waiting: &Waiting) -> Option<Duration> {
        let rest = match waiting.is_released {
            true => Duration::ZERO,
            false => GATHERING.saturating_sub(self.started.elapsed()),
        };
        (!waiting.entries.is_empty()).then_some(rest)
    }

    fn wait_while<'a>(
        &self,
        waiting: MutexGuard<'a, Waiting>,
        is_so: impl Fn(&Waiting) -> bool,
    ) -> MutexGuard<'a, Waiting> {
        let waited = self
            .changed
            .wait_timeout_while(waiting, PATIENCE, |waiting| is_so(waiting));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Whether it stands there now.
    fn append(&self, entry: &str) -> bool {
        let appended = self.job_log.as_ref().map(|job_log| job_log.append(entry));
        if let Some(Err(error)) = &appended {
            tracing::warn!("the job's log cannot be written: {error}");
        }
        matches!(appended, Some(Ok(())))
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the status is still to wait; `None` where there is none. `last`: when one was written.
fn until_status(waiting: &Waiting, last: Option<Instant>) -> Option<Duration> {
    let rest = match last {
        Some(last) if !waiting.is_urgent => INTERVAL.saturating_sub(last.elapsed()),
        _ => Duration::ZERO,
    };
    waiting.status.is_some().then_some(rest)
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
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

    /// An outbox, and the runner's log file.
    fn outbox_of_a_job(directory: &Path) -> (Outbox, PathBuf) {
        let (log, file) = log_of_a_job(directory);
        (Outbox::start(None, Some(log)), file)
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
    fn idle(job_directory: Option<JobDirectory>, job_log: Option<JobLog>) -> Outbox {
        Outbox(Arc::new(Shared {
            job_directory,
            job_log,
            // It never gathers long enough.
            started: Instant::now() + Duration::from_secs(3600),
            waiting: Mutex::default(),
            changed: Condvar::new(),
        }))
    }

    #[test]
    fn a_status_waits_a_second_after_the_last_unless_it_is_urgent() {
        let now = Instant::now();
        let long_ago = now.checked_sub(INTERVAL * 2).unwrap();
        for (is_urgent, last, waits) in [
            (false, None, false),
            (false, Some(now), true),
            (false, Some(long_ago), false),
            (true, Some(now), false),
        ] {
            let waiting = Waiting {
                status: Some(Status::starting()),
                is_urgent,
                ..Waiting::default()
            };
            let rest = until_status(&waiting, last).unwrap();
            assert_eq!(!rest.is_zero(), waits, "{is_urgent} {last:?}");
            assert!(rest <= INTERVAL);
            assert_eq!(until_status(&Waiting::default(), last), None);
        }
    }

    #[test]
    fn entries_wait_until_nothing_worse_can_come() {
        let directory = tempdir().unwrap();
        let releases: [fn(&Outbox); 3] = [
            |outbox| outbox.entry(1, certs::READONLY.noted("nothing is worse")),
            Outbox::release,
            Outbox::settle,
        ];
        let (log, _) = log_of_a_job(directory.path());
        for release in releases {
            let outbox = idle(None, Some(log.clone()));
            let rest = |outbox: &Outbox| outbox.0.until_entries(&outbox.0.lock());
            assert_eq!(rest(&outbox), None);
            outbox.entry(0, client::PORT.noted("an error"));
            assert_eq!(rest(&outbox), Some(GATHERING));
            release(&outbox);
            outbox.entry(2, client::PROXY.noted("another"));
            assert_eq!(rest(&outbox), Some(Duration::ZERO));
        }
    }

    #[test]
    fn a_new_state_stays_urgent_until_it_is_written() {
        let builds = tempdir().unwrap();
        let outbox = idle(JobDirectory::claim(builds.path(), "17"), None);
        for is_urgent in [true, true, false] {
            outbox.status(Status::starting(), is_urgent);
            assert!(outbox.0.lock().is_urgent);
        }
        let without = idle(None, None);
        without.status(Status::starting(), true);
        assert!(!without.0.lock().is_unsettled(), "nobody would write it");
    }

    #[test]
    fn whatever_is_not_written_yet_is_waited_for_until_it_is_dropped() {
        let status = Some(Status::starting());
        let entries = vec![(0, client::PORT.noted("x"))];
        let everything = Waiting {
            status: status.clone(),
            entries: entries.clone(),
            is_writing: true,
            ..Waiting::default()
        };
        for (waiting, is_unsettled) in [
            (Waiting::default(), false),
            (
                Waiting {
                    status,
                    ..Waiting::default()
                },
                true,
            ),
            (
                Waiting {
                    entries,
                    ..Waiting::default()
                },
                true,
            ),
            (
                Waiting {
                    is_writing: true,
                    ..Waiting::default()
                },
                true,
            ),
        ] {
            let is_writing = waiting.is_writing;
            assert_eq!(waiting.is_unsettled(), is_unsettled);
            let outbox = idle(None, None);
            *outbox.0.lock() = waiting;
            // Who writes cannot be taken the pen from.
            assert_eq!(outbox.empty(), !is_writing);
            assert_eq!(outbox.0.lock().is_unsettled(), is_writing);
        }
        assert!(everything.is_unsettled());
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
            let outbox = Outbox::start(Some(job), Some(log));
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
            assert!(outbox.0.lock().entries.is_empty());
        }
    }

    #[test]
    fn a_flood_of_findings_is_written_once_a_second_and_the_last_state_at_once() {
        let builds = tempdir().unwrap();
        let directory = JobDirectory::claim(builds.path(), "17").unwrap();
        let file = directory.path().join("status.txt");
        let outbox = Outbox::start(Some(directory), None);
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
}
