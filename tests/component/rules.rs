//! What GitLab, a company's own `default:` and a runner ask of the template.

use serde_yaml_ng::{Deserializer, Mapping, Value};

use serde::Deserialize;

use crate::template;

/// The header and the body.
fn documents() -> (Mapping, Mapping) {
    let text = template::render("dind");
    let mut documents =
        Deserializer::from_str(&text).map(|document| Mapping::deserialize(document).unwrap());
    let header = documents.next().unwrap();
    let body = documents.next().unwrap();
    assert!(documents.next().is_none());
    (header, body)
}

fn inputs() -> Mapping {
    let (header, _) = documents();
    // `spec:component` and others would not work with `include: local`.
    assert_eq!(header.keys().collect::<Vec<_>>(), ["spec"]);
    let spec = header["spec"].as_mapping().unwrap();
    assert_eq!(spec.keys().collect::<Vec<_>>(), ["inputs"]);
    spec["inputs"].as_mapping().unwrap().clone()
}

#[test]
fn every_input_is_described_has_a_default_and_says_what_it_takes() {
    for (name, input) in inputs() {
        let name = name.as_str().unwrap();
        let description = input["description"].as_str().unwrap();
        assert!(
            description.ends_with('.') || description.contains(':'),
            "{name}"
        );
        let kind = input
            .get("type")
            .map_or("string", |kind| kind.as_str().unwrap());
        match (&input["default"], kind) {
            (Value::String(_), "string")
            | (Value::Number(_), "number")
            | (Value::Bool(_), "boolean")
            | (Value::Sequence(_), "array") => {}
            other => panic!("{name}: {other:?}"),
        }
        let options = input
            .get("options")
            .map(|options| options.as_sequence().unwrap());
        let regex = input.get("regex").map(|regex| regex.as_str().unwrap());
        if let Some(options) = options {
            assert!(
                options.len() <= 50 && options.contains(&input["default"]),
                "{name}"
            );
        }
        if let Some(regex) = regex {
            // RE2 has neither looks around nor back references; and all of the value is meant.
            assert!(regex.starts_with('^') && regex.ends_with('$'), "{name}");
            assert!(!regex.contains("(?") && !regex.contains("\\1"), "{name}");
        }
        let is_bounded = options.is_some() || regex.is_some();
        assert_eq!(is_bounded, kind == "string", "{name}: what does it take?");
    }
}

#[test]
fn every_input_is_used_and_every_block_names_one() {
    let text = template::render("dind");
    let (_, body) = text.split_once("\n---\n").unwrap();
    let blocks: Vec<&str> = body
        .split("$[[")
        .skip(1)
        .map(|rest| rest.split_once("]]").unwrap().0.trim())
        .collect();
    // GitLab's limits: 1 KB a block, 1 MB a string that holds one.
    assert!(blocks.iter().all(|block| block.len() < 1024) && body.len() < 1 << 20);
    let inputs = inputs();
    let known: Vec<_> = inputs.keys().map(|name| name.as_str().unwrap()).collect();
    for block in &blocks {
        let name = block.strip_prefix("inputs.").unwrap();
        assert!(known.contains(&name), "{block}");
    }
    for name in known {
        assert!(
            blocks.contains(&format!("inputs.{name}").as_str()),
            "{name} does nothing"
        );
    }
}

#[test]
fn nothing_is_global_and_nothing_of_a_company_s_default_is_overridden() {
    let (_, body) = documents();
    for (name, job) in body {
        let name = name.as_str().unwrap();
        assert!(
            name.starts_with("$[[ inputs.name ]]"),
            "{name} is not hidden"
        );
        let keys: Vec<_> = job.as_mapping().unwrap().keys().collect();
        let allowed: &[&str] = match name.strip_prefix("$[[ inputs.name ]]").unwrap() {
            "" => &["extends", "variables", "hooks"],
            "-wait" | "-report" => &["script"],
            // Only by the input `report`, which says so.
            "-report-true" => &["after_script"],
            _ => &["variables", "services"],
        };
        for key in keys {
            assert!(allowed.contains(&key.as_str().unwrap()), "{name}: {key:?}");
        }
    }
}

/// A runner expands a value once, against the values as they are written.
#[test]
fn variables_are_literal_or_made_of_what_the_runner_itself_sets() {
    const OF_THE_RUNNER: [&str; 2] = ["CI_BUILDS_DIR", "CI_JOB_ID"];
    let (_, body) = documents();
    let mut references = 0;
    for (name, job) in &body {
        let Some(variables) = job.get("variables").and_then(Value::as_mapping) else {
            continue;
        };
        for (variable, value) in variables {
            let value = value
                .as_str()
                .unwrap_or_else(|| panic!("{name:?}: {variable:?}"));
            for reference in value.replace("$[[", "").split('$').skip(1) {
                let end = reference.find(|c: char| !c.is_ascii_uppercase() && c != '_');
                let reference = &reference[..end.unwrap_or(reference.len())];
                assert!(
                    OF_THE_RUNNER.contains(&reference),
                    "{variable:?}: {reference}"
                );
                references += 1;
            }
        }
    }
    assert!(references > 4, "there is nothing to check");
}

/// GitLab puts inputs into the text before it reads that as YAML: strings as they are, the others as
/// JSON (lib/gitlab/ci/config/interpolation/text_template.rb). Older versions, and the interpreter,
/// do it in each string of the YAML that was read; tests/component/inputs.rs shows that.
#[test]
fn inputs_that_are_put_into_the_text_give_the_same() {
    let text = template::render("dind");
    let (_, body) = text.split_once("\n---\n").unwrap();
    let mut body = body.to_owned();
    let given = [
        (
            "dockerd-args",
            r#"["--label=a b","tag='x' #1","\"q\": {}"]"#,
        ),
        (
            "registry-ca",
            r#"["-----BEGIN C-----\nMII\n","a.example=$CA"]"#,
        ),
        ("extra-services", r#"[{"name":"postgres:16","alias":"db"}]"#),
    ];
    for (name, input) in inputs() {
        let name = name.as_str().unwrap();
        let given = given.iter().find(|(known, _)| *known == name);
        let value = match (given, &input["default"]) {
            (Some((_, json)), _) => (*json).to_owned(),
            (None, Value::String(text)) => text.clone(),
            (None, Value::Sequence(empty)) if empty.is_empty() => "[]".to_owned(),
            (None, Value::Number(number)) => number.to_string(),
            (None, Value::Bool(bool)) => bool.to_string(),
            other => panic!("{name}: {other:?}"),
        };
        body = body.replace(&format!("$[[ inputs.{name} ]]"), &value);
    }
    let body: Value = serde_yaml_ng::from_str(&body).unwrap();
    let variables = &body[".dind"]["variables"];
    assert_eq!(variables["DIND_WAIT_TIMEOUT"], "120");
    assert_eq!(variables["DIND_INPUT_DEBUG"], "false");
    assert_eq!(variables["DIND_INPUT_REGISTRY_MIRRORS"], "[]\n");
    for (name, json) in &given[..2] {
        let variable = format!("DIND_INPUT_{}", name.to_uppercase().replace('-', "_"));
        assert_eq!(variables[variable.as_str()], format!("{json}\n"));
    }
    // The interpreter takes a service's pull policy away.
    for (policy, expected) in [
        ("runner", None),
        ("always", Some("always")),
        ("if-not-present", Some("if-not-present")),
        ("never", Some("never")),
    ] {
        let mut service = body[format!(".dind-pull-{policy}").as_str()]["services"][0].clone();
        service.apply_merge().unwrap();
        assert_eq!(service.get("pull_policy").and_then(Value::as_str), expected);
        assert_eq!(service["alias"], "docker", "{policy}");
    }
    let services = &body[".dind-pull-runner"]["services"];
    assert_eq!(services[0]["alias"], "docker");
    assert_eq!(services[1][0]["name"], "postgres:16");
    for parent in body[".dind"]["extends"].as_sequence().unwrap() {
        assert!(body.get(parent).is_some(), "{parent:?}");
    }
    for (part, script) in [
        (
            &body[".dind"]["hooks"]["pre_get_sources_script"],
            ".dind-wait",
        ),
        (&body[".dind-report-true"]["after_script"], ".dind-report"),
    ] {
        assert_eq!(part, &body[script]["script"]);
    }
}
