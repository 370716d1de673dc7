//! What a pod has because it is a GitLab job's, apart from the Docker variables.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::pod::Plan;
use super::volume::Volume;

/// The runner's log file in attach mode: what is appended to it appears in the job's log.
#[derive(Clone, Debug)]
pub struct RunnerLog(Volume);

impl RunnerLog {
    /// As the runner makes it before it starts the pod's containers.
    pub fn new() -> Self {
        let volume = Volume::disk();
        let file = volume.path().join("output.log");
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
        Self(volume)
    }

    /// The directory without the file.
    pub fn missing() -> Self {
        Self(Volume::disk())
    }

    /// The directory on this machine.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// What was written so far; `None` if the file is not there.
    pub fn text(&self) -> Option<String> {
        fs::read_to_string(self.0.path().join("output.log")).ok()
    }
}

impl Plan {
    /// The variables and the builds directory of job 7 in project 1, run by Kubernetes' executor.
    pub fn gitlab_job(self, builds: &Volume) -> Self {
        self.gitlab_job_in(builds, "/builds")
    }

    /// The same where the runner's `builds_dir` is another.
    pub fn gitlab_job_in(self, builds: &Volume, directory: &str) -> Self {
        self.variable("CI_JOB_ID", "7")
            .variable("CI_PROJECT_ID", "1")
            .variable("CI_BUILDS_DIR", directory)
            .variable("KUBERNETES_SERVICE_HOST", "127.0.0.1")
            .volume(builds, directory)
    }

    /// Mounts the runner's log file where the runner does.
    pub fn runner_log(self, log: &RunnerLog) -> Self {
        self.runner_log_in(log, "")
    }

    /// The same where the runner's `logs_base_dir` is another.
    pub fn runner_log_in(self, log: &RunnerLog, directory: &str) -> Self {
        self.volume(&log.0, &format!("{directory}/logs-1-7"))
    }
}
