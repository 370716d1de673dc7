//! Whether dockerd takes the mirrors and insecure registries that it is given. It ends where one is
//! wrong, and does not say where that came from.

use crate::{
    dockerd::options::{Options, Origin, RegistryValue},
    reasons::{Finding, Reason, daemon, settings},
    settings::registry_values::{has_path, insecure_registry, mirror},
};

/// One finding for each value that dockerd does not take. `takes_paths`: this one takes mirrors
/// with a path.
pub fn findings(options: &Options, takes_paths: bool) -> Vec<Finding> {
    let judged = options.registries.iter();
    judged
        .filter_map(|value| wrong(value, takes_paths))
        .collect()
}

/// The mirrors of variables, which become flags.
pub fn of_variables(mirrors: &[String]) -> impl Iterator<Item = RegistryValue> {
    mirrors.iter().map(|mirror| RegistryValue {
        flag: "registry-mirror",
        value: mirror.clone(),
        origin: Origin::Variable,
    })
}

/// Whether any mirror has a path, so that it matters what this dockerd takes.
pub fn have_paths(options: &Options) -> bool {
    let mut mirrors = options
        .registries
        .iter()
        .filter(|value| value.flag == "registry-mirror");
    mirrors.any(|mirror| has_path(&mirror.value))
}

fn wrong(given: &RegistryValue, takes_paths: bool) -> Option<Finding> {
    let RegistryValue {
        flag,
        value,
        origin,
    } = given;
    let is_mirror = *flag == "registry-mirror";
    let complaint = match is_mirror {
        true if has_path(value) && !takes_paths => {
            Err("has a path, which Docker takes from version 24 on")
        }
        true => mirror(value),
        false => insecure_registry(value),
    };
    let complaint = complaint.err()?;
    let better = better(value, is_mirror);
    let (reason, name, change): (&'static Reason, _, _) = match origin {
        Origin::File => {
            let key = match is_mirror {
                true => "registry-mirrors",
                false => "insecure-registries",
            };
            let change = format!("In daemon.json:\n    \"{key}\": [\"{better}\"]");
            (&daemon::CONFIG, format!("{key} in daemon.json"), change)
        }
        Origin::Flag => {
            let change = format!(
                "In the service's `command` in .gitlab-ci.yml, in DIND_DOCKERD_ARGS, or where else \
                 the flag comes from:\n    --{flag}={better}"
            );
            (&daemon::FLAG, format!("{flag} in dockerd's flags"), change)
        }
        Origin::Variable => {
            let change = format!(
                "In .gitlab-ci.yml:\n    variables:\n      DIND_REGISTRY_MIRRORS: {better}"
            );
            let name = "DIND_REGISTRY_MIRRORS".to_owned();
            (&settings::INVALID, name, change)
        }
    };
    let note = match value.is_empty() || value.contains('$') {
        true => {
            "\nServices get the variables of .gitlab-ci.yml, and none that is set in GitLab's user \
             interface."
        }
        false => "",
    };
    Some(reason.found(
        format!("{name} is {value:?}: it {complaint}."),
        format!("{change}{note}"),
    ))
}

/// What was most likely meant.
fn better(value: &str, is_mirror: bool) -> String {
    let (scheme, rest) = match value.split_once("://") {
        Some((scheme, rest)) => (scheme, rest),
        None => ("https", value),
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    match (is_mirror, host.is_empty() || host.contains('$')) {
        (true, true) => "https://mirror.example.com".to_owned(),
        (false, true) => "registry.example.com:5000".to_owned(),
        (true, false) if scheme == "http" => format!("http://{host}"),
        (true, false) => format!("https://{host}"),
        (false, false) => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerd::configuration::Configuration;

    fn judged(arguments: &str, json: &str, takes_paths: bool) -> Vec<Finding> {
        let argv: Vec<_> = arguments.split_whitespace().map(Into::into).collect();
        let options = Options::new(&argv, &Configuration::parse(json), &|_| None, true);
        findings(&options, takes_paths)
    }

    #[test]
    fn what_dockerd_takes_is_no_finding() {
        for (arguments, json) in [
            ("", ""),
            (
                "--insecure-registry=r:5000 --registry-mirror=https://m/hub/",
                "",
            ),
            (
                "",
                r#"{"insecure-registries": ["10.0.0.0/8"], "registry-mirrors": ["http://m"]}"#,
            ),
        ] {
            assert_eq!(judged(arguments, json, true), [], "{arguments} {json}");
        }
    }

    #[test]
    fn what_dockerd_ends_for_is_told_with_its_place_and_what_to_write() {
        for (arguments, json, id, words) in [
            (
                "--insecure-registry=",
                "",
                "DAEMON-FLAG",
                ["is empty", "--insecure-registry=registry.example.com:5000"],
            ),
            (
                "--insecure-registry=$REGISTRY",
                "",
                "DAEMON-FLAG",
                ["$REGISTRY", "user interface"],
            ),
            (
                "--insecure-registry=registry.test:5000/group",
                "",
                "DAEMON-FLAG",
                ["has a path", "--insecure-registry=registry.test:5000"],
            ),
            (
                "--registry-mirror mirror.test:5000",
                "",
                "DAEMON-FLAG",
                ["https://", "--registry-mirror=https://mirror.test:5000"],
            ),
            (
                "",
                r#"{"registry-mirrors": ["mirror.test:5000"]}"#,
                "DAEMON-CONFIG",
                [
                    "registry-mirrors in daemon.json",
                    "[\"https://mirror.test:5000\"]",
                ],
            ),
            (
                "",
                r#"{"insecure-registries": ["r.test/cnx"]}"#,
                "DAEMON-CONFIG",
                ["insecure-registries in daemon.json", "[\"r.test\"]"],
            ),
        ] {
            let found = judged(arguments, json, true);
            assert_eq!(found.len(), 1, "{arguments} {json}");
            assert_eq!(found[0].reason.id, id);
            for word in words {
                let text = found[0].to_string();
                assert!(text.contains(word), "{word} in {text}");
            }
        }
    }

    #[test]
    fn an_old_docker_takes_no_mirror_with_a_path() {
        let arguments = "--registry-mirror=https://m.test/docker-hub/";
        assert_eq!(judged(arguments, "", true), []);
        let text = judged(arguments, "", false).remove(0).to_string();
        assert!(text.contains("from version 24 on"), "{text}");
        assert!(text.contains("--registry-mirror=https://m.test"), "{text}");
        let mut options = Options::new(&[], &Configuration::default(), &|_| None, true);
        options.registries = of_variables(&["https://m.test/docker-hub/".into()]).collect();
        assert!(have_paths(&options));
        let text = findings(&options, false).remove(0).to_string();
        assert!(text.contains("SETTINGS-INVALID"), "{text}");
        assert!(
            text.contains("DIND_REGISTRY_MIRRORS: https://m.test"),
            "{text}"
        );
    }
}
