//! What is still to be written to files that others share, by a thread of its own: their file
//! system may be full, or keep whoever writes for ever.
//!
//! A state is written at once, findings at most once a second, and the last of all in any case.

use std::{
    collections::BTreeSet,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::{job_log::JobLog, status::Status};
use crate::job_directory::JobDirectory;

/// No status is written more often, but for a new state; one that could not be is tried again.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long the service's end waits for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Takes what is to be written. Cloned, it is still the same one.
#[derive(Clone, Debug)]
pub struct Outbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    job_directory: Option<JobDirectory>,
    job_log: Option<JobLog>,
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    status: Option<Status>,
    /// It has a new state.
    is_urgent: bool,
    /// With the numbers of their findings.
    entries: Vec<(usize, String)>,
    is_writing: bool,
}

impl Outbox {
    pub fn start(job_directory: Option<JobDirectory>, job_log: Option<JobLog>) -> Self {
        let outbox = Self(Arc::new(Shared {
            job_directory,
            job_log,
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

    /// For the job's log: what is said of the finding of this number.
    pub fn entry(&self, number: usize, text: String) {
        if self.0.job_log.is_some() {
            self.0.lock().entries.push((number, text));
            self.0.changed.notify_all();
        }
    }

    /// Waits until all is written, if that can be.
    pub fn settle(&self) {
        let mut waiting = self.0.lock();
        // What is not urgent is now.
        waiting.is_urgent = true;
        self.0.changed.notify_all();
        drop(self.0.wait_while(waiting, |waiting| {
            waiting.status.is_some() || !waiting.entries.is_empty() || waiting.is_writing
        }));
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
            let entries = std::mem::take(&mut waiting.entries);
            let is_due = waiting.is_urgent || last.is_none_or(|last| last.elapsed() >= INTERVAL);
            let status = if is_due { waiting.status.take() } else { None };
            waiting.is_urgent &= status.is_none();
            waiting.is_writing = true;
            drop(waiting);
            for (number, entry) in entries {
                if self.append(&entry) {
                    in_job_log.insert(number);
                }
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
            let rest = last.map_or(Duration::ZERO, |last| {
                INTERVAL.saturating_sub(last.elapsed())
            });
            let has_status = waiting.status.is_some();
            if !waiting.entries.is_empty() || has_status && (waiting.is_urgent || rest.is_zero()) {
                return waiting;
            }
            waiting = match has_status {
                true => {
                    let waited = self.changed.wait_timeout(waiting, rest);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                false => {
                    let waited = self.changed.wait(waiting);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
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

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::*;
    use crate::{reasons::registry, report::status::State};

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
