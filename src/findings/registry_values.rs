//! Whether dockerd takes the mirrors and insecure registries that it is given. It ends where one is
//! wrong, and does not say where that came from.

use super::flags::{self, Correction};
use crate::{
    dockerd::{
        flags::Given,
        options::{Options, Origin, RegistryValue},
    },
    reasons::{Finding, Reason, daemon, hole::Hole, settings},
    settings::registry_values::{has_path, insecure_registry, mirror},
};

/// One finding for each value that dockerd does not take. `takes_paths`: this one takes mirrors
/// with a path.
pub fn findings(all: &[RegistryValue], given: &Given, takes_paths: bool) -> Vec<Finding> {
    let wrong = all.iter().filter_map(|value| {
        let complaint = complaint(value, takes_paths)?;
        Some(finding(value, complaint, all, given, takes_paths))
    });
    wrong.collect()
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

/// What dockerd does not like.
fn complaint(given: &RegistryValue, takes_paths: bool) -> Option<&'static str> {
    let judged = match is_mirror(given) {
        true if has_path(&given.value) && !takes_paths => {
            Err("has a path, which Docker takes from version 24 on")
        }
        true => mirror(&given.value),
        false => insecure_registry(&given.value),
    };
    judged.err()
}

fn is_mirror(given: &RegistryValue) -> bool {
    given.flag == "registry-mirror"
}

fn finding(
    wrong: &RegistryValue,
    complaint: &str,
    all: &[RegistryValue],
    given: &Given,
    takes_paths: bool,
) -> Finding {
    let RegistryValue {
        flag,
        value,
        origin,
    } = wrong;
    let better = better(value, is_mirror(wrong));
    let is_unset = value.is_empty() || value.contains('$');
    let cause = |place: &str| format!("{place} is {value:?}: it {complaint}.");
    let with_note = |change: String| match is_unset {
        true => format!("{change}\n{}", daemon::VARIABLES_OF_SERVICES),
        false => change,
    };
    let (reason, place, change): (&'static Reason, _, _) = match origin {
        Origin::File => {
            let key = match is_mirror(wrong) {
                true => "registry-mirrors",
                false => "insecure-registries",
            };
            let list = whole_list(wrong, all, takes_paths);
            let change = format!("In daemon.json:\n    \"{key}\": {list:?}");
            (&daemon::CONFIG, format!("{key} in daemon.json"), change)
        }
        Origin::Flag => {
            let place = format!("{flag} in dockerd's flags");
            let flag = format!("--{flag}");
            let all = corrections(all, takes_paths);
            if let Some(corrected) = flags::with_values(given, &all) {
                let advice = match is_unset {
                    true => daemon::FLAG_OF_A_VARIABLE,
                    false => daemon::FLAG_MEANT,
                };
                let data = [(Hole::Flag, flag), (Hole::Corrected, corrected)];
                return daemon::FLAG.advised(cause(&place), advice, data);
            }
            let change = format!(
                "In the service's `command` in .gitlab-ci.yml, in DIND_DOCKERD_ARGS, or where else \
                 the flag comes from:\n    {flag}={better}"
            );
            (&daemon::FLAG, place, change)
        }
        Origin::Variable => {
            let change = format!(
                "In .gitlab-ci.yml:\n    variables:\n      DIND_REGISTRY_MIRRORS: {better}"
            );
            let name = "DIND_REGISTRY_MIRRORS".to_owned();
            (&settings::INVALID, name, change)
        }
    };
    reason.found(cause(&place), with_note(change))
}

/// For all that is wrong among the flags: where one correction is pasted, none is lost.
fn corrections(all: &[RegistryValue], takes_paths: bool) -> Vec<Correction> {
    let of_flags = all.iter().filter(|given| given.origin == Origin::Flag);
    of_flags
        .filter(|given| complaint(given, takes_paths).is_some())
        .map(|given| Correction {
            flag: format!("--{}", given.flag),
            value: given.value.clone(),
            meant: better(&given.value, is_mirror(given)),
        })
        .collect()
}

/// The list of daemon.json that this value is in, with all that is wrong in it corrected, for the
/// same reason.
fn whole_list(wrong: &RegistryValue, all: &[RegistryValue], takes_paths: bool) -> Vec<String> {
    let list = all
        .iter()
        .filter(|given| (given.flag, given.origin) == (wrong.flag, wrong.origin));
    let corrected = list.map(|given| match complaint(given, takes_paths) {
        Some(_) => better(&given.value, is_mirror(given)),
        None => given.value.clone(),
    });
    corrected.collect()
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
        findings(&options.registries, &Given::new(&argv, ""), takes_paths)
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
                [
                    "is empty",
                    "command: [\"--insecure-registry=registry.example.com:5000\"]",
                ],
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
                [
                    "https://",
                    "command: [\"--registry-mirror\", \"https://mirror.test:5000\"]",
                ],
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
                r#"{"insecure-registries": ["10.0.0.0/8", "r.test/cnx"]}"#,
                "DAEMON-CONFIG",
                [
                    "insecure-registries in daemon.json",
                    "[\"10.0.0.0/8\", \"r.test\"]",
                ],
            ),
        ] {
            let found = judged(arguments, json, true);
            assert_eq!(found.len(), 1, "{arguments} {json}");
            assert_eq!(found[0].reason.id, id);
            let text = found[0].to_string();
            let text: Vec<_> = text.split_whitespace().collect();
            let text = text.join(" ");
            for word in words {
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
        let text = findings(&options.registries, &Given::default(), false)
            .remove(0)
            .to_string();
        assert!(text.contains("SETTINGS-INVALID"), "{text}");
        assert!(
            text.contains("DIND_REGISTRY_MIRRORS: https://m.test"),
            "{text}"
        );
    }
}
