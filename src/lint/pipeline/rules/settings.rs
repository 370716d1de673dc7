//! Variables whose values are not accepted, or that may reach the job unexpanded.

use std::collections::BTreeSet;

use super::Scene;
use crate::{
    lint::{
        pipeline::{Known, Service, daemon},
        problem::Problem,
    },
    reasons::{self, Reason, Severity, client},
    settings::{InvalidVariable, Settings},
};

pub fn problems(scene: &Scene<'_>) -> Vec<Problem> {
    let services = scene.daemons.iter().map(|daemon| daemon.service);
    let invalid = services.flat_map(|service| {
        let problems = invalid(service).into_iter();
        problems.filter_map(move |invalid| {
            let (_, place) = service.variables.written(invalid.name)?;
            let InvalidVariable { name, accepted, .. } = &invalid;
            let finding = reasons::daemon::SETTING.found(
                format!("{invalid}."),
                format!("in .gitlab-ci.yml, set {name} to {accepted}, or take it out"),
            );
            Some(scene.problem(finding, place, "not accepted"))
        })
    });
    invalid.chain(chains(scene)).collect()
}

/// All values in the file that the init would refuse. It stops at the first one, so it is asked
/// again without that.
fn invalid(service: &Service) -> Vec<InvalidVariable> {
    let mut found: Vec<InvalidVariable> = Vec::new();
    loop {
        let refused: BTreeSet<&str> = found.iter().map(|invalid| invalid.name).collect();
        let environment = |name: &str| match refused.contains(name) {
            true => None,
            false => daemon::variable(service, name),
        };
        match Settings::parse(&environment) {
            // One that says no to what is unset would be asked for ever.
            Err(invalid) if !refused.contains(invalid.name) => found.push(invalid),
            _ => return found,
        }
    }
}

/// The variables that lead to the daemon, and what a job sees if they are not expanded.
static EXPANDED: &[(&str, &Reason)] = &[
    ("DOCKER_HOST", &client::HOST),
    ("DOCKER_CERT_PATH", &client::CERT_PATH),
    ("DOCKER_TLS_CERTDIR", &client::CERT_PATH),
];

fn chains(scene: &Scene<'_>) -> Vec<Problem> {
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
            Some((_, other)) => problem.with_related(scene.place(other), "refers on"),
            None => problem,
        })
    });
    chained.collect()
}
