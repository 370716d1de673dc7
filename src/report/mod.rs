//! The ways of a finding to those who should know: stderr, the status file, and for what breaks
//! the job's docker commands the job's log.

pub mod explain;
mod job_log;
pub mod log;
mod outbox;
pub mod status;

use std::{
    collections::BTreeSet,
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use self::{
    job_log::JobLog,
    outbox::Outbox,
    status::{State, Status},
};
use crate::{
    facts::mounts::Mounts,
    job_directory::JobDirectory,
    reasons::{Finding, Reason, Severity, hole::Surroundings},
    settings::{Settings, ignored::Ignored},
    system::background::{in_time, no_answer},
};

/// So many findings of one reason are told, and so many in all: whoever makes thousands means harm,
/// and says nothing new.
const MOST_OF_A_REASON: usize = 20;
const MOST: usize = 100;

/// Tells findings and states. Cloned, it is still the same one.
#[derive(Clone, Debug)]
pub struct Report {
    ignored: Ignored,
    surroundings: Surroundings,
    outbox: Outbox,
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
        let job_log = (settings.writes_job_log)
            .then(|| JobLog::find(mounts, project?, job?))
            .flatten();
        let job_directory = builds.zip(job).map(|(builds, job)| {
            let (builds, job) = (builds.to_owned(), job.to_owned());
            move || JobDirectory::claim(&builds, &job)
        });
        let report = Self {
            ignored: settings.ignored.clone(),
            surroundings: settings.surroundings(),
            outbox: Outbox::start(job_directory, job_log),
            told: Arc::new(Mutex::new(Told {
                status: Status::starting(),
                in_job_log: BTreeSet::new(),
            })),
        };
        report.state(|_| {});
        report
    }

    /// A finding, of any severity.
    pub fn finding(&self, finding: &Finding) {
        self.found(finding);
    }

    /// What keeps dockerd from running, or ended it.
    pub fn failure(&self, finding: &Finding) {
        let finding = self.found(finding);
        let message = finding.clone();
        // A file of the node's: nobody waits for it longer than for any other.
        let _ = in_time(&[Path::new("/dev")], move || {
            status::write_termination_message(&message)
        });
        self.state(|status| {
            status.state = State::Failed;
            status.failure = Some(finding);
        });
    }

    /// What can be known before dockerd is started has been told.
    pub fn assessed(&self) {
        self.outbox.release();
    }

    /// dockerd, of this version if it has said it, answers.
    pub fn ready(&self, docker: Option<String>) {
        self.state(|status| {
            status.state = State::Ready;
            status.docker = docker;
            status.known_at_start = status.known_at_start.min(status.findings.len());
        });
    }

    pub fn stopping(&self) {
        self.state(|status| status.state = State::Stopping);
    }

    /// Waits until everybody has been told, as far as that can be.
    pub fn settle(&self) {
        self.outbox.settle();
    }

    /// Takes away what the job was told. Nothing may be told afterwards.
    pub fn remove_job_directory(&self) -> io::Result<()> {
        self.settle();
        // Whoever still writes there is kept by its file system, and we would be too.
        let is_idle = self.outbox.empty();
        match self.outbox.claimed() {
            Some(None) => Ok(()),
            Some(Some(directory)) if is_idle => directory.remove(),
            _ => Err(no_answer()),
        }
    }

    /// Where the job is told something, unless there is none. Waits for its file system, which may
    /// hang.
    pub fn job_directory(&self) -> Option<&JobDirectory> {
        self.outbox.job_directory()
    }

    /// The finding as it is told here: with the fix for this service, milder if it is to be ignored.
    pub fn told(&self, finding: Finding) -> Finding {
        self.ignored.apply(finding).told_in(&self.surroundings)
    }

    /// Whether this was told already as something that breaks docker commands.
    pub fn has_told(&self, reason: &Reason) -> bool {
        let told = self.lock();
        let mut findings = told.status.findings.iter();
        findings.any(|finding| *finding.reason == *reason && finding.severity.breaks())
    }

    /// What else was found to break docker commands.
    pub fn beside(&self, failure: &Finding) -> Vec<Finding> {
        let told = self.lock();
        let others =
            told.status.findings.iter().filter(|finding| {
                finding.severity.breaks() && finding.reason.id != failure.reason.id
            });
        others.cloned().collect()
    }

    /// Returns it as it was told.
    fn found(&self, finding: &Finding) -> Finding {
        let finding = self.told(finding.clone());
        let mut told = self.lock();
        if told.keep(&finding) {
            // Each id once: what goes on for hours must not fill the job's log. Before the status,
            // which says what stands there.
            if finding.severity.breaks() && told.in_job_log.insert(finding.reason.id) {
                let number = told.status.findings.len() - 1;
                self.outbox.entry(number, finding.clone());
            }
            self.outbox.status(told.status.clone(), false);
            drop(told);
            log::finding(&finding);
        }
        finding
    }

    fn state(&self, change: impl FnOnce(&mut Status)) {
        let mut told = self.lock();
        change(&mut told.status);
        self.outbox.status(told.status.clone(), true);
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    /// Whether this is worth telling: it is new, and there are not too many.
    fn keep(&mut self, finding: &Finding) -> bool {
        let findings = &mut self.status.findings;
        let of_reason = findings
            .iter()
            .filter(|known| known.reason.id == finding.reason.id);
        let is_known = of_reason
            .clone()
            .any(|known| (&known.cause, known.severity) == (&finding.cause, finding.severity));
        let is_one_too_many = of_reason.count() >= MOST_OF_A_REASON || findings.len() >= MOST;
        // What dockerd cannot run with is told in any case; it comes once.
        let is_kept = !is_known && (!is_one_too_many || finding.severity == Severity::Fatal);
        if is_kept {
            findings.push(finding.clone());
        }
        is_kept
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::*;
    use crate::reasons::{certs, client, network, registry};

    #[test]
    fn a_job_reads_what_is_the_case_until_the_service_is_gone() {
        let builds = tempdir().unwrap();
        let path = builds.path().to_str().unwrap().to_owned();
        let environment = |name: &str| match name {
            "CI_BUILDS_DIR" => Some(path.clone()),
            "CI_PROJECT_ID" => Some("1".to_owned()),
            "CI_JOB_ID" => Some("17".to_owned()),
            _ => None,
        };
        let settings = Settings::parse(&environment).unwrap();
        let logs = builds.path().join("logs-1-17");
        fs::create_dir(&logs).unwrap();
        fs::write(logs.join("output.log"), "").unwrap();
        let mount = format!("1 0 8:1 /x {} rw - ext4 /dev/a rw", logs.display());
        let report = Report::new(&settings, &Mounts::parse(&mount));
        let directory = report.job_directory().unwrap().path().to_owned();
        let status = || {
            report.settle();
            let text = fs::read_to_string(directory.join("status.txt")).unwrap();
            text.lines().next().unwrap().to_owned()
        };
        assert!(status().starts_with("starting job=17 "));
        let [wrong, mild] = [client::PORT.noted("wrong"), network::MTU.noted("mild")];
        let failure = certs::READONLY.noted("fatal");
        for finding in [&wrong, &mild] {
            report.finding(finding);
        }
        report.settle();
        report.ready(Some("26.1.5".into()));
        assert!(status().starts_with("ready ") && status().ends_with(" docker=26.1.5"));
        report.failure(&failure);
        assert!(status().starts_with("failed "));
        let text = fs::read_to_string(directory.join("status.txt")).unwrap();
        assert!(
            text.contains("above|dind-init: error CLIENT-PORT"),
            "{text}"
        );
        let log = fs::read_to_string(logs.join("output.log")).unwrap();
        assert!(log.contains("wrong") && log.contains("fatal"), "{log}");
        assert!(!log.contains("mild"), "{log}");
        assert!(report.has_told(wrong.reason) && !report.has_told(mild.reason));
        let beside = report.beside(&failure);
        assert_eq!(beside.len(), 1, "{beside:?}");
        assert_eq!(beside[0].reason, wrong.reason);
        report.stopping();
        assert!(status().starts_with("stopping "));
        report.remove_job_directory().unwrap();
        assert!(!directory.exists());
    }

    #[test]
    fn a_finding_is_told_once_and_not_more_than_a_few_of_a_kind() {
        let mut told = Told {
            status: Status::starting(),
            in_job_log: BTreeSet::new(),
        };
        let mut kept = |finding: &Finding| told.keep(finding);
        let one = network::MTU.found("one", "");
        assert!(kept(&one));
        assert!(!kept(&one));
        assert!(kept(&one.clone().with_severity(Severity::Error)));
        let flood = (0..300).map(|number| registry::NOT_PEM.found(number.to_string(), ""));
        assert_eq!(
            flood.filter(|finding| kept(finding)).count(),
            MOST_OF_A_REASON
        );
        for reason in crate::reasons::all() {
            for number in 0..10 {
                let finding = reason.found(number.to_string(), "");
                kept(&finding.with_severity(Severity::Note));
            }
        }
        assert!(kept(&certs::READONLY.found("fatal all the same", "")));
        assert_eq!(told.status.findings.len(), MOST + 1);
    }
}
