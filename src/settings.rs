//! The environment, parsed into typed settings.

pub mod certificates;
pub mod ignored;
pub mod registry;
pub mod subject_names;
mod values;

use std::{env, ffi::OsString, fmt, path::PathBuf, time::Duration};

use clap::ValueEnum;

pub use self::{
    certificates::{CertificateSettings, ClientKey},
    values::non_empty,
};
use self::{
    ignored::Ignored,
    registry::RegistrySettings,
    values::{choice, number, switch, words},
};
use crate::{dockerd::registry_options::RegistryOptions, log};

/// A variable whose value is not accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidVariable {
    pub name: &'static str,
    pub value: String,
    /// What is accepted, as the end of the sentence "it must be …".
    pub accepted: String,
}

impl fmt::Display for InvalidVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the variable {} has the value {:?}, but it must be {}",
            self.name, self.value, self.accepted
        )
    }
}

impl std::error::Error for InvalidVariable {}

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
    /// `DIND_DOCKERD_ARGS`: more flags for dockerd, split as a shell splits words.
    pub dockerd_arguments: Vec<OsString>,
    /// `DIND_IGNORE`.
    pub ignored: Ignored,
    /// `DIND_LOG`.
    pub log: log::Format,
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
            on_failure: choice(environment, "DIND_ON_FAILURE")?.unwrap_or(match gitlab_job {
                Some(_) => OnFailure::Explain,
                None => OnFailure::Exit,
            }),
            writes_job_log: choice(environment, "DIND_JOB_LOG")?.unwrap_or(AutoOrOff::Auto)
                == AutoOrOff::Auto,
            start_timeout: Duration::from_secs(
                number(environment, "DIND_START_TIMEOUT", 1..=3600, "seconds")?
                    .unwrap_or(60)
                    .into(),
            ),
            mtu: MtuWish::parse(environment)?,
            moves_pools: choice(environment, "DIND_ADDRESS_POOLS")?.unwrap_or(AutoOrOff::Auto)
                == AutoOrOff::Auto,
            cgroup_namespace: choice(environment, "DIND_CGROUP_NAMESPACE")?
                .unwrap_or(AutoOrOff::Auto)
                == AutoOrOff::Auto,
            registry_options: registry_options(environment)?,
            gitlab_project: non_empty(environment, "CI_PROJECT_ID"),
            certificates: CertificateSettings::parse(environment)?,
            docker_host: environment("DOCKER_HOST").unwrap_or_default(),
            iptables_legacy: environment("DOCKER_IPTABLES_LEGACY"),
            dockerd_arguments: words(environment, "DIND_DOCKERD_ARGS")?,
            ignored: Ignored::parse(environment)?,
            log: choice(environment, "DIND_LOG")?.unwrap_or_default(),
            registry: RegistrySettings::parse(environment)?,
            builds_directory: non_empty(environment, "CI_BUILDS_DIR").map(PathBuf::from),
            gitlab_job,
        })
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

#[derive(Clone, Eq, PartialEq, ValueEnum)]
enum AutoOrOff {
    Auto,
    Off,
}

/// `DIND_MTU`: the MTU of Docker's networks, where dockerd's own configuration does not say it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MtuWish {
    /// That of this container's way out.
    #[default]
    Auto,
    /// dockerd's own.
    Off,
    Bytes(u16),
}

impl MtuWish {
    fn parse(environment: Environment<'_>) -> Result<Self, InvalidVariable> {
        const NAME: &str = "DIND_MTU";
        match non_empty(environment, NAME).as_deref() {
            None | Some("auto") => Ok(Self::Auto),
            Some("off") => Ok(Self::Off),
            Some(value) => match number(environment, NAME, 68..=u16::MAX, "bytes") {
                Ok(Some(bytes)) => Ok(Self::Bytes(bytes)),
                _ => Err(InvalidVariable {
                    name: NAME,
                    value: value.to_owned(),
                    accepted: "auto, off or a number of bytes from 68 to 65535".into(),
                }),
            },
        }
    }
}

/// Lists with commas or white space between their entries, in the forms that dockerd takes.
fn registry_options(environment: Environment<'_>) -> Result<RegistryOptions, InvalidVariable> {
    let list = |name: &'static str, accepted: &str, is_accepted: fn(&str) -> bool| {
        let value = environment(name).unwrap_or_default();
        let entries = value.split([',', ' ', '\t', '\n']);
        entries
            .filter(|entry| !entry.is_empty())
            .map(|entry| match is_accepted(entry) {
                true => Ok(entry.to_owned()),
                false => Err(InvalidVariable {
                    name,
                    value: entry.to_owned(),
                    accepted: accepted.to_owned(),
                }),
            })
            .collect::<Result<Vec<_>, _>>()
    };
    Ok(RegistryOptions {
        mirrors: list(
            "DIND_REGISTRY_MIRRORS",
            "URLs without a path, such as https://mirror.example.com",
            |entry| {
                let host = entry
                    .strip_prefix("https://")
                    .or_else(|| entry.strip_prefix("http://"));
                host.map(|host| host.trim_end_matches('/'))
                    .is_some_and(|host| !host.is_empty() && !host.contains('/'))
            },
        )?,
        insecure: list(
            "DIND_INSECURE_REGISTRIES",
            "hosts, with a port where they have one, or address ranges: registry.example.com:5000",
            |entry| !entry.contains("://"),
        )?,
    })
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
    fn registries_are_lists() {
        let settings = parse(&[
            (
                "DIND_REGISTRY_MIRRORS",
                "https://a.example, http://b.example:5000/",
            ),
            ("DIND_INSECURE_REGISTRIES", "c.example:5000\n10.0.0.0/8"),
        ]);
        let options = settings.unwrap().registry_options;
        assert_eq!(
            options.mirrors,
            ["https://a.example", "http://b.example:5000/"]
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
            (
                "DIND_REGISTRY_MIRRORS",
                "https://m.example/v2",
                "without a path",
            ),
            ("DIND_INSECURE_REGISTRIES", "http://r.example", "hosts"),
            ("DIND_ADDRESS_POOLS", "10.0.0.0/8", "auto or off"),
            ("DIND_CGROUP_NAMESPACE", "on", "auto or off"),
            ("DIND_MTU", "small", "auto, off or a number"),
            ("DIND_MTU", "12", "from 68"),
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
