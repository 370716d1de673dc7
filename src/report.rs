//! The ways of a finding to those who should know: stderr, the status file, and for what breaks
//! the job's docker commands the job's log.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    explain,
    facts::mounts::Mounts,
    job_log::JobLog,
    log,
    reasons::{Finding, Severity},
    settings::{Settings, ignored::Ignored},
    status::{self, State, StatusFile},
};

/// Tells findings and states. Cloned, it is still the same one.
#[derive(Clone, Debug)]
pub struct Report {
    ignored: Ignored,
    job_log: Option<JobLog>,
    status_file: Option<StatusFile>,
    told: Arc<Mutex<Told>>,
}

#[derive(Debug)]
struct Told {
    state: State,
    findings: Vec<Finding>,
    failure: Option<Finding>,
    in_job_log: BTreeSet<&'static str>,
}

impl Report {
    pub fn new(settings: &Settings, mounts: &Mounts) -> Self {
        let job = settings.gitlab_job.as_deref();
        let builds = settings.builds_directory.as_deref();
        let project = settings.gitlab_project.as_deref();
        let report = Self {
            ignored: settings.ignored.clone(),
            job_log: (settings.writes_job_log)
                .then(|| JobLog::find(mounts, project?, job?))
                .flatten(),
            status_file: builds.zip(job).and_then(|(b, j)| StatusFile::new(b, j)),
            told: Arc::new(Mutex::new(Told {
                state: State::Starting,
                findings: Vec::new(),
                failure: None,
                in_job_log: BTreeSet::new(),
            })),
        };
        report.tell(|_| {});
        report
    }

    /// A finding, of any severity.
    pub fn finding(&self, finding: &Finding) {
        let finding = &self.ignored.apply(finding.clone());
        log::finding(finding);
        self.tell(|told| told.findings.push(finding.clone()));
        if finding.severity <= Severity::Error {
            self.write_to_job_log(finding);
        }
    }

    /// What keeps dockerd from running, or ended it.
    pub fn failure(&self, finding: &Finding) {
        self.tell(|told| {
            told.state = State::Failed;
            told.failure = Some(finding.clone());
        });
        self.finding(finding);
        status::write_termination_message(finding);
    }

    /// What else was found to break docker commands.
    pub fn beside(&self, failure: &Finding) -> Vec<Finding> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let others = told.findings.iter().filter(|finding| {
            finding.severity <= Severity::Error && finding.reason.id != failure.reason.id
        });
        others.cloned().collect()
    }

    pub fn state(&self, state: State) {
        self.tell(|told| told.state = state);
    }

    fn tell(&self, change: impl FnOnce(&mut Told)) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut told);
        if let Some(file) = &self.status_file
            && let Err(error) = file.write(told.state, &told.findings, told.failure.as_ref())
        {
            tracing::warn!("the status file cannot be written: {error}");
        }
    }

    /// Each id once: what goes on for hours must not fill the job's log.
    fn write_to_job_log(&self, finding: &Finding) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(job_log) = &self.job_log
            && told.in_job_log.insert(finding.reason.id)
            && let Err(error) = job_log.append(&explain::job_log_entry(finding))
        {
            tracing::warn!("the job's log cannot be written: {error}");
        }
    }
}
