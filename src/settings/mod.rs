//! The environment, parsed into typed settings.

pub mod certificates;
pub mod ignored;
mod inputs;
mod invalid;
mod mtu;
pub mod registry;
pub mod registry_host;
mod registry_options;
pub mod registry_values;
pub mod subject_names;
mod surroundings;
mod values;
pub mod variables;

use std::{env, ffi::OsString, path::PathBuf, time::Duration};

use clap::ValueEnum;

pub use self::{
    certificates::{CertificateSettings, ClientKey},
    invalid::InvalidVariable,
    mtu::MtuWish,
    registry_options::RegistryOptions,
    values::non_empty,
};
use self::{
    ignored::Ignored,
    registry::RegistrySettings,
    values::{choice, number, switch, words},
    variables::{
        ADDRESS_POOLS, CGROUP_NAMESPACE, DEBUG, DOCKERD_ARGS, JOB_LOG, LOG, ON_FAILURE,
        START_TIMEOUT, STORAGE_DRIVER,
    },
};
use crate::reasons::advice::Executor;

/// Where variables come from: the process environment, or a table in tests.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The process environment; a variable that is not UTF-8 is read with its bad bytes replaced.
pub fn process_environment(name: &str) -> Option<String> {
    env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Everything that the environment says to the init.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// `None` for plain TCP.
    pub certificates: Option<CertificateSettings>,
    /// `DOCKER_HOST`: the socket's path if it begins with `unix://`, else what the job calls us.
    pub docker_host: String,
    /// `DOCKER_IPTABLES_LEGACY`: set and empty is not the same as unset.
    pub iptables_legacy: Option<String>,
    /// `DIND_DOCKERD_ARGS`: more flags for dockerd, split as a shell splits words; and what the
    /// component's inputs add to them.
    pub dockerd_arguments: Vec<OsString>,
    /// `DIND_DOCKERD_ARGS` alone, as it is written.
    pub own_arguments: String,
    /// `NO_PROXY`, or else `no_proxy`: Go reads them in this order.
    pub no_proxy: String,
    /// What runs the job, where it is a GitLab job.
    pub executor: Option<Executor>,
    /// `DIND_IGNORE`.
    pub ignored: Ignored,
    /// `DIND_LOG`.
    pub log: LogFormat,
    /// `DIND_REGISTRY_CA` and its like.
    pub registry: RegistrySettings,
    /// `CI_BUILDS_DIR`, where a GitLab job's own directories lie.
    pub builds_directory: Option<PathBuf>,
    /// `CI_JOB_ID`: set in a GitLab job.
    pub gitlab_job: Option<String>,
    /// `CI_PROJECT_ID`.
    pub gitlab_project: Option<String>,
    /// `DIND_ON_FAILURE`.
    pub on_failure: OnFailure,
    /// `DIND_JOB_LOG` is not `off`.
    pub writes_job_log: bool,
    /// `DIND_MTU`.
    pub mtu: MtuWish,
    /// `DIND_ADDRESS_POOLS` is not `off`.
    pub moves_pools: bool,
    /// `DIND_CGROUP_NAMESPACE` is not `off`.
    pub cgroup_namespace: bool,
    /// `DIND_REGISTRY_MIRRORS` and `DIND_INSECURE_REGISTRIES`.
    pub registry_options: RegistryOptions,
    /// `DIND_START_TIMEOUT`: how long dockerd may say nothing before it is ready.
    pub start_timeout: Duration,
}

impl Settings {
    pub fn parse(environment: Environment<'_>) -> Result<Self, InvalidVariable> {
        let gitlab_job = non_empty(environment, "CI_JOB_ID");
        Ok(Self {
            on_failure: choice(environment, &ON_FAILURE)?.unwrap_or(match gitlab_job {
                Some(_) => OnFailure::Explain,
                None => OnFailure::Exit,
            }),
            writes_job_log: choice(environment, &JOB_LOG)?.unwrap_or(AutoOrOff::Auto)
                == AutoOrOff::Auto,
            start_timeout: Duration::from_secs(number(environment, &START_TIMEOUT)?.into()),
            mtu: MtuWish::parse(environment)?,
            moves_pools: choice(environment, &ADDRESS_POOLS)?.unwrap_or(AutoOrOff::Auto)
                == AutoOrOff::Auto,
            cgroup_namespace: choice(environment, &CGROUP_NAMESPACE)?.unwrap_or(AutoOrOff::Auto)
                == AutoOrOff::Auto,
            registry_options: RegistryOptions::parse(environment)?,
            gitlab_project: non_empty(environment, "CI_PROJECT_ID"),
            certificates: CertificateSettings::parse(environment)?,
            docker_host: environment("DOCKER_HOST").unwrap_or_default(),
            iptables_legacy: environment("DOCKER_IPTABLES_LEGACY"),
            dockerd_arguments: dockerd_arguments(environment)?,
            own_arguments: environment("DIND_DOCKERD_ARGS").unwrap_or_default(),
            no_proxy: non_empty(environment, "NO_PROXY")
                .or_else(|| non_empty(environment, "no_proxy"))
                .unwrap_or_default(),
            executor: surroundings::executor(environment),
            ignored: Ignored::parse(environment)?,
            log: choice(environment, &LOG)?.unwrap_or_default(),
            registry: RegistrySettings::parse(environment)?,
            builds_directory: non_empty(environment, "CI_BUILDS_DIR").map(PathBuf::from),
            gitlab_job,
        })
    }

    /// Somebody wants a job whose service fails to be retried (`retry: runner_system_failure`):
    /// GitLab Runner then watches the service's port, and does so by itself nowhere else.
    pub fn ends_a_job_s_service(&self) -> bool {
        self.gitlab_job.is_some() && self.on_failure == OnFailure::Exit
    }
}

impl Settings {
    /// The same, with every variable that is wrong: each counts as if it was not set, so that the
    /// service can at least say so.
    pub fn parse_all(environment: Environment<'_>) -> (Self, Vec<InvalidVariable>) {
        let mut invalid: Vec<InvalidVariable> = Vec::new();
        loop {
            let without = |name: &str| {
                let is_invalid = invalid.iter().any(|known| known.name == name);
                environment(name).filter(|_| !is_invalid)
            };
            match Self::parse(&without) {
                Ok(settings) => return (settings, invalid),
                Err(another) => {
                    // None is refused for being unset, so this comes to an end.
                    debug_assert!(invalid.iter().all(|known| known.name != another.name));
                    invalid.push(another);
                }
            }
        }
    }
}

/// What is done when dockerd cannot run, or has ended by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum OnFailure {
    /// Stay, and answer docker commands with the reason.
    Explain,
    /// Say it on stderr and end with a status that is not 0.
    Exit,
}

/// How the init's own log lines are written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

#[derive(Clone, Eq, PartialEq, ValueEnum)]
enum AutoOrOff {
    Auto,
    Off,
}

/// The flags that variables and inputs add to dockerd's command line.
fn dockerd_arguments(environment: Environment<'_>) -> Result<Vec<OsString>, InvalidVariable> {
    let word = |_, word: &str| Ok(OsString::from(word));
    let mut arguments = inputs::entries(environment, &DOCKERD_ARGS, words, word)?;
    let driver = non_empty(environment, STORAGE_DRIVER);
    if let Some(driver) = driver.filter(|driver| driver != "auto") {
        arguments.push(format!("--storage-driver={driver}").into());
    }
    if switch(environment, DEBUG)? {
        arguments.push("--debug".into());
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(variables: &[(&str, &str)]) -> Result<Settings, InvalidVariable> {
        Settings::parse(&|name| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_failure_is_explained_in_a_gitlab_job_and_ends_the_service_elsewhere() {
        let on_failure = |variables: &[(&str, &str)]| parse(variables).unwrap().on_failure;
        assert_eq!(on_failure(&[]), OnFailure::Exit);
        assert_eq!(on_failure(&[("CI_JOB_ID", "1")]), OnFailure::Explain);
        let both = [("CI_JOB_ID", "1"), ("DIND_ON_FAILURE", "exit")];
        assert_eq!(on_failure(&both), OnFailure::Exit);
    }

    #[test]
    fn everything_that_is_wrong_is_found_at_once() {
        let environment = |name: &str| {
            let value = match name {
                "DIND_MTU" => "small",
                "DIND_CERT_DAYS" => "0",
                "DIND_ON_FAILURE" => "stay",
                "DOCKER_TLS_CERTDIR" => "/certs",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let (settings, invalid) = Settings::parse_all(&environment);
        let mut names: Vec<_> = invalid.iter().map(|variable| variable.name).collect();
        names.sort_unstable();
        assert_eq!(names, ["DIND_CERT_DAYS", "DIND_MTU", "DIND_ON_FAILURE"]);
        assert_eq!(settings.mtu, MtuWish::Auto);
        assert_eq!(settings.certificates.unwrap().days, 825);
    }

    #[test]
    fn registries_are_lists() {
        let settings = parse(&[
            (
                "DIND_REGISTRY_MIRRORS",
                "https://a.example, http://b.example:5000/hub/",
            ),
            ("DIND_INSECURE_REGISTRIES", "c.example:5000\n10.0.0.0/8"),
        ]);
        let options = settings.unwrap().registry_options;
        assert_eq!(
            options.mirrors,
            ["https://a.example", "http://b.example:5000/hub/"]
        );
        assert_eq!(options.insecure, ["c.example:5000", "10.0.0.0/8"]);
    }

    #[test]
    fn the_mtu_is_found_out_left_alone_or_given() {
        let mtu = |value| parse(&[("DIND_MTU", value)]).unwrap().mtu;
        assert_eq!(mtu(""), MtuWish::Auto);
        assert_eq!(mtu("off"), MtuWish::Off);
        assert_eq!(mtu("1380"), MtuWish::Bytes(1380));
    }

    #[test]
    fn dockerd_flags_are_split_as_a_shell_does() {
        let settings = parse(&[("DIND_DOCKERD_ARGS", "--mtu=1400 --label 'a b'")]).unwrap();
        assert_eq!(settings.dockerd_arguments, ["--mtu=1400", "--label", "a b"]);
    }

    #[test]
    fn the_component_s_inputs_add_to_what_the_runner_says_and_empty_ones_hide_nothing() {
        let of_the_runner = [
            ("DIND_DOCKERD_ARGS", "--mtu=1400"),
            ("DIND_REGISTRY_MIRRORS", "https://a.example"),
            ("DIND_MTU", "1380"),
        ];
        let with = |inputs: &[(&'static str, &'static str)]| {
            parse(&[&of_the_runner[..], inputs].concat()).unwrap()
        };
        let empty = [
            ("DIND_INPUT_DOCKERD_ARGS", "[]"),
            ("DIND_INPUT_REGISTRY_MIRRORS", "[]"),
            ("DIND_INPUT_MTU", ""),
            ("DIND_INPUT_STORAGE_DRIVER", "auto"),
            ("DIND_INPUT_DEBUG", "false"),
        ];
        assert_eq!(with(&empty), with(&[]));
        let settings = with(&[
            ("DIND_INPUT_DOCKERD_ARGS", r#"["--label", "a b"]"#),
            ("DIND_INPUT_REGISTRY_MIRRORS", r#"["https://b.example"]"#),
            ("DIND_INPUT_MTU", "off"),
            ("DIND_INPUT_STORAGE_DRIVER", "vfs"),
            ("DIND_INPUT_DEBUG", "true"),
        ]);
        assert_eq!(
            settings.dockerd_arguments,
            [
                "--mtu=1400",
                "--label",
                "a b",
                "--storage-driver=vfs",
                "--debug"
            ]
        );
        let mirrors = settings.registry_options.mirrors;
        assert_eq!(mirrors, ["https://a.example", "https://b.example"]);
        assert_eq!(settings.mtu, MtuWish::Off);
    }

    #[test]
    fn a_value_that_does_not_parse_is_named_with_what_is_accepted() {
        for (name, value, accepted) in [
            ("DIND_CLIENT_KEY", "ed25519", "ecdsa-p256 or rsa-2048"),
            ("DIND_CERT_DAYS", "0", "from 1 to 3650"),
            ("DIND_CERT_DAYS", "a year", "from 1 to 3650"),
            ("DOCKER_TLS_SAN", "DNS:a b", "DNS:name"),
            ("DIND_LOG", "xml", "text or json"),
            ("DIND_ON_FAILURE", "stay", "explain or exit"),
            ("DIND_JOB_LOG", "on", "auto or off"),
            ("DIND_START_TIMEOUT", "0", "from 1 to 3600"),
            ("DIND_REGISTRY_MIRRORS", "mirror.example", "https://"),
            ("DIND_REGISTRY_MIRRORS", "https://$MIRROR", "https://"),
            ("DIND_INSECURE_REGISTRIES", "http://r.example", "hosts"),
            (
                "DIND_INSECURE_REGISTRIES",
                "r.example/group",
                "without a path",
            ),
            ("DIND_INSECURE_REGISTRIES", "$REGISTRY", "hosts"),
            ("DIND_ADDRESS_POOLS", "10.0.0.0/8", "auto or off"),
            ("DIND_CGROUP_NAMESPACE", "on", "auto or off"),
            ("DIND_MTU", "small", "auto, off or a number"),
            ("DIND_MTU", "12", "from 68"),
            ("DIND_INPUT_MTU", "12", "from 68"),
            ("DIND_INPUT_REGISTRY_MIRRORS", "mirror.example", "https://"),
            ("DIND_INPUT_DEBUG", "yes", "1 or 0"),
            ("DIND_DOCKERD_ARGS", "--label 'a", "every quote closed"),
        ] {
            let message = parse(&[(name, value), ("DOCKER_TLS_CERTDIR", "/certs")])
                .unwrap_err()
                .to_string();
            assert!(message.contains(name), "{message}");
            assert!(message.contains(value), "{message}");
            assert!(message.contains(accepted), "{message}");
        }
    }
}
