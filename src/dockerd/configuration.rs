//! What daemon.json sets that concerns our own flags.

use std::{collections::BTreeSet, path::Path};

use serde_json::{Map, Value};

use crate::system::directory;

/// Where dockerd looks unless `--config-file` names another place.
pub const DEFAULT_PATH: &str = "/etc/docker/daemon.json";

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
    fn only_what_is_set_counts() {
        let configuration = Configuration::parse(r#"{"hosts": ["fd://"], "group": "ci"}"#);
        assert!(configuration.keys().contains("hosts"));
        assert_eq!(configuration.group(), Some("ci"));
        for text in ["", "{", "[]", r#"{"group": 5}"#] {
            assert_eq!(Configuration::parse(text).group(), None, "{text}");
        }
    }
}
