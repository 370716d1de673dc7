//! Variables whose values are not accepted, or that may reach the job unexpanded.

use super::one_job::OneJob;
use crate::{
    lint::{
        model::{Known, daemon},
        problem::Problem,
    },
    reasons::{self, Reason, Severity, client},
    settings::{InvalidVariable, Settings},
};

pub fn problems(scene: &OneJob<'_>) -> Vec<Problem> {
    let services = scene.daemons.iter().map(|daemon| daemon.service);
    let invalid = services.flat_map(|service| {
        let environment = |name: &str| daemon::variable(service, name);
        let (_, invalid) = Settings::parse_all(&environment);
        invalid.into_iter().filter_map(|invalid| {
            let (_, place) = service.variables.written(invalid.name)?;
            let InvalidVariable { name, accepted, .. } = &invalid;
            let finding = reasons::settings::INVALID.found(
                format!("{invalid}."),
                format!("in .gitlab-ci.yml, set {name} to {accepted}, or take it out"),
            );
            Some(scene.problem(finding, place, "not accepted"))
        })
    });
    invalid.chain(chains(scene)).collect()
}

/// The variables that lead to the daemon, and what a job sees if they are not expanded.
static EXPANDED: &[(&str, &Reason)] = &[
    ("DOCKER_HOST", &client::HOST),
    ("DOCKER_CERT_PATH", &client::CERT_PATH),
    ("DOCKER_TLS_CERTDIR", &client::CERT_PATH),
];

fn chains(scene: &OneJob<'_>) -> Vec<Problem> {
    let variables = &scene.job.variables;
    let chained = EXPANDED.iter().filter_map(|(name, reason)| {
        let Known::Set(expanded) = variables.expanded(name) else {
            return None;
        };
        let ((_, place), link) = (variables.written(name)?, expanded.chained?);
        let finding = reason
            .found(
                format!(
                    "{name} refers to {link}, which refers to another variable in turn. Runners \
                     put in what a value refers to once, so the job may see a `$`."
                ),
                format!(
                    "in .gitlab-ci.yml, spell it out:\n    variables:\n      {name}: {}",
                    expanded.text
                ),
            )
            .with_severity(Severity::Warning);
        let problem = scene.problem(finding, place, "");
        Some(match variables.written(&link) {
            Some((_, other)) => problem.with_related(other.clone(), "refers on"),
            None => problem,
        })
    });
    chained.collect()
}
