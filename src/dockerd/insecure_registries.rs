//! The registries with which dockerd may speak without TLS.
//!
//! It tries TLS first even there, and logs that it failed, as if that were the end.

use std::{collections::BTreeSet, ffi::OsString};

use serde_json::Value;

use super::{configuration::Configuration, options::flags};

/// What `--insecure-registry` and daemon.json say.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct InsecureRegistries {
    /// As image references name them, in lower case.
    hosts: BTreeSet<String>,
    /// Ranges of addresses, in which any name may lie: dockerd looks the name up.
    has_ranges: bool,
}

impl InsecureRegistries {
    pub fn new(argv: &[OsString], configuration: &Configuration) -> Self {
        let of_the_file = configuration
            .value("insecure-registries")
            .and_then(Value::as_array);
        let of_the_file = of_the_file.into_iter().flatten().filter_map(Value::as_str);
        let mut registries = Self::default();
        let given = flags(argv, "insecure-registry", None);
        for entry in given.iter().map(String::as_str).chain(of_the_file) {
            registries.has_ranges |= entry.contains('/') && !entry.contains("://");
            // dockerd takes a scheme off (moby `registry/config.go`).
            let host = entry.split_once("://").map_or(entry, |(_, host)| host);
            registries.hosts.insert(host.to_ascii_lowercase());
        }
        registries
    }

    /// Whether dockerd goes on without TLS after this line, which has an address and is in lower
    /// case.
    pub fn may_go_on_after(&self, line: &str) -> bool {
        let host = line.split_once("https://").map(|(_, rest)| {
            let end = rest.find(['/', '"', ' ']).unwrap_or(rest.len());
            &rest[..end]
        });
        self.has_ranges || host.is_some_and(|host| self.hosts.contains(host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "attempting next endpoint for push after error: get \
                        \"https://reg.test:5000/v2/\": http: server gave http response to https client";

    #[test]
    fn only_what_was_declared_may_go_on() {
        for (arguments, json, may) in [
            ("", "", false),
            ("--insecure-registry=reg.test:5000", "", true),
            ("--insecure-registry http://Reg.test:5000", "", true),
            ("", r#"{"insecure-registries": ["reg.test:5000"]}"#, true),
            // The name may have an address in it.
            ("--insecure-registry=10.0.0.0/8", "", true),
            ("--insecure-registry=reg.test", "", false),
            ("--insecure-registry=other.test:5000", "", false),
        ] {
            let argv: Vec<_> = arguments.split_whitespace().map(Into::into).collect();
            let registries = InsecureRegistries::new(&argv, &Configuration::parse(json));
            assert_eq!(registries.may_go_on_after(LINE), may, "{arguments} {json}");
        }
    }
}
