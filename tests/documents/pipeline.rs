//! A job of a .gitlab-ci.yml, run in the pod that a runner makes for it.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;

use crate::pods::busybox::IMPORT_BUSYBOX;
use crate::pods::gitlab::RunnerLog;
use crate::pods::outcome::Outcome;
use crate::pods::pod::{Plan, Pod};
use crate::pods::registry::{GITLAB, REGISTRY};
use crate::pods::suite::Suite;
use crate::pods::volume::Volume;
use crate::runner::{Cluster, Runner};

/// The image that the documents' services name: the one under test.
const DIND: &str = "registry.example.test/my/dind";

/// What the project holds besides .gitlab-ci.yml.
const DOCKERFILE: &str =
    "FROM busybox\nRUN echo made by a build > /made\nCMD [\"cat\", \"/made\"]\n";

/// A job of an example.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Job {
    image: Option<String>,
    services: Vec<Service>,
    variables: Variables,
    before_script: Vec<String>,
    script: Vec<String>,
    retry: Option<Retry>,
    /// As if they were set in GitLab's user interface.
    #[serde(skip)]
    secret_variables: Vec<(String, String)>,
}

type Variables = BTreeMap<String, serde_yaml_ng::Value>;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    name: String,
    #[serde(default)]
    alias: String,
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    variables: Variables,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Retry {
    max: u8,
    when: String,
}

impl Job {
    /// The one job of the example.
    pub fn parse(text: &str) -> Result<Self, String> {
        let jobs: BTreeMap<String, Job> =
            serde_yaml_ng::from_str(text).map_err(|error| error.to_string())?;
        let mut jobs = jobs.into_values();
        let (job, None) = (jobs.next().ok_or("there is no job")?, jobs.next()) else {
            return Err("there are several jobs".to_owned());
        };
        if let Some(retry) = &job.retry {
            // https://docs.gitlab.com/ci/yaml/#retry
            assert!(retry.max <= 2 && retry.when == "runner_system_failure");
        }
        Ok(job)
    }

    /// With the variables that another example sets for all jobs. A job's own go before them.
    pub fn with_global(mut self, text: &str) -> Self {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Global {
            variables: Variables,
        }
        let global: Global = serde_yaml_ng::from_str(text).unwrap();
        for (name, value) in global.variables {
            self.variables.entry(name).or_insert(value);
        }
        self
    }

    pub fn with_script(mut self, script: &str) -> Self {
        self.script = script.lines().map(str::to_owned).collect();
        self
    }

    /// With a variable that is set in GitLab's user interface.
    pub fn with_secret(mut self, name: &str, value: &str) -> Self {
        self.secret_variables
            .push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without_variable(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    /// Has the runner make the pod.
    pub fn plan(&self, suite: Suite, runner: &Runner, cluster: &Cluster) -> Prepared {
        let [service] = self.services.as_slice() else {
            panic!("one service is what a pod of these tests has: {self:?}");
        };
        assert_eq!(service.alias, "docker", "nothing else answers to `docker`");
        assert!(runner.allows_service(&service.name), "{}", service.name);
        assert_eq!(service.name, DIND);
        let image = self.image.as_deref().unwrap_or("docker:29-cli");
        assert_eq!(image, "docker:29-cli");

        let builds = Volume::disk();
        let log = RunnerLog::new();
        let project = builds.path().join("group/project");
        fs::create_dir_all(&project).unwrap();
        fs::write(project.join("Dockerfile"), DOCKERFILE).unwrap();
        let mut plan = runner.pod(pod_without_variables(suite), cluster, &builds, &log);
        for (name, value) in self.predefined(runner) {
            plan = plan.variable(&name, &value);
        }
        for (name, value) in &self.variables {
            plan = plan.variable(name, &self.expanded(text(value), runner));
        }
        for (name, value) in &service.variables {
            plan = plan.service_variable(name, &self.expanded(text(value), runner));
        }
        let asked = self.variables.get("KUBERNETES_SERVICE_MEMORY_LIMIT");
        if let Some(limit) = runner.memory_limit(asked.map(text).as_deref()) {
            plan = plan.service_option(&format!("--memory={limit}"));
        }
        let words: Vec<_> = service.command.iter().map(String::as_str).collect();
        Prepared {
            plan: plan.command(&words),
            log,
            script: self.job_script(),
        }
    }

    /// What every job has from GitLab and from the runner.
    fn predefined(&self, runner: &Runner) -> Vec<(String, String)> {
        let builds = runner.builds_dir();
        [
            ("CI_BUILDS_DIR", builds),
            ("CI_JOB_ID", "7"),
            ("CI_PROJECT_DIR", &format!("{builds}/group/project")),
            ("CI_REGISTRY", REGISTRY),
            ("CI_REGISTRY_IMAGE", &format!("{REGISTRY}/group/project")),
            ("CI_SERVER_HOST", GITLAB),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// `$NAME` gives the value as it is written, once, as the runner has it (`ExpandWith`).
    fn expanded(&self, value: String, runner: &Runner) -> String {
        let Some(name) = value.strip_prefix('$') else {
            return value;
        };
        let end = name.find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
        let (name, rest) = name.split_at(end.unwrap_or(name.len()));
        let known = self.predefined(runner).into_iter();
        let mut known = known.chain(self.secret_variables.clone()).chain(
            self.variables
                .iter()
                .map(|(name, value)| (name.clone(), text(value))),
        );
        let found = known.find(|(known, _)| known == name);
        let value = found.map(|(_, value)| value).unwrap_or_default();
        match rest.split_once('$') {
            None => format!("{value}{rest}"),
            Some((before, _)) => {
                let after = self.expanded(rest[before.len()..].to_owned(), runner);
                format!("{value}{before}{after}")
            }
        }
    }

    /// As the runner's shell runs it. What is set in GitLab's user interface is exported there, and
    /// nowhere else (common/build.go, `GetServiceVariables`).
    fn job_script(&self) -> String {
        let registry = [
            ("CI_REGISTRY_USER", "job"),
            ("CI_REGISTRY_PASSWORD", "secret"),
        ];
        let registry = registry.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut script = format!("set -eo pipefail\n{IMPORT_BUSYBOX}\ncd \"$CI_PROJECT_DIR\"\n");
        for (name, value) in registry.iter().chain(&self.secret_variables) {
            script.push_str(&format!("export {name}='{value}'\n"));
        }
        for line in self.before_script.iter().chain(&self.script) {
            script.push_str(line);
            script.push('\n');
        }
        script
    }
}

/// A job whose pod is not started yet.
pub struct Prepared {
    pub plan: Plan,
    log: RunnerLog,
    script: String,
}

impl Prepared {
    pub fn with(mut self, change: impl FnOnce(Plan) -> Plan) -> Self {
        self.plan = change(self.plan);
        self
    }

    pub fn start(self) -> Running {
        Running {
            pod: self.plan.start(),
            log: self.log,
            script: self.script,
        }
    }
}

/// A job's pod.
pub struct Running {
    pub pod: Pod,
    log: RunnerLog,
    script: String,
}

impl Running {
    /// Runs the job's script.
    #[must_use = "an outcome that nobody looks at tests nothing"]
    pub fn run(&self) -> Outcome<'_> {
        self.pod.job(&self.script)
    }

    /// What stands in the job's log besides the script's own output.
    pub fn told(&self) -> String {
        self.log.text().unwrap()
    }

    /// The script succeeds, and there was nothing to say about it.
    #[track_caller]
    pub fn succeeds(&self) -> Outcome<'_> {
        let outcome = self.run().expect_success();
        assert_eq!(self.told(), "");
        outcome
    }

    /// What the image says that the examples build.
    #[track_caller]
    pub fn has_built(&self, image: &str) {
        self.pod
            .job(&format!("docker run --rm {image}"))
            .expect_success()
            .expect("made by a build");
    }
}

/// The example has to say them itself.
fn pod_without_variables(suite: Suite) -> Plan {
    let usual = [
        "DOCKER_HOST",
        "DOCKER_TLS_VERIFY",
        "DOCKER_CERT_PATH",
        "DOCKER_TLS_CERTDIR",
    ];
    { usual }
        .iter()
        .fold(Pod::new(suite), |plan, name| plan.without(name))
}

fn text(value: &serde_yaml_ng::Value) -> String {
    match value {
        serde_yaml_ng::Value::String(text) => text.clone(),
        serde_yaml_ng::Value::Number(number) => number.to_string(),
        other => panic!("no variable's value: {other:?}"),
    }
}

#[test]
fn a_word_that_gitlab_does_not_know_is_noticed() {
    assert!(Job::parse("build:\n  script: [docker info]").is_ok());
    for bad in [
        "build:\n  scripts: [docker info]",
        "build:\n  services:\n    - name: a\n      aliases: docker",
        "a:\n  script: [true]\nb:\n  script: [true]",
    ] {
        assert!(Job::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn variables_are_expanded_once() {
    let job = Job::parse("build:\n  variables: { A: $CI_BUILDS_DIR/a, B: b }").unwrap();
    let expanded = |value: &str| job.expanded(value.to_owned(), &Runner::default());
    assert_eq!(
        expanded("$CI_BUILDS_DIR/.dind/$CI_JOB_ID/client"),
        "/builds/.dind/7/client"
    );
    assert_eq!(expanded("$A/client"), "$CI_BUILDS_DIR/a/client");
    assert_eq!(expanded("$B$B"), "bb");
    assert_eq!(expanded("tcp://docker:2376"), "tcp://docker:2376");
}
