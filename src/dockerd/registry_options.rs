//! Mirrors and insecure registries from variables, added to what flags and daemon.json say.
//!
//! dockerd ends where one of these lists is in both, so a list that daemon.json has is completed
//! there, in a copy: the user's file is not touched.

use std::ffi::OsString;

use serde_json::{Map, Value};

use super::{configuration::Configuration, options::flags};
use crate::settings::RegistryOptions;

/// What dockerd gets for them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completion {
    pub flags: Vec<OsString>,
    /// All of daemon.json, completed, where it has one of the lists.
    pub configuration: Option<Map<String, Value>>,
}

/// Adds what neither `argv` nor `configuration` has of what is `wanted`.
pub fn complete(
    wanted: &RegistryOptions,
    argv: &[OsString],
    configuration: &Configuration,
) -> Completion {
    let mut completion = Completion::default();
    for (entries, flag, key) in [
        (&wanted.mirrors, "registry-mirror", "registry-mirrors"),
        (&wanted.insecure, "insecure-registry", "insecure-registries"),
    ] {
        let given = flags(argv, flag, None);
        let new = |known: &[String]| {
            let is_known = |url: &String| known.iter().any(|k| same(k, url));
            let new = entries.iter().filter(|url| !is_known(url));
            new.cloned().collect::<Vec<_>>()
        };
        match configuration.value(key) {
            None => {
                let new = new(&given);
                let new = new.iter().map(|url| format!("--{flag}={url}").into());
                completion.flags.extend(new);
            }
            // In both already: dockerd names them better than we could.
            Some(_) if !given.is_empty() => {}
            Some(Value::Array(list)) => {
                let known: Vec<String> = list
                    .iter()
                    .filter_map(|value| value.as_str().map(str::to_owned))
                    .collect();
                let new = new(&known);
                if !new.is_empty() {
                    let mut list = list.clone();
                    list.extend(new.into_iter().map(Value::String));
                    completion
                        .configuration
                        .get_or_insert_with(|| configuration.values().clone())
                        .insert(key.into(), Value::Array(list));
                }
            }
            // No list, which dockerd says itself.
            Some(_) => {}
        }
    }
    completion
}

/// dockerd adds the slash itself.
fn same(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(arguments: &str, daemon_json: &str) -> (String, Option<String>) {
        let registries = RegistryOptions {
            mirrors: vec!["https://a.example".into(), "https://b.example".into()],
            insecure: vec!["c.example:5000".into()],
        };
        let argv: Vec<_> = arguments.split_whitespace().map(Into::into).collect();
        let completion = complete(&registries, &argv, &Configuration::parse(daemon_json));
        let flags: Vec<_> = completion
            .flags
            .iter()
            .map(|f| f.to_str().unwrap())
            .collect();
        let text = completion
            .configuration
            .map(|map| Value::Object(map).to_string());
        (flags.join(" "), text)
    }

    #[test]
    fn what_nobody_gave_comes_by_flags() {
        let all = "--registry-mirror=https://a.example --registry-mirror=https://b.example \
                   --insecure-registry=c.example:5000";
        assert_eq!(completed("", r#"{"debug": true}"#), (all.into(), None));
        let given = completed(
            "--registry-mirror https://a.example/ --insecure-registry=d",
            "",
        );
        let rest = "--registry-mirror=https://b.example --insecure-registry=c.example:5000";
        assert_eq!(given, (rest.into(), None));
    }

    #[test]
    fn a_list_of_daemon_json_is_completed_there_and_the_rest_stays() {
        let json =
            r#"{"debug":true,"registry-mirrors":["https://a.example/","https://x.example"]}"#;
        let (flags, file) = completed("", json);
        assert_eq!(flags, "--insecure-registry=c.example:5000");
        let expected = r#"{"debug":true,"registry-mirrors":["https://a.example/","https://x.example","https://b.example"]}"#;
        assert_eq!(file.as_deref(), Some(expected));
    }

    #[test]
    fn where_there_is_nothing_to_add_nothing_changes() {
        let json = r#"{"registry-mirrors": ["https://a.example", "https://b.example"],
                       "insecure-registries": ["c.example:5000"]}"#;
        assert_eq!(completed("", json), (String::new(), None));
        let none = complete(
            &RegistryOptions::default(),
            &[],
            &Configuration::parse(json),
        );
        assert_eq!(none, Completion::default());
    }

    #[test]
    fn what_dockerd_refuses_anyway_is_left_to_it() {
        let both = completed(
            "--registry-mirror=https://f.example",
            r#"{"registry-mirrors": []}"#,
        );
        assert_eq!(both, ("--insecure-registry=c.example:5000".into(), None));
        let no_list = completed("", r#"{"registry-mirrors": "https://f.example"}"#);
        assert_eq!(no_list, ("--insecure-registry=c.example:5000".into(), None));
    }
}
