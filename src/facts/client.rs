//! The job's own client variables: GitLab gives the service those that are set in YAML or by the
//! runner, so what the job's clients will do can be known before they do it.
//!
//! Variables set in GitLab's UI are missing here, and the job may still change what it likes. Lint
//! has the same from files, which say some things that the service cannot see.

use std::path::PathBuf;

use super::{docker_version::ApiVersion, identity};
use crate::{
    settings::{Environment, non_empty, subject_names::SubjectName},
    system::background::in_time,
};

/// The port that the CLI dials where `DOCKER_HOST` names none, with TLS as well (docker/cli
/// `opts/hosts.go`: `ParseTCPAddr` with `defaultTCPHost`).
const DEFAULT_PORT: u16 = 2375;

/// What clients read, as far as it is known here.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClientVariables {
    pub docker_host: Option<DockerHost>,
    /// `DOCKER_TLS_VERIFY`: any value but the empty one turns TLS on, `0` and `false` too.
    pub tls_verify: Option<String>,
    /// `DOCKER_CERT_PATH`.
    pub certificates: Option<PathBuf>,
    /// There is a `ca.pem` at `DOCKER_CERT_PATH`, as seen from here.
    pub certificates_are_there: bool,
    /// The proxy for the requests that a client sends to `docker_host`: `HTTPS_PROXY` with TLS,
    /// `HTTP_PROXY` without (Go's `httpproxy`).
    pub proxy: Option<Proxy>,
    /// `NO_PROXY`.
    pub no_proxy: String,
    /// `DOCKER_API_VERSION`: clients speak this one, and ask for no other.
    pub api_version: Option<ApiVersion>,
    /// `CI_PROJECT_DIR`.
    pub project: Option<PathBuf>,
    /// The runner leaves what it finds there, as `GIT_STRATEGY: none` or `GIT_CLEAN_FLAGS` say.
    pub keeps_project: bool,
    /// In a GitLab job.
    pub in_gitlab: bool,
    /// In a Kubernetes pod, where all containers share one network and the service's aliases are
    /// in `/etc/hosts`; else with Docker's executor, and `None` where neither is known.
    pub in_kubernetes: Option<bool>,
    /// With Docker's executor: whether the runner gives the job a network of its own. A service
    /// cannot see that.
    pub has_own_network: Option<bool>,
    pub entrypoint: Entrypoint,
    /// They are those that the service gets, and the job may have more.
    pub are_the_service_s: bool,
}

/// Whether an image's entrypoint sets for the job's clients what its variables leave out.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Entrypoint {
    /// Docker's own, which looks for a service that is called `docker` (docker-library/docker
    /// `docker-entrypoint.sh`).
    Runs {
        finds_a_service: bool,
    },
    Missing(Because),
    #[default]
    Unknown,
}

/// Why none does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Because {
    /// Kubernetes' executor runs none, unless `FF_KUBERNETES_HONOR_ENTRYPOINT` tells it to.
    Kubernetes,
    /// The job's image is this one, which has none of that kind.
    OtherImage(String),
    /// The job has another one in its place.
    Replaced,
    /// Whatever sets it, the job's script takes it away again.
    TakenAway,
}

/// The variable that names a proxy, and its value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proxy {
    pub variable: &'static str,
    pub address: String,
}

/// What `DOCKER_HOST` says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DockerHost {
    Tcp {
        /// As it is written.
        text: String,
        host: SubjectName,
        /// `None` for the client's default.
        port: Option<u16>,
    },
    Unix(PathBuf),
    /// Like `Tcp`, but by `http://` or `https://`: other clients take that, and the docker command
    /// says "invalid bind address format" (docker/cli `opts/hosts.go`).
    Http {
        text: String,
        host: SubjectName,
        port: Option<u16>,
    },
    /// There is still a variable's name in it.
    Unexpanded(String),
    /// `ssh://` and what else is none of ours.
    Other,
}

impl ClientVariables {
    /// Looks into `DOCKER_CERT_PATH`, too.
    pub fn read(environment: Environment<'_>) -> Self {
        let variables = Self::parse(environment);
        let certificates = variables.certificates.clone();
        Self {
            certificates_are_there: certificates.is_some_and(|path| {
                // Of a volume that does not answer nobody can say that they are missing.
                in_time(&[&path.clone()], move || path.join("ca.pem").is_file()).unwrap_or(true)
            }),
            ..variables
        }
    }

    /// What the variables alone say.
    pub fn parse(environment: Environment<'_>) -> Self {
        let tls_verify = non_empty(environment, "DOCKER_TLS_VERIFY");
        let in_kubernetes = non_empty(environment, "KUBERNETES_SERVICE_HOST").is_some();
        let is_honoured = non_empty(environment, "FF_KUBERNETES_HONOR_ENTRYPOINT")
            .is_some_and(|value| is_feature_on(&value));
        let proxies = match tls_verify {
            Some(_) => ["HTTPS_PROXY", "https_proxy"],
            None => ["HTTP_PROXY", "http_proxy"],
        };
        Self {
            docker_host: non_empty(environment, "DOCKER_HOST").map(|text| DockerHost::parse(&text)),
            certificates_are_there: false,
            certificates: non_empty(environment, "DOCKER_CERT_PATH").map(PathBuf::from),
            proxy: proxies.into_iter().find_map(|variable| {
                let address = non_empty(environment, variable)?;
                Some(Proxy { variable, address })
            }),
            no_proxy: ["NO_PROXY", "no_proxy"]
                .into_iter()
                .find_map(|variable| non_empty(environment, variable))
                .unwrap_or_default(),
            api_version: non_empty(environment, "DOCKER_API_VERSION")
                .and_then(|version| ApiVersion::parse(&version)),
            project: non_empty(environment, "CI_PROJECT_DIR").map(PathBuf::from),
            keeps_project: keeps_project(environment),
            in_gitlab: non_empty(environment, "CI_JOB_ID").is_some(),
            in_kubernetes: Some(in_kubernetes),
            has_own_network: None,
            entrypoint: match in_kubernetes && !is_honoured {
                true => Entrypoint::Missing(Because::Kubernetes),
                false => Entrypoint::Unknown,
            },
            are_the_service_s: true,
            tls_verify,
        }
    }

    /// The port that a client dials by its `DOCKER_HOST`.
    pub fn dialled_port(&self) -> Option<u16> {
        match self.docker_host.as_ref()? {
            DockerHost::Tcp { port, .. } => Some(port.unwrap_or(DEFAULT_PORT)),
            _ => None,
        }
    }
}

impl DockerHost {
    pub fn parse(text: &str) -> Self {
        if let Some(path) = text.strip_prefix("unix://") {
            return Self::Unix(path.into());
        }
        if text.contains('$') {
            return Self::Unexpanded(text.to_owned());
        }
        // Without a host the CLI takes localhost (docker/cli `opts/hosts.go`).
        let names_no_host = text == "tcp://" || text.starts_with("tcp://:");
        let host = match names_no_host {
            true => Some("localhost"),
            false => identity::tcp_host(text),
        };
        let Some(host) = host.and_then(SubjectName::from_host) else {
            return Self::Other;
        };
        let (port, text) = (port(text), text.to_owned());
        match text.starts_with("tcp://") {
            true => Self::Tcp { text, host, port },
            false => Self::Http { text, host, port },
        }
    }
}

/// Whether the runner may leave files of others in the project's directory, which it otherwise
/// cleans (`git clean -ffdx`) or removes before the script.
fn keeps_project(environment: Environment<'_>) -> bool {
    let is_kept = |flags: &str| flags == "none" || flags.contains("-e");
    non_empty(environment, "GIT_STRATEGY").as_deref() == Some("none")
        || non_empty(environment, "GIT_CLEAN_FLAGS").is_some_and(|flags| is_kept(&flags))
}

/// As the runner reads feature flags (Go's `strconv.ParseBool`).
pub fn is_feature_on(value: &str) -> bool {
    ["1", "t", "T", "true", "TRUE", "True"].contains(&value)
}

/// The port of `tcp://host:port`.
fn port(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("://")?;
    let authority = rest.split('/').next()?;
    authority.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> ClientVariables {
        ClientVariables::read(&|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_set_is_nothing_known() {
        let nothing = ClientVariables {
            in_kubernetes: Some(false),
            are_the_service_s: true,
            ..ClientVariables::default()
        };
        assert_eq!(read(&[("DOCKER_HOST", "")]), nothing);
    }

    #[test]
    fn docker_host_is_read_in_every_form() {
        let dialled = |text, verify| {
            let variables = read(&[("DOCKER_HOST", text), ("DOCKER_TLS_VERIFY", verify)]);
            (variables.dialled_port(), variables.docker_host.unwrap())
        };
        assert_eq!(dialled("tcp://docker:2375", "1").0, Some(2375));
        assert_eq!(dialled("tcp://docker", "1").0, Some(2375));
        assert_eq!(dialled("tcp://docker", "").0, Some(2375));
        assert_eq!(dialled("tcp://[::1]:99/x", "").0, Some(99));
        assert_eq!(dialled("tcp://[::1]", "").0, Some(2375));
        let unix = DockerHost::Unix("/run/docker.sock".into());
        assert_eq!(dialled("unix:///run/docker.sock", ""), (None, unix));
        assert_eq!(dialled("ssh://host", ""), (None, DockerHost::Other));
        for text in ["$DAEMON", "tcp://$HOST:2376", "unix://${SOCKET}"] {
            let unexpanded = matches!(dialled(text, "").1, DockerHost::Unexpanded(_));
            assert_eq!(unexpanded, !text.starts_with("unix"), "{text}");
        }
        let by_web = dialled("https://docker:2376", "");
        assert_eq!(by_web.0, None);
        assert!(matches!(
            by_web.1,
            DockerHost::Http {
                port: Some(2376),
                ..
            }
        ));
        let localhost = SubjectName::from_host("localhost").unwrap();
        for (text, dialled_port) in [("tcp://:2376", 2376), ("tcp://", 2375), ("tcp://:", 2375)] {
            let (port, docker_host) = dialled(text, "1");
            let leads_home =
                matches!(&docker_host, DockerHost::Tcp { host, .. } if *host == localhost);
            assert!(leads_home, "{text}: {docker_host:?}");
            assert_eq!(port, Some(dialled_port), "{text}");
        }
    }

    #[test]
    fn a_feature_flag_says_whether_the_job_s_image_runs_its_entrypoint() {
        let entrypoint = |value| {
            let flag = ("FF_KUBERNETES_HONOR_ENTRYPOINT", value);
            read(&[("KUBERNETES_SERVICE_HOST", "10.0.0.1"), flag]).entrypoint
        };
        for value in ["true", "1"] {
            assert_eq!(entrypoint(value), Entrypoint::Unknown, "{value}");
        }
        for value in ["false", "0", ""] {
            let missing = Entrypoint::Missing(Because::Kubernetes);
            assert_eq!(entrypoint(value), missing, "{value:?}");
        }
    }

    #[test]
    fn the_proxy_is_the_one_for_the_scheme_that_is_spoken() {
        let proxies = [("HTTP_PROXY", "http://p:1"), ("https_proxy", "http://p:2")];
        let plain = read(&proxies).proxy.unwrap();
        assert_eq!(
            (plain.variable, &*plain.address),
            ("HTTP_PROXY", "http://p:1")
        );
        let tls = [proxies[0], proxies[1], ("DOCKER_TLS_VERIFY", "1")];
        assert_eq!(read(&tls).proxy.unwrap().variable, "https_proxy");
    }

    #[test]
    fn certificates_are_looked_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_str().unwrap();
        assert!(!read(&[("DOCKER_CERT_PATH", path)]).certificates_are_there);
        std::fs::write(directory.path().join("ca.pem"), "").unwrap();
        assert!(read(&[("DOCKER_CERT_PATH", path)]).certificates_are_there);
    }
}
