//! A project that includes the component, and the interpreter that reads and runs it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_yaml_ng::Value;
use tempfile::TempDir;

use crate::pods::podman::{Finished, podman, step};
use crate::pods::transcript::Transcript;
use crate::template;

/// The longest that the removal of one thing may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The way in which a project takes the component in.
#[derive(Clone, Copy, Debug)]
pub enum Include {
    Component,
    Local,
}

impl Include {
    fn line(self) -> &'static str {
        match self {
            Self::Component => "component: $CI_SERVER_FQDN/$CI_PROJECT_PATH/dind@$CI_COMMIT_SHA",
            Self::Local => "local: templates/dind.yml",
        }
    }
}

/// A repository with the component's template, a `.gitlab-ci.yml`, and the name of its remote.
#[derive(Debug)]
pub struct Project(TempDir);

impl Project {
    /// `inputs` is the YAML of `inputs:` and `jobs` the rest of the file.
    pub fn new(include: Include, inputs: &str, jobs: &str) -> Self {
        let inputs: String = inputs
            .lines()
            .map(|line| format!("      {line}\n"))
            .collect();
        let inputs = match inputs.as_str() {
            "" => String::new(),
            inputs => format!("    inputs:\n{inputs}"),
        };
        Self::of(&format!(
            "include:\n  - {}\n{inputs}\n{jobs}",
            include.line()
        ))
    }

    /// With a whole `.gitlab-ci.yml`.
    pub fn of(pipeline: &str) -> Self {
        let project = Self(TempDir::with_prefix("dind-component-").unwrap());
        for component in template::COMPONENTS {
            let path = format!("templates/{component}.yml");
            project.write(&path, &template::render(component));
        }
        project.write(".gitlab-ci.yml", pipeline);
        project.commit();
        project
    }

    /// The configuration with everything included, extended and referred to in its place.
    pub fn preview(&self) -> Result<Value, String> {
        let done = self.interpret(&["--preview"]);
        let text = String::from_utf8_lossy(&done.stdout);
        match done.status.success() {
            true => Ok(serde_yaml_ng::from_str(&text).unwrap_or_else(|e| panic!("{e}:\n{text}"))),
            false => Err(format!("{text}{}", String::from_utf8_lossy(&done.stderr))),
        }
    }

    /// Runs jobs in containers, their services beside them.
    pub fn run(&self, jobs: &[&str]) -> Transcript<'static> {
        // The interpreter shares a project's own directory alone; the runner all of /builds.
        let podman = template::path("images/podman");
        let options = [
            "--container-executable",
            podman.to_str().unwrap(),
            "--privileged",
            "--volume=%gcl-cert%:/builds/.dind-init",
            "--helper-image=localhost/dind-base:trixie",
            // Nothing waits but the component itself: it is there to be tested.
            "--wait-image=localhost/dind-base:trixie",
            "--pull-policy=if-not-present",
        ];
        let start = Instant::now();
        let done = self.interpret(&[&options, jobs].concat());
        let took = start.elapsed();
        self.remove_containers();
        Transcript::new("the job", Finished::of(done, took))
    }

    /// The interpreter leaves services running, and volumes that they use. All its containers know
    /// the project's directory.
    fn remove_containers(&self) {
        let directory = format!("GCL_PROJECT_DIR_ON_HOST={}", self.0.path().display());
        let containers = step(&["ps", "--all", "--quiet"]);
        for container in containers.lines() {
            let format = "{{range .Config.Env}}{{println .}}{{end}}{{range .Mounts}}volume {{println .Name}}{{end}}";
            // One that another test has removed meanwhile is none of ours.
            let told = podman(&["inspect", "--format", format, container], PATIENCE).output;
            if !told.lines().any(|line| line == directory) {
                continue;
            }
            podman(
                &["rm", "--force", "--volumes", "--time=0", container],
                PATIENCE,
            );
            let volumes = told
                .lines()
                .filter_map(|line| line.strip_prefix("volume gcl-"));
            for volume in volumes {
                podman(&["volume", "rm", &format!("gcl-{volume}")], PATIENCE);
            }
        }
    }

    fn interpret(&self, arguments: &[&str]) -> Output {
        Command::new(interpreter())
            .current_dir(self.0.path())
            .args(arguments)
            .env("NO_COLOR", "1")
            .output()
            .unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The interpreter asks git for what is part of the project, for its name and its commit.
    fn commit(&self) {
        for command in [
            "init --quiet --initial-branch=main",
            "remote add origin https://gitlab.example.com/group/dind-init.git",
            "add --all",
            "-c user.name=test -c user.email=test@example.com commit --quiet --message=test",
        ] {
            let mut git = Command::new("git");
            git.current_dir(self.0.path()).args(command.split(' '));
            assert!(git.status().unwrap().success(), "git {command}");
        }
    }
}

/// The interpreter's path; it is fetched once a machine.
fn interpreter() -> &'static Path {
    static PATH: OnceLock<std::path::PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let done = Command::new(template::path("tests/component/interpreter.sh"))
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{complaint}");
        String::from_utf8_lossy(&done.stdout).trim().into()
    })
}
