//! Each rule: a file that has the mistake, one that nearly has it.

mod client;
mod host;
mod reading;
mod services;

use super::super::*;
use crate::lint::{
    model::Surroundings,
    pipeline::{Pipeline, is_pipeline},
    yaml,
};

/// What is found, as `ID: underlined text`.
fn found(text: &str, surroundings: Surroundings) -> Vec<String> {
    let documents = yaml::parse(text).unwrap_or_else(|error| panic!("{text}\n{error:?}"));
    assert!(is_pipeline(&documents), "{text}");
    let judgement = judged(&Pipeline::read(&documents), &surroundings);
    let shown = judgement.problems.iter().map(|problem| {
        assert!(!problem.finding.cause.is_empty(), "{problem:?}");
        let underlined = &text[problem.place.span.clone()];
        format!("{}: {underlined}", problem.finding.reason.id)
    });
    shown.collect()
}

fn judged(pipeline: &Pipeline, surroundings: &Surroundings) -> Judgement {
    let jobs = pipeline.jobs.iter();
    let scene = Scene {
        jobs: jobs.map(|job| OneJob::new(job, surroundings)).collect(),
        ..Scene::default()
    };
    let mut judgement = judge(&scene);
    judgement.remarks.extend(pipeline.remarks.clone());
    judgement.sort();
    judgement
}

/// A job with docker:dind as `docker`, and these variables.
fn job(variables: &str) -> String {
    format!(
        "build:\n  services: ['docker:dind']\n  script: docker info\n  variables: {{{variables}}}\n"
    )
}

#[track_caller]
fn assert_found(text: &str, expected: &[&str]) {
    assert_eq!(found(text, Surroundings::default()), expected, "{text}");
}

/// The Kubernetes executor, or Docker's.
fn on(in_kubernetes: bool) -> Surroundings {
    Surroundings {
        in_kubernetes: Some(in_kubernetes),
        has_own_network: true,
        ..Surroundings::default()
    }
}

const TLS: &str = "DOCKER_HOST: 'tcp://docker:2376', DOCKER_TLS_CERTDIR: /certs, \
                   DOCKER_TLS_VERIFY: 1, DOCKER_CERT_PATH: /certs/client";
const PLAIN: &str = "DOCKER_HOST: 'tcp://docker:2375', DOCKER_TLS_CERTDIR: ''";
