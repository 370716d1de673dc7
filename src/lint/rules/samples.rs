//! How the tests of rules are told: a configuration, and what is underlined under which id.

use crate::{
    lint::{
        helm::Templates,
        problem::Judgement,
        rules::one_runner::{self, OneRunner},
        runner,
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
    let mut judgement = Judgement::default();
    for runner in &configuration.runners {
        judgement.extend(one_runner::judge(&OneRunner {
            concurrent: configuration.concurrent,
            runner,
            source: files.get(file),
            certificate_directories: None,
        }));
    }
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
