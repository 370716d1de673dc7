//! Where the CAs of registries come from.

use std::path::{Path, PathBuf};

use super::{
    Environment, InvalidVariable, inputs, non_empty,
    values::{switch, value},
    variables::{REGISTRY_CA, REGISTRY_CA_DIR, REGISTRY_PROBE},
};
use crate::settings::registry_host::RegistryHost;

/// Where registry CAs are mounted, unless `DIND_REGISTRY_CA_DIR` says otherwise.
pub const DEFAULT_DIRECTORY: &str = "/etc/dind/registry-ca";

/// What the environment says about registries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RegistrySettings {
    /// `DIND_REGISTRY_CA_DIR`.
    pub directory: PathBuf,
    /// `DIND_REGISTRY_CA`.
    pub given: Vec<Given>,
    /// `CI_SERVER_TLS_CA_FILE`: GitLab's own chain.
    pub runner: Option<Place>,
    /// `CI_REGISTRY`.
    pub gitlab_registry: Option<RegistryHost>,
    /// `CI_REGISTRY`, `CI_SERVER_HOST` and the dependency proxy, each once: who presents that chain.
    pub gitlab_hosts: Vec<RegistryHost>,
    /// `SSL_CERT_FILE`: what the user has Go trust instead of the system's roots.
    pub ssl_cert_file: Option<PathBuf>,
    /// `DIND_REGISTRY_PROBE`.
    pub probe: bool,
}

/// An item of `DIND_REGISTRY_CA`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Given {
    /// `None`: for every registry.
    pub host: Option<RegistryHost>,
    pub place: Place,
}

/// Where certificates are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// In the variable itself.
    Text(String),
    /// In a file, which may come later.
    File(PathBuf),
}

impl Place {
    /// The file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Text(_) => None,
            Self::File(path) => Some(path),
        }
    }
}

impl RegistrySettings {
    pub fn parse(environment: Environment<'_>) -> Result<Self, InvalidVariable> {
        let host = |name| RegistryHost::parse(&non_empty(environment, name)?);
        let gitlab_registry = host("CI_REGISTRY");
        let mut gitlab_hosts: Vec<_> = gitlab_registry
            .iter()
            .cloned()
            .chain(host("CI_SERVER_HOST"))
            .chain(host("CI_DEPENDENCY_PROXY_SERVER"))
            .collect();
        gitlab_hosts.sort();
        gitlab_hosts.dedup();
        Ok(Self {
            directory: directory(environment)?,
            given: given(environment)?,
            runner: non_empty(environment, "CI_SERVER_TLS_CA_FILE").map(|value| {
                // Before GitLab Runner 16.6 the variable held the certificates themselves.
                match is_pem(&value) {
                    true => Place::Text(value),
                    false => Place::File(value.into()),
                }
            }),
            gitlab_registry,
            gitlab_hosts,
            ssl_cert_file: non_empty(environment, "SSL_CERT_FILE").map(PathBuf::from),
            probe: switch(environment, REGISTRY_PROBE.name)?,
        })
    }
}

fn directory(environment: Environment<'_>) -> Result<PathBuf, InvalidVariable> {
    let path = value(environment, &REGISTRY_CA_DIR).unwrap_or_default();
    match path.starts_with('/') {
        true => Ok(path.into()),
        false => Err(REGISTRY_CA_DIR.refuse(REGISTRY_CA_DIR.name, path)),
    }
}

fn given(environment: Environment<'_>) -> Result<Vec<Given>, InvalidVariable> {
    let entry = |name, item: &str| {
        if is_pem(item) {
            return Ok(text(item));
        }
        parse_item(item.trim()).ok_or_else(|| REGISTRY_CA.refuse(name, item.trim().to_owned()))
    };
    let split = |name, value: &str| {
        if is_pem(value) {
            return Ok(vec![text(value)]);
        }
        value
            .split([',', '\n'])
            .filter(|item| !item.trim().is_empty())
            .map(|item| entry(name, item))
            .collect()
    };
    inputs::entries(environment, &REGISTRY_CA, split, entry)
}

/// On its way through forms and templates a line break often becomes two characters.
fn text(pem: &str) -> Given {
    Given {
        host: None,
        place: Place::Text(pem.replace("\\n", "\n")),
    }
}

fn parse_item(item: &str) -> Option<Given> {
    let (host, path) = match item.split_once('=') {
        _ if item.starts_with('/') => (None, item),
        Some((host, path)) => (Some(RegistryHost::parse(host.trim())?), path.trim()),
        None => return None,
    };
    path.starts_with('/').then(|| Given {
        host,
        place: Place::File(path.into()),
    })
}

fn is_pem(value: &str) -> bool {
    value.contains("-----BEGIN ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(variables: &[(&str, &str)]) -> Result<RegistrySettings, InvalidVariable> {
        RegistrySettings::parse(&|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn host(text: &str) -> RegistryHost {
        RegistryHost::parse(text).unwrap()
    }

    #[test]
    fn without_any_variable_the_default_directory_is_read() {
        let settings = parse(&[("DIND_REGISTRY_CA", ""), ("CI_REGISTRY", "")]).unwrap();
        assert_eq!(settings.directory, PathBuf::from("/etc/dind/registry-ca"));
        assert!(settings.given.is_empty() && settings.gitlab_hosts.is_empty());
        assert!(!settings.probe);
    }

    #[test]
    fn the_component_s_input_is_an_array_of_the_same() {
        let array = r#"["/a.pem", "registry.example.com=/b.crt", "-----BEGIN C-----\nMII\n"]"#;
        let settings = parse(&[("DIND_INPUT_REGISTRY_CA", array)]).unwrap();
        let places: Vec<_> = settings.given.iter().map(|given| &given.place).collect();
        assert_eq!(
            places,
            [
                &Place::File("/a.pem".into()),
                &Place::File("/b.crt".into()),
                &Place::Text("-----BEGIN C-----\nMII\n".into()),
            ]
        );
        assert_eq!(
            settings.given[1].host,
            RegistryHost::parse("registry.example.com")
        );
        let error = parse(&[("DIND_INPUT_REGISTRY_CA", r#"["ca.pem"]"#)]).unwrap_err();
        assert_eq!(
            (error.name, error.value.as_str()),
            ("DIND_INPUT_REGISTRY_CA", "ca.pem")
        );
    }

    #[test]
    fn a_list_holds_paths_for_every_registry_and_for_one() {
        let list = "/a.pem, registry.example.com:5000 = /b.crt,\nregistry.example.com=/c=d.crt";
        let settings = parse(&[("DIND_REGISTRY_CA", list)]).unwrap();
        let given = |host: Option<&str>, path: &str| Given {
            host: host.map(|host| RegistryHost::parse(host).unwrap()),
            place: Place::File(path.into()),
        };
        assert_eq!(
            settings.given,
            [
                given(None, "/a.pem"),
                given(Some("registry.example.com:5000"), "/b.crt"),
                given(Some("registry.example.com"), "/c=d.crt"),
            ]
        );
    }

    #[test]
    fn certificates_may_stand_in_the_variables_themselves() {
        let pem = "-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----";
        let settings = parse(&[("DIND_REGISTRY_CA", pem), ("CI_SERVER_TLS_CA_FILE", pem)]).unwrap();
        let Place::Text(text) = &settings.given[0].place else {
            panic!("{settings:?}");
        };
        assert_eq!(text.lines().count(), 3);
        assert!(matches!(settings.runner, Some(Place::Text(_))));
        let late = parse(&[("CI_SERVER_TLS_CA_FILE", "/builds/g/p.tmp/CA")]).unwrap();
        assert_eq!(late.runner, Some(Place::File("/builds/g/p.tmp/CA".into())));
    }

    #[test]
    fn gitlab_s_hosts_are_named_once_each() {
        let settings = parse(&[
            ("CI_REGISTRY", "gitlab.example.com:5050"),
            ("CI_SERVER_HOST", "gitlab.example.com"),
            ("CI_DEPENDENCY_PROXY_SERVER", "gitlab.example.com"),
        ])
        .unwrap();
        let expected = ["gitlab.example.com", "gitlab.example.com:5050"].map(host);
        assert_eq!(settings.gitlab_hosts, expected);
        assert_eq!(
            settings.gitlab_registry,
            Some(host("gitlab.example.com:5050"))
        );
    }

    #[test]
    fn what_is_not_accepted_is_named() {
        for (name, value, accepted) in [
            ("DIND_REGISTRY_CA_DIR", "certs", "an absolute path"),
            ("DIND_REGISTRY_CA", "ca.pem", "host=path"),
            (
                "DIND_REGISTRY_CA",
                "registry.example.com=ca.pem",
                "host=path",
            ),
            ("DIND_REGISTRY_CA", "https://registry=/ca.pem", "host=path"),
            ("DIND_REGISTRY_PROBE", "often", "1 or 0"),
        ] {
            let message = parse(&[(name, value)]).unwrap_err().to_string();
            for part in [name, value, accepted] {
                assert!(message.contains(part), "{part} in {message}");
            }
        }
    }
}
