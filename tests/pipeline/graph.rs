//! No tag before the tests: what every job that makes a tag or a release waits for.

use std::collections::BTreeSet;

use serde_yaml_ng::{Mapping, Value};

use crate::checkout::Checkout;
use crate::preview::{Preview, interpret, script};

/// What a job says in its script that has to have passed, all of it.
const CHECKS: [&str; 13] = [
    "release/pins.sh check",
    "make check",
    "make targets",
    ".ci/suite unit",
    ".ci/suite e2e",
    ".ci/suite documents",
    ".ci/suite component",
    ".ci/suite compliance",
    ".ci/suite busybox",
    ".ci/suite release",
    "release/test.sh e2e $DOCKER dind",
    "release/test.sh compliance $DOCKER dind",
    "release/test.sh rootless $DOCKER dind-rootless",
];

/// The component's own job is known by its service, the candidate.
const SELF_TEST_SERVICE: &str = "$CI_REGISTRY_IMAGE/candidate:";

#[test]
fn the_interpreter_lists_the_jobs() {
    let listed = interpret(&Checkout::new(), "--list");
    let listed = String::from_utf8(listed).unwrap();
    for job in ["lint", "component", "binary: [arm64]", "candidate: ["] {
        assert!(listed.lines().any(|line| line.starts_with(job)), "{listed}");
    }
}

#[test]
fn no_tag_and_no_release_is_made_before_everything_has_passed() {
    let pipeline = Preview::read();
    assert_eq!(publishing_jobs(&pipeline), ["promote", "release"]);
    assert_eq!(gaps(&pipeline), [""; 0]);
}

/// Each of these is a way in which the guarantee gets lost unnoticed.
#[test]
fn control_a_pipeline_with_a_gap_is_found() {
    let whole = Preview::read();
    let without_need = |needed: &str| {
        let mut pipeline = whole.clone();
        needs_of(&mut pipeline, "promote").retain(|need| need["job"] != needed);
        pipeline
    };
    for needed in [
        "images",
        "lint",
        "unit",
        "targets",
        "e2e",
        "documents",
        "component:local",
        "compliance",
        "e2e:candidate",
        "compliance:candidate",
        "rootless:candidate",
        "component",
    ] {
        let gaps = gaps(&without_need(needed));
        for publishing in ["promote", "release"] {
            let is_named = gaps.iter().any(|gap| gap.starts_with(publishing));
            assert!(is_named, "{publishing} without {needed}");
        }
    }

    let mut optional = whole.clone();
    let need = &mut needs_of(&mut optional, "promote")[0];
    need["optional"] = true.into();
    assert_ne!(gaps(&optional), [""; 0]);

    for (key, value) in [("allow_failure", true.into()), ("when", "manual".into())] {
        let mut pipeline = whole.clone();
        pipeline.job_mut("e2e:candidate").insert(key.into(), value);
        assert_ne!(gaps(&pipeline), [""; 0], "{key}");
    }
    let mut by_rule = whole.clone();
    by_rule.job_mut("compliance:candidate")["rules"][1]["allow_failure"] = true.into();
    assert_ne!(gaps(&by_rule), [""; 0]);

    let mut other_work = whole.clone();
    let nothing = Value::Sequence(vec!["true".into()]);
    other_work.job_mut("compliance")["script"] = nothing;
    assert_ne!(gaps(&other_work), [""; 0]);

    let mut another = whole.clone();
    let mut hasty = Mapping::new();
    let line = "release/promote.sh 1.2.3".into();
    hasty.insert("script".into(), Value::Sequence(vec![line]));
    another.0.insert("hasty".into(), hasty.into());
    assert_eq!(gaps(&another).len(), CHECKS.len() + 1);
}

fn needs_of<'a>(pipeline: &'a mut Preview, job: &str) -> &'a mut Vec<Value> {
    pipeline.job_mut(job)["needs"].as_sequence_mut().unwrap()
}

/// What some publishing job does not wait for, in words.
fn gaps(pipeline: &Preview) -> Vec<String> {
    let mut gaps = Vec::new();
    for publishing in publishing_jobs(pipeline) {
        let awaited = awaited_by(pipeline, publishing);
        let awaited: Vec<_> = awaited.iter().map(|name| pipeline.job(name)).collect();
        for check in CHECKS {
            let passes = |job: &&Value| script(job).lines().any(|line| line == check);
            if !awaited.iter().any(passes) {
                gaps.push(format!("{publishing} does not wait for `{check}`"));
            }
        }
        if !awaited.iter().any(|job| is_self_test(job)) {
            gaps.push(format!("{publishing} does not wait for the component"));
        }
    }
    gaps
}

/// The jobs that make a tag or a release.
fn publishing_jobs(pipeline: &Preview) -> Vec<&str> {
    let jobs = pipeline.jobs();
    let jobs =
        jobs.filter(|(_, job)| job.get("release").is_some() || script(job).contains("promote.sh"));
    jobs.map(|(name, _)| name).collect()
}

/// The jobs without whose success this one is not started: its needs, and theirs.
fn awaited_by<'a>(pipeline: &'a Preview, job: &'a str) -> BTreeSet<&'a str> {
    let mut awaited = BTreeSet::new();
    let mut open = vec![job];
    while let Some(name) = open.pop() {
        let needs = pipeline.job(name)["needs"].as_sequence();
        for need in needs.into_iter().flatten() {
            let name = need["job"].as_str().unwrap();
            let is_optional = need["optional"].as_bool() == Some(true);
            if !is_optional && is_blocking(pipeline.job(name)) && awaited.insert(name) {
                open.push(name);
            }
        }
    }
    awaited
}

/// Whether what needs the job is held back by its failure, and by its not being started.
fn is_blocking(job: &Value) -> bool {
    let rules = job["rules"].as_sequence().into_iter().flatten();
    [job].into_iter().chain(rules).all(|settings| {
        let fails_silently = settings
            .get("allow_failure")
            .is_some_and(|may| *may != false);
        let when = settings["when"].as_str();
        !fails_silently && !matches!(when, Some("manual" | "delayed" | "always"))
    })
}

fn is_self_test(job: &Value) -> bool {
    let services = job["services"].as_sequence().into_iter().flatten();
    let mut names = services.filter_map(|service| service["name"].as_str());
    names.any(|name| name.starts_with(SELF_TEST_SERVICE)) && script(job).contains("docker version")
}
