//! What became of the service, for others to read: the component's script, and Kubernetes.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::{atomic_file, explain, reasons::Finding};

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

/// `$CI_BUILDS_DIR/.dind-init/<job>/status.json`: always whole, never missing once it was there.
///
/// ```json
/// {
///   "state": "failed",
///   "job": "17",
///   "version": "0.1.0",
///   "findings": [{"id": "…", "severity": "fatal", "summary": "…", "cause": "…", "fix": "…"}],
///   "explanation": "CERTS-READONLY: …"
/// }
/// ```
#[derive(Clone, Debug)]
pub struct StatusFile {
    path: PathBuf,
    job: String,
}

impl StatusFile {
    /// `None` where there is no builds directory: the job could not read it.
    pub fn new(builds: &Path, job: &str) -> Option<Self> {
        // The number becomes a part of the path.
        let is_number = !job.is_empty() && job.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && builds.is_dir()).then(|| Self {
            path: directory(builds, job).join("status.json"),
            job: job.to_owned(),
        })
    }

    /// Replaces the file. `failure` is what the state `failed` is explained by.
    pub fn write(
        &self,
        state: State,
        findings: &[Finding],
        failure: Option<&Finding>,
    ) -> io::Result<()> {
        let text = json!({
            "state": state.name(),
            "job": self.job,
            "version": env!("CARGO_PKG_VERSION"),
            "findings": findings.iter().map(as_json).collect::<Vec<_>>(),
            "explanation": failure.map(ToString::to_string),
        });
        let directory = self.path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(directory)?;
        atomic_file::replace(&self.path, text.to_string().as_bytes(), 0o644)
    }
}

/// Where a job finds what is written for it: every executor shares the builds directory.
pub fn directory(builds: &Path, job: &str) -> PathBuf {
    builds.join(".dind-init").join(job)
}

/// As in [`StatusFile`]'s `findings`.
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
    fn the_file_tells_the_state_and_why() {
        let builds = tempdir().unwrap();
        let status = StatusFile::new(builds.path(), "17").unwrap();
        let finding = certs::READONLY.found("a Secret", "move it");
        status.write(State::Starting, &[], None).unwrap();
        status
            .write(
                State::Failed,
                std::slice::from_ref(&finding),
                Some(&finding),
            )
            .unwrap();
        let path = builds.path().join(".dind-init/17/status.json");
        let text = fs::read_to_string(path).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["state"], "failed");
        assert_eq!(value["job"], "17");
        assert_eq!(value["findings"][0]["id"], "CERTS-READONLY");
        assert_eq!(value["findings"][0]["fix"], "move it");
        assert!(value["explanation"].as_str().unwrap().contains("a Secret"));
    }

    #[test]
    fn without_a_builds_directory_or_a_number_there_is_none() {
        let builds = tempdir().unwrap();
        assert!(StatusFile::new(&builds.path().join("missing"), "17").is_none());
        for job in ["", "../17", "x"] {
            assert!(StatusFile::new(builds.path(), job).is_none(), "{job}");
        }
    }
}
