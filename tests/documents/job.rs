//! A job of a .gitlab-ci.yml, and what its variables are for whom.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_yaml_ng::Value;

use crate::pods::registry::{GITLAB, REGISTRY};
use crate::runner::Runner;

/// A job of an example. Only words that GitLab knows are taken, so that a misspelled one is noticed.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Job {
    pub image: Value,
    pub services: Vec<Service>,
    pub variables: Variables,
    pub hooks: Hooks,
    pub before_script: Vec<String>,
    pub script: Vec<String>,
    pub after_script: Vec<String>,
    pub retry: Option<Retry>,
    /// The interpreter's.
    stage: String,
    /// The interpreter's.
    needs: Value,
    /// As if they were set in GitLab's user interface.
    #[serde(skip)]
    secrets: Vec<(String, String)>,
    /// The same, of the type file.
    #[serde(skip)]
    pub files: Vec<(String, String)>,
}

pub type Variables = BTreeMap<String, Value>;

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Service {
    pub name: String,
    pub alias: String,
    #[serde(default)]
    pub variables: Variables,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Hooks {
    pub pre_get_sources_script: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    pub max: u8,
    pub when: String,
}

impl Job {
    /// The one job of the example.
    pub fn parse(text: &str) -> Result<Self, String> {
        let jobs: BTreeMap<String, Job> =
            serde_yaml_ng::from_str(text).map_err(|error| error.to_string())?;
        let mut jobs = jobs.into_values();
        let (Some(job), None) = (jobs.next(), jobs.next()) else {
            return Err("one job is what an example has".to_owned());
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
        self.secrets.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With such a variable of the type file.
    pub fn with_file(mut self, name: &str, content: &str) -> Self {
        self.files.push((name.to_owned(), content.to_owned()));
        self
    }

    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    pub fn without_variable(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    pub fn image(&self) -> Option<&str> {
        self.image
            .as_str()
            .or_else(|| self.image.get("name")?.as_str())
    }

    /// What the job and its services see: what is written, and what is predefined.
    pub fn public(&self, runner: &Runner) -> Vec<(String, String)> {
        let own = self.variables.iter();
        let own = own.map(|(name, value)| (name.clone(), self.expanded(&text(value), runner)));
        predefined(runner).into_iter().chain(own).collect()
    }

    /// What one of its services sees besides.
    pub fn of_service(&self, service: &Service, runner: &Runner) -> Vec<(String, String)> {
        let own = service.variables.iter();
        own.map(|(name, value)| (name.clone(), self.expanded(&text(value), runner)))
            .collect()
    }

    /// What is not public: the runner's shell exports it in the job's scripts, and nobody else gets
    /// it (common/build.go, `GetServiceVariables`).
    pub fn private(&self, runner: &Runner) -> Vec<(String, String)> {
        let registry = [
            ("CI_REGISTRY_USER", "job"),
            ("CI_REGISTRY_PASSWORD", "secret"),
        ];
        let registry = registry.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let files = self.files.iter();
        let paths = files.map(|(name, _)| (name.clone(), file(name, runner)));
        let secrets = self.secrets.iter().cloned();
        registry.into_iter().chain(secrets).chain(paths).collect()
    }

    /// `$NAME` gives a value as it is written: the runner expands once (`ExpandWith`).
    pub fn expanded(&self, value: &str, runner: &Runner) -> String {
        let written = self.variables.iter();
        let written = written.map(|(name, value)| (name.clone(), text(value)));
        let known: BTreeMap<_, _> = predefined(runner)
            .into_iter()
            .chain(self.private(runner))
            .chain(written)
            .collect();
        let mut parts = value.split('$');
        let mut expanded = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
            let (name, rest) = part.split_at(end.unwrap_or(part.len()));
            expanded.push_str(known.get(name).map_or("", String::as_str));
            expanded.push_str(rest);
        }
        expanded
    }
}

/// Where the runner puts a variable of the type file, once it gets the sources.
pub fn file(name: &str, runner: &Runner) -> String {
    format!("{}/group/project.tmp/{name}", runner.builds_dir())
}

/// What every job has from GitLab and from the runner.
fn predefined(runner: &Runner) -> Vec<(String, String)> {
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

pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        other => panic!("no variable's value: {other:?}"),
    }
}

#[test]
fn a_word_that_gitlab_does_not_know_is_noticed() {
    assert!(Job::parse("build:\n  script: [docker info]").is_ok());
    for bad in [
        "build:\n  scripts: [docker info]",
        "build:\n  services:\n    - name: a\n      alias: b\n      aliases: docker",
        "a:\n  script: [\"true\"]\nb:\n  script: [\"true\"]",
        "{}",
    ] {
        assert!(Job::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn variables_are_expanded_once() {
    let job = Job::parse("build:\n  variables: { A: $CI_BUILDS_DIR/a, B: b }").unwrap();
    let expanded = |value: &str| job.expanded(value, &Runner::default());
    assert_eq!(
        expanded("unix://$CI_BUILDS_DIR/.dind/$CI_JOB_ID/client"),
        "unix:///builds/.dind/7/client"
    );
    assert_eq!(expanded("$A/client"), "$CI_BUILDS_DIR/a/client");
    assert_eq!(expanded("$B$B"), "bb");
    assert_eq!(expanded("tcp://docker:2376"), "tcp://docker:2376");
}
