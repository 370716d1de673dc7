//! Reports for programs, held against what their readers demand.

use std::collections::HashSet;

use serde_json::Value;

use crate::{Outcome, lint, lint_in};

/// A runner with a mistake and one without.
const VALUES: &str = include_str!("override-values.yaml");
const BROKEN: &str = "[[runners]\n";

fn report(format: &str, input: &str) -> Value {
    let Outcome { stdout, .. } = lint(&["--format", format, "-"], input.as_bytes());
    serde_json::from_str(&stdout).unwrap()
}

fn is_position(value: &Value) -> bool {
    value.as_u64().is_some_and(|number| number > 0)
}

/// What `sarif-schema-2.1.0.json` requires of the objects that are used, and what the standard says of
/// them in words (sections in brackets).
fn assert_sarif(log: &Value) {
    let only = |value: &Value, allowed: &[&str]| {
        let object = value.as_object().unwrap();
        for key in object.keys() {
            assert!(allowed.contains(&key.as_str()), "{key} in {value:#}");
        }
    };
    only(log, &["$schema", "version", "runs"]);
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    only(run, &["tool", "columnKind", "invocations", "results"]);
    assert!(["utf16CodeUnits", "unicodeCodePoints"].contains(&run["columnKind"].as_str().unwrap()));
    let driver = &run["tool"]["driver"];
    only(driver, &["name", "version", "rules"]);
    assert!(driver["name"].is_string());
    let rules = driver["rules"].as_array().unwrap();
    let levels = ["none", "note", "warning", "error"];
    let mut ids = HashSet::new();
    for rule in rules {
        only(
            rule,
            &["id", "shortDescription", "help", "defaultConfiguration"],
        );
        // Unique (3.19.23).
        assert!(ids.insert(rule["id"].as_str().unwrap()));
        assert!(rule["shortDescription"]["text"].is_string() && rule["help"]["text"].is_string());
        assert!(levels.contains(&rule["defaultConfiguration"]["level"].as_str().unwrap()));
    }
    let location = |location: &Value| {
        only(location, &["id", "message", "physicalLocation"]);
        let physical = &location["physicalLocation"];
        only(physical, &["artifactLocation", "region"]);
        // A URI reference, relative ones not rooted (3.4.3).
        let uri = physical["artifactLocation"]["uri"].as_str().unwrap();
        let is_allowed = |it: u8| it.is_ascii_alphanumeric() || b"-._~/%".contains(&it);
        assert!(!uri.is_empty() && uri.bytes().all(is_allowed), "{uri}");
        let region = &physical["region"];
        only(
            region,
            &["startLine", "startColumn", "endLine", "endColumn"],
        );
        assert!(
            region.as_object().unwrap().values().all(is_position),
            "{region:#}"
        );
        let end = |line: &str, column: &str| (region[line].as_u64(), region[column].as_u64());
        assert!(end("startLine", "startColumn") <= end("endLine", "endColumn"));
    };
    for result in run["results"].as_array().unwrap() {
        only(
            result,
            &[
                "ruleId",
                "ruleIndex",
                "level",
                "message",
                "locations",
                "relatedLocations",
                "partialFingerprints",
            ],
        );
        // The index is that of the id's rule (3.27.6).
        let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(result["ruleId"], rule["id"]);
        assert!(levels.contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        result["locations"]
            .as_array()
            .unwrap()
            .iter()
            .for_each(location);
        let related = result["relatedLocations"].as_array().unwrap();
        related.iter().for_each(location);
        let numbers: HashSet<_> = related
            .iter()
            .map(|it| it["id"].as_u64().unwrap())
            .collect();
        // Unique within the result (3.28.2).
        assert_eq!(numbers.len(), related.len());
        let prints = result["partialFingerprints"].as_object().unwrap();
        assert!(prints.values().all(Value::is_string));
    }
    let invocation = &run["invocations"][0];
    only(
        invocation,
        &["executionSuccessful", "toolExecutionNotifications"],
    );
    assert!(invocation["executionSuccessful"].is_boolean());
    for notification in invocation["toolExecutionNotifications"].as_array().unwrap() {
        only(
            notification,
            &["descriptor", "level", "message", "locations"],
        );
        assert!(levels.contains(&notification["level"].as_str().unwrap()));
        assert!(notification["message"]["text"].is_string());
        notification["locations"]
            .as_array()
            .unwrap()
            .iter()
            .for_each(location);
    }
}

#[test]
fn sarif_is_as_the_standard_has_it() {
    let found = report("sarif", VALUES);
    assert_sarif(&found);
    assert_eq!(found["runs"][0]["results"][0]["ruleId"], "CERTS-READONLY");
    let broken = report("sarif", BROKEN);
    assert_sarif(&broken);
    let invocation = &broken["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(
        invocation["toolExecutionNotifications"][0]["level"],
        "error"
    );
    assert_sarif(&report("sarif", "a: 1\n"));
}

#[test]
fn json_is_as_the_documentation_has_it() {
    let report = report("json", VALUES);
    assert_eq!(report["version"], 1);
    assert_eq!(report["judged"]["runners"], 2);
    assert_eq!(report["ignored"], 0);
    // Every field is in the document, and none but those.
    let document = include_str!("../../docs/lint.md");
    let json = document
        .split("```json\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let documented: Value = serde_json::from_str(json).unwrap();
    assert_eq!(keys(&documented), keys(&report));
}

/// The names of the fields of an object, and of what is in it.
fn keys(value: &Value) -> Vec<String> {
    let mut names = Vec::new();
    if let Value::Object(object) = value {
        for (name, value) in object {
            names.push(name.clone());
            // Lists may be empty in one of them.
            if name == "findings" {
                names.extend(
                    keys(&value[0])
                        .into_iter()
                        .map(|it| format!("findings.{it}")),
                );
            } else if !value.is_array() {
                names.extend(keys(value).into_iter().map(|it| format!("{name}.{it}")));
            }
        }
    }
    names
}

#[test]
fn code_quality_has_paths_of_the_repository_and_prints_that_last() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("values.yaml");
    std::fs::write(&path, VALUES).unwrap();
    let report = |name: &str| {
        let outcome = lint_in(directory.path(), &["--format", "codequality", name], b"");
        let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
        report[0].clone()
    };
    let absolute = report(path.to_str().unwrap());
    assert_eq!(absolute["location"]["path"], "values.yaml");
    assert_eq!(absolute, report("./values.yaml"));
    // Lines above move it, and it is still the same one.
    std::fs::write(&path, format!("# new\n{VALUES}")).unwrap();
    let moved = report("values.yaml");
    assert_ne!(moved["location"], absolute["location"]);
    assert_eq!(moved["fingerprint"], absolute["fingerprint"]);
}

#[test]
fn the_hooks_of_pre_commit_have_what_it_asks_for() {
    let hooks = include_str!("../../.pre-commit-hooks.yaml");
    let hooks: Vec<serde_yaml_ng::Mapping> = serde_yaml_ng::from_str(hooks).unwrap();
    assert_eq!(hooks.len(), 2);
    for hook in hooks {
        for key in ["id", "name", "entry", "language", "files"] {
            assert!(hook[key].is_string(), "{key} in {hook:?}");
        }
        assert_eq!(hook["entry"], "dind-init lint");
        // Files are judged together, so it must not get some of them.
        assert_eq!(hook["pass_filenames"], false);
    }
}
