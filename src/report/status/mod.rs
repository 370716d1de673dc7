//! What became of the service, for others to read: the component's scripts, and Kubernetes.

mod text;

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write},
};

use serde_json::json;

use super::explain;
use crate::{
    job_directory::{JobDirectory, STATUS_FILES},
    reasons::Finding,
    system::atomic_file,
};

/// Where Kubernetes reads why a container ended.
const TERMINATION_LOG: &str = "/dev/termination-log";

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
        let json = json!({
            "state": self.state.name(),
            "job": directory.job(),
            "version": env!("CARGO_PKG_VERSION"),
            "docker": self.docker,
            "findings": self.findings.iter().map(as_json).collect::<Vec<_>>(),
            "explanation": self.failure.as_ref().map(ToString::to_string),
        });
        fs::create_dir_all(directory.path())?;
        let write = |name: &str, text: &str| {
            atomic_file::replace(&directory.path().join(name), text.as_bytes(), 0o644)
        };
        write(STATUS_FILES[0], &json.to_string())?;
        write(STATUS_FILES[1], &text::render(self, directory.job()))
    }
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
    let file = fs::File::options().write(true).open(TERMINATION_LOG);
    // Not on Kubernetes, or not to be written: others tell the same.
    let _ = file.and_then(|mut file| file.write_all(explain::one_line(failure).as_bytes()));
}

#[cfg(test)]
mod tests {
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
