//! What daemon.json sets that concerns our own flags.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use crate::{
    settings::{Environment, non_empty},
    system::directory,
};

/// Where dockerd looks unless `--config-file` names another place.
pub const DEFAULT_PATH: &str = "/etc/docker/daemon.json";

/// Where dockerd reads it: `config_file` is the flag's, if there is one.
pub fn path(config_file: Option<&str>, is_root: bool, environment: Environment<'_>) -> PathBuf {
    match config_file {
        Some(path) => path.into(),
        None if is_root => DEFAULT_PATH.into(),
        None => path_without_root(environment),
    }
}

/// Where it looks instead behind rootlesskit (moby `daemon/command/config_unix.go`,
/// `getDefaultDaemonConfigDir`; `pkg/homedir`).
pub fn path_without_root(environment: Environment<'_>) -> PathBuf {
    let home = || non_empty(environment, "HOME").map(|home| Path::new(&home).join(".config"));
    let directory = non_empty(environment, "XDG_CONFIG_HOME").map(PathBuf::from);
    let directory = directory.or_else(home).unwrap_or_default();
    directory.join("docker/daemon.json")
}

/// The settings of daemon.json.
///
/// A file that does not parse is left to dockerd, which names the error and its place.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Configuration(Map<String, Value>);

impl Configuration {
    pub fn read(path: &Path) -> Self {
        let content = directory::read(path, directory::LIMIT).unwrap_or_default();
        Self::parse(&String::from_utf8_lossy(&content))
    }

    pub fn parse(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    /// The keys that are set. dockerd refuses to start when one of them is also given as a flag.
    pub fn keys(&self) -> BTreeSet<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// All of it.
    pub fn values(&self) -> &Map<String, Value> {
        &self.0
    }

    /// What a key is set to.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The group of the unix socket.
    pub fn group(&self) -> Option<&str> {
        self.0.get("group")?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_root_it_is_the_user_s_own() {
        for (variables, path) in [
            (
                &[("HOME", "/home/r")][..],
                "/home/r/.config/docker/daemon.json",
            ),
            (
                &[("HOME", "/home/r"), ("XDG_CONFIG_HOME", "/c")],
                "/c/docker/daemon.json",
            ),
        ] {
            let environment = |name: &str| {
                let found = variables.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(path_without_root(&environment), Path::new(path));
        }
    }

    #[test]
    fn only_what_is_set_counts() {
        let configuration = Configuration::parse(r#"{"hosts": ["fd://"], "group": "ci"}"#);
        assert!(configuration.keys().contains("hosts"));
        assert_eq!(configuration.group(), Some("ci"));
        for text in ["", "{", "[]", r#"{"group": 5}"#] {
            assert_eq!(Configuration::parse(text).group(), None, "{text}");
        }
    }
}
