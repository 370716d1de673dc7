//! The component's scripts under each shell that may run them, with a file system, a clock and
//! tools of their own.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use tempfile::TempDir;

use crate::pods::podman::Finished;
use crate::pods::transcript::Transcript;
use crate::template;

/// A shell, and what it is called with: the runner has its scripts end at the first error.
#[derive(Clone, Copy, Debug)]
pub struct Shell(&'static str, &'static [&'static str]);

/// Debian's, Alpine's (the runner's helper is made of it) and what the runner prefers to both.
pub const SHELLS: [Shell; 3] = [
    Shell("dash", &["-e"]),
    Shell("busybox", &["sh", "-e"]),
    Shell("bash", &["-e", "-o", "pipefail"]),
];

/// The tools that a script may count on.
const TOOLS: [&str; 8] = ["cat", "date", "dd", "grep", "id", "sed", "sleep", "tr"];

/// A container's view of a job.
#[derive(Debug)]
pub struct Container {
    directory: TempDir,
    variables: Vec<(&'static str, String)>,
    /// `None` for the user who runs the test.
    user: Option<u32>,
}

impl Container {
    /// In job 17, on Kubernetes, where the service is known as docker.
    pub fn new() -> Self {
        let container = Self {
            directory: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
            user: None,
        };
        let anybody = Permissions::from_mode(0o755);
        fs::set_permissions(container.directory.path(), anybody).unwrap();
        container.file("etc/hosts", "127.0.0.1 localhost\n127.0.0.1\tdocker\n");
        fs::create_dir(container.path("builds")).unwrap();
        fs::create_dir(container.path("bin")).unwrap();
        let builds = container.path("builds");
        container
            .variable("CI_JOB_ID", "17")
            .variable("CI_BUILDS_DIR", builds.to_str().unwrap())
            .variable("KUBERNETES_SERVICE_HOST", "10.0.0.1")
            .variable("DOCKER_HOST", "tcp://docker:2376")
            .variable("DOCKER_TLS_VERIFY", "1")
            .variable("DOCKER_TLS_CERTDIR", "/builds/.dind-init/17")
    }

    pub fn variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.to_owned()));
        self
    }

    /// Runs scripts as somebody else; the test itself must be root for that.
    pub fn user(mut self, user: u32) -> Self {
        self.user = Some(user);
        self
    }

    /// A file of this container.
    pub fn file(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn with_file(self, name: &str, text: &str) -> Self {
        self.file(name, text);
        self
    }

    /// What the service has written for job 17.
    pub fn status(self, text: &str) -> Self {
        self.with_file(STATUS, text)
    }

    /// A tool that is a script of the test's.
    pub fn tool(self, name: &str, script: &str) -> Self {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// Time passes only here: each look at the clock is so many seconds after the last.
    pub fn clock(self, seconds: u32) -> Self {
        let file = self.path("clock");
        let file = file.display();
        self.with_file("clock", "0").tool("sleep", "").tool(
            "date",
            &format!("read -r now <{file}; now=$((now + {seconds})); echo $now >{file}; echo $now"),
        )
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs a script of `component/`.
    pub fn run(&self, shell: Shell, script: &str) -> Transcript<'static> {
        for tool in TOOLS {
            let path = self.path("bin").join(tool);
            if path.symlink_metadata().is_err() {
                // Alpine's own are busybox's, too.
                let program = if shell.0 == "busybox" {
                    "busybox"
                } else {
                    tool
                };
                symlink(Path::new("/bin").join(program), path).unwrap();
            }
        }
        let mut command = Command::new(Path::new("/bin").join(shell.0));
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        let start = Instant::now();
        let done = command
            .args(shell.1)
            .args(["-c", &template::script(script)])
            .env_clear()
            .env("PATH", self.path("bin"))
            .env("DIND_WAIT_ROOT", self.directory.path())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&done.stderr);
        assert_eq!(complaint, "", "{shell:?} complains");
        let what = format!("{script}.sh under {}", shell.0);
        Transcript::new(&what, Finished::of(done, start.elapsed()))
    }
}

/// Where the service writes for job 17, below the container's root.
pub const STATUS: &str = "builds/.dind-init/17/status.txt";
