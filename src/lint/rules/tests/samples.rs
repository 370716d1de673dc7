//! How the tests of rules are told: a configuration, and what is underlined under which id.

use crate::{
    lint::{
        helm::Templates,
        problem::Judgement,
        rules, runner,
        scene::{OneRunner, Scene},
        source::{Files, Source},
    },
    reasons::Severity,
};

/// A runner of the Kubernetes executor with these volumes, and what else is said.
pub fn kubernetes(rest: &str) -> String {
    format!(
        "concurrent = 4\n[[runners]]\n  executor = \"kubernetes\"\n  [runners.kubernetes]\n    \
         privileged = true\n{rest}"
    )
}

/// A runner of the Docker executor.
pub fn docker(rest: &str) -> String {
    format!(
        "concurrent = 4\n[[runners]]\n  executor = \"docker\"\n  [runners.docker]\n    \
         privileged = true\n{rest}"
    )
}

pub fn judge(text: &str) -> Judgement {
    let mut files = Files::default();
    let file = files.add(Source::new("config.toml", text));
    let configuration = match runner::read(file, text, &Templates::default()) {
        Ok(configuration) => configuration,
        Err(errors) => panic!("{errors:?} in\n{text}"),
    };
    let source = files.get(file);
    let runners = configuration.runners.iter();
    let scene = Scene {
        runners: runners
            .map(|runner| OneRunner::new(runner, configuration.concurrent, source, None))
            .collect(),
        ..Scene::default()
    };
    let mut judgement = rules::judge(&scene);
    judgement.sort();
    judgement
}

/// Id, severity and underlined text of each problem.
#[track_caller]
pub fn expect(text: &str, expected: &[(&str, Severity, &str)]) {
    let judgement = judge(text);
    let found: Vec<_> = judgement
        .problems
        .iter()
        .map(|problem| {
            (
                problem.finding.reason.id,
                problem.finding.severity,
                &text[problem.place.span.clone()],
            )
        })
        .collect();
    assert_eq!(found, expected, "in\n{text}\n{judgement:#?}");
}
