//! What became of the service, for others to read: the component's scripts, and Kubernetes.

mod text;

use std::{collections::BTreeSet, io, path::Path};

use serde_json::json;

use super::explain;
use crate::{
    job_directory::{JobDirectory, STATUS_FILES},
    reasons::Finding,
    system::directory::Directory,
};

/// Where Kubernetes reads why a container ended: in /dev, a file that is mounted there.
const TERMINATION_LOG: &str = "termination-log";

/// The service's state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    Starting,
    Ready,
    Failed,
    Stopping,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Stopping => "stopping",
        }
    }
}

/// What there is to tell.
#[derive(Clone, Debug)]
pub struct Status {
    pub state: State,
    /// dockerd's own version, as soon as it has said it.
    pub docker: Option<String>,
    pub findings: Vec<Finding>,
    /// How many of them were known when dockerd became ready; all of them, before it is.
    pub known_at_start: usize,
    /// The numbers of those that stand in the job's log already, cause and fix and all.
    pub in_job_log: BTreeSet<usize>,
    /// What the state `failed` is explained by.
    pub failure: Option<Finding>,
}

impl Status {
    pub fn starting() -> Self {
        Self {
            state: State::Starting,
            docker: None,
            findings: Vec::new(),
            known_at_start: usize::MAX,
            in_job_log: BTreeSet::new(),
            failure: None,
        }
    }

    /// Writes it into a job's directory, twice: each file is always whole, and never missing once
    /// it was there.
    ///
    /// `status.json` is for programs:
    ///
    /// ```json
    /// {
    ///   "state": "failed",
    ///   "job": "17",
    ///   "version": "0.1.0",
    ///   "docker": "26.1.5",
    ///   "findings": [{"id": "…", "severity": "fatal", "summary": "…", "cause": "…", "fix": "…"}],
    ///   "explanation": "CERTS-READONLY: …"
    /// }
    /// ```
    ///
    /// `status.txt` is for shells, which cannot read that; see [`text`].
    pub fn write(&self, directory: &JobDirectory) -> io::Result<()> {
        let opened = directory.open()?;
        let short = Self {
            findings: Vec::new(),
            failure: None,
            ..self.clone()
        };
        let job = directory.job();
        let written = STATUS_FILES
            .into_iter()
            .zip([
                [self.as_json(job), short.as_json(job)],
                [self, &short].map(|status| text::render(status, job)),
            ])
            .map(|(name, [whole, short])| write(&opened, name, &whole, &short));
        // One for the other: who reads one file must not wait for the other one's sake.
        written.fold(Ok(()), io::Result::and)
    }

    fn as_json(&self, job: &str) -> String {
        json!({
            "state": self.state.name(),
            "job": job,
            "version": env!("CARGO_PKG_VERSION"),
            "docker": self.docker,
            "findings": self.findings.iter().map(as_json).collect::<Vec<_>>(),
            "explanation": self.failure.as_ref().map(ToString::to_string),
        })
        .to_string()
    }
}

/// Where nothing new can be made because the file system is full, what is there is written to: all
/// of it, as long as the blocks of the file hold it, or the state alone.
fn write(directory: &Directory, name: &str, whole: &str, short: &str) -> io::Result<()> {
    let written = directory.replace(name, whole.as_bytes(), 0o644);
    match &written {
        Err(error) if is_full(error) => directory
            .overwrite(name, whole.as_bytes())
            .or_else(|_| directory.overwrite(name, short.as_bytes()))
            .and(written),
        _ => written,
    }
}

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}

/// As in `status.json`'s `findings`.
pub fn as_json(finding: &Finding) -> serde_json::Value {
    json!({
        "id": finding.reason.id,
        "severity": finding.severity.to_string(),
        "summary": finding.reason.summary,
        "cause": finding.cause,
        "fix": finding.fix,
    })
}

/// Tells Kubernetes why this container is going to end, where there is a file for it.
pub fn write_termination_message(failure: &Finding) {
    let message = explain::one_line(failure);
    let devices = Directory::open(Path::new("/dev"));
    // Not on Kubernetes, or not to be written: others tell the same.
    let _ = devices.and_then(|devices| devices.overwrite(TERMINATION_LOG, message.as_bytes()));
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::*;
    use crate::reasons::certs;

    #[test]
    fn the_files_tell_the_state_and_why() {
        let builds = tempdir().unwrap();
        let directory = JobDirectory::claim(builds.path(), "17").unwrap();
        let finding = certs::READONLY.found("a Secret", "move it");
        let starting = Status::starting();
        starting.write(&directory).unwrap();
        Status {
            state: State::Failed,
            findings: vec![finding.clone()],
            failure: Some(finding),
            ..starting
        }
        .write(&directory)
        .unwrap();
        let read = |name: &str| {
            let path = builds.path().join(".dind-init/17").join(name);
            fs::read_to_string(path).unwrap()
        };
        let value: serde_json::Value = serde_json::from_str(&read("status.json")).unwrap();
        assert_eq!(value["state"], "failed");
        assert_eq!(value["job"], "17");
        assert_eq!(value["docker"], serde_json::Value::Null);
        assert_eq!(value["findings"][0]["id"], "CERTS-READONLY");
        assert_eq!(value["findings"][0]["fix"], "move it");
        assert!(value["explanation"].as_str().unwrap().contains("a Secret"));
        let text = read("status.txt");
        assert!(text.starts_with("failed job=17 "), "{text}");
        assert!(text.contains("CERTS-READONLY"), "{text}");
    }
}
