//! What is still to be written to files that others share, by threads of their own: their file
//! system may be full, or keep whoever comes near it for ever.
//!
//! A state is written at once, findings at most once a second, and the last of all in any case.
//! What is for the job's log waits a moment while the service begins: the cause may be found after
//! its consequence, and is to be read first.

mod waiting;

use std::{
    collections::BTreeSet,
    sync::{Arc, MutexGuard, OnceLock},
    thread,
    time::{Duration, Instant},
};

use super::{explain, job_log::JobLog, status::Status};
use crate::{
    job_directory::JobDirectory,
    reasons::Finding,
    system::{background::Background, watched::Watched},
};
use waiting::{Entry, Waiting};

/// How long the service's end waits for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Takes what is to be written. Cloned, it is still the same one.
#[derive(Clone, Debug)]
pub struct Outbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Set as soon as its file system has answered; `None` where the job cannot be told there.
    job_directory: OnceLock<Option<JobDirectory>>,
    job_log: Option<JobLog>,
    waiting: Watched<Waiting>,
}

impl Outbox {
    /// `claim`: how the job's directory is had, if there may be one.
    pub fn start(
        claim: Option<impl FnOnce() -> Option<JobDirectory> + Send + 'static>,
        job_log: Option<JobLog>,
    ) -> Self {
        let outbox = Self(Arc::new(Shared {
            job_directory: OnceLock::new(),
            job_log,
            waiting: Watched::new(Waiting::since(Instant::now())),
        }));
        let shared = Arc::clone(&outbox.0);
        match claim {
            // Nobody waits for its end: the status does, and so does who asks for the directory.
            Some(claim) => drop(Background::start(move || shared.have(claim()))),
            None => shared.have(None),
        }
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
        self.0
            .waiting
            .change(|waiting| waiting.status(status, is_urgent));
    }

    /// For the job's log: the finding of this number.
    pub fn entry(&self, number: usize, finding: Finding) {
        if self.0.job_log.is_some() {
            self.0
                .waiting
                .change(|waiting| waiting.entry(number, finding));
        }
    }

    /// Lets the job's log have what it is to get as it comes.
    pub fn release(&self) {
        self.0.waiting.change(Waiting::release);
    }

    /// The job's directory; waits for its file system.
    pub fn job_directory(&self) -> Option<&JobDirectory> {
        self.0.job_directory.wait().as_ref()
    }

    /// The same, where that has answered.
    pub fn claimed(&self) -> Option<Option<&JobDirectory>> {
        self.0.job_directory.get().map(Option::as_ref)
    }

    /// Waits until all is written, if that can be.
    pub fn settle(&self) {
        let waiting = &self.0.waiting;
        waiting.change(Waiting::hurry);
        drop(waiting.wait_while(PATIENCE, Waiting::is_unsettled));
    }

    /// Drops what could not be written. False where a file system keeps the writer.
    pub fn empty(&self) -> bool {
        let waiting = &self.0.waiting;
        waiting.change(Waiting::clear);
        !waiting
            .wait_while(PATIENCE, Waiting::is_writing)
            .is_writing()
    }
}

impl Shared {
    fn have(&self, job_directory: Option<JobDirectory>) {
        let is_there = job_directory.is_some();
        self.waiting.change(|waiting| {
            // Set once, by who was asked for it.
            let _ = self.job_directory.set(job_directory);
            waiting.place(is_there);
        });
    }

    fn run(&self) {
        let mut in_job_log = BTreeSet::new();
        let mut has_complained = false;
        loop {
            let due = self.wait_for_work().take_due();
            in_job_log.extend(self.append(due.entries));
            let refused = due.status.and_then(|mut status| {
                status.in_job_log.clone_from(&in_job_log);
                let directory = self.job_directory.get()?.as_ref()?;
                let error = status.write(directory).err()?;
                if !has_complained {
                    let path = directory.path().display();
                    tracing::warn!("{path} cannot be written: {error}");
                    has_complained = true;
                }
                Some(status)
            });
            self.waiting.change(|waiting| waiting.written(refused));
        }
    }

    fn wait_for_work(&self) -> MutexGuard<'_, Waiting> {
        let mut waiting = self.waiting.lock();
        loop {
            match waiting.rest() {
                Some(Duration::ZERO) => return waiting,
                rest => waiting = self.waiting.wait(waiting, rest),
            }
        }
    }

    /// The numbers of those that stand in the job's log now.
    fn append(&self, entries: Vec<Entry>) -> Vec<usize> {
        let (numbers, findings): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        let Some(job_log) = self.job_log.as_ref().filter(|_| !findings.is_empty()) else {
            return Vec::new();
        };
        match job_log.append(&explain::job_log_entry(&findings)) {
            Ok(()) => numbers,
            Err(error) => {
                tracing::warn!("the job's log cannot be written: {error}");
                Vec::new()
            }
        }
    }
}

#[cfg(test)]
mod tests;
