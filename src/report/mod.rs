//! The ways of a finding to those who should know: stderr, the status file, and for what breaks
//! the job's docker commands the job's log.

pub mod explain;
mod job_log;
pub mod log;
pub mod status;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use self::{
    job_log::JobLog,
    status::{State, Status},
};
use crate::{
    facts::mounts::Mounts,
    job_directory::JobDirectory,
    reasons::{Finding, Reason, hole::Surroundings},
    settings::{Settings, ignored::Ignored},
};

/// Tells findings and states. Cloned, it is still the same one.
#[derive(Clone, Debug)]
pub struct Report {
    ignored: Ignored,
    surroundings: Surroundings,
    job_log: Option<JobLog>,
    job_directory: Option<JobDirectory>,
    told: Arc<Mutex<Told>>,
}

#[derive(Debug)]
struct Told {
    status: Status,
    in_job_log: BTreeSet<&'static str>,
}

impl Report {
    pub fn new(settings: &Settings, mounts: &Mounts) -> Self {
        let job = settings.gitlab_job.as_deref();
        let builds = settings.builds_directory.as_deref();
        let project = settings.gitlab_project.as_deref();
        let report = Self {
            ignored: settings.ignored.clone(),
            surroundings: settings.surroundings(),
            job_log: (settings.writes_job_log)
                .then(|| JobLog::find(mounts, project?, job?))
                .flatten(),
            job_directory: builds.zip(job).and_then(|(b, j)| JobDirectory::claim(b, j)),
            told: Arc::new(Mutex::new(Told {
                status: Status::starting(),
                in_job_log: BTreeSet::new(),
            })),
        };
        report.tell(|_| {});
        report
    }

    /// A finding, of any severity.
    pub fn finding(&self, finding: &Finding) {
        self.found(finding, |_, _| {});
    }

    /// What keeps dockerd from running, or ended it.
    pub fn failure(&self, finding: &Finding) {
        // At once: who reads that it failed is to read why.
        self.found(finding, |status, finding| {
            status.state = State::Failed;
            status.failure = Some(finding.clone());
        });
        status::write_termination_message(finding);
    }

    /// dockerd, of this version if it has said it, answers.
    pub fn ready(&self, docker: Option<String>) {
        self.tell(|status| {
            status.state = State::Ready;
            status.docker = docker;
            status.known_at_start = status.known_at_start.min(status.findings.len());
        });
    }

    pub fn stopping(&self) {
        self.tell(|status| status.state = State::Stopping);
    }

    /// Where the job is told something, unless there is none.
    pub fn job_directory(&self) -> Option<&JobDirectory> {
        self.job_directory.as_ref()
    }

    /// The finding as it is told here: with the fix for this service, milder if it is to be ignored.
    pub fn told(&self, finding: Finding) -> Finding {
        self.ignored.apply(finding).told_in(&self.surroundings)
    }

    /// Whether this was told already as something that breaks docker commands.
    pub fn has_told(&self, reason: &Reason) -> bool {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let mut findings = told.status.findings.iter();
        findings.any(|finding| *finding.reason == *reason && finding.severity.breaks())
    }

    /// What else was found to break docker commands.
    pub fn beside(&self, failure: &Finding) -> Vec<Finding> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let others =
            told.status.findings.iter().filter(|finding| {
                finding.severity.breaks() && finding.reason.id != failure.reason.id
            });
        others.cloned().collect()
    }

    fn found(&self, finding: &Finding, change: impl FnOnce(&mut Status, &Finding)) {
        let finding = &self.told(finding.clone());
        log::finding(finding);
        // Before the status, which says so: the component does not tell it again.
        let in_job_log = finding.severity.breaks() && self.write_to_job_log(finding);
        self.tell(|status| {
            if in_job_log {
                status.in_job_log.insert(status.findings.len());
            }
            status.findings.push(finding.clone());
            change(status, finding);
        });
    }

    fn tell(&self, change: impl FnOnce(&mut Status)) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut told.status);
        if let Some(directory) = &self.job_directory
            && let Err(error) = told.status.write(directory)
        {
            tracing::warn!("{} cannot be written: {error}", directory.path().display());
        }
    }

    /// Each id once: what goes on for hours must not fill the job's log. Says whether it is there now.
    fn write_to_job_log(&self, finding: &Finding) -> bool {
        let Some(job_log) = &self.job_log else {
            return false;
        };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.in_job_log.insert(finding.reason.id) {
            return false;
        }
        let appended = job_log.append(&explain::job_log_entry(finding));
        if let Err(error) = &appended {
            tracing::warn!("the job's log cannot be written: {error}");
        }
        appended.is_ok()
    }
}
