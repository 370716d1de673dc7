//! Variables whose values are not accepted, or that may reach the job unexpanded.

use super::{of_each_daemon, of_each_job};
use crate::{
    lint::{
        model::{Known, Service, daemon},
        problem::Problem,
        scene::{OneJob, Scene},
    },
    reasons::{self, Reason, Severity, client},
    settings::{InvalidVariable, Settings},
};

/// Values that the service does not take.
pub fn invalid(scene: &Scene<'_>) -> Vec<Problem> {
    of_each_daemon(scene, |daemon| not_accepted(daemon.service))
}

/// Variables that the job may see unexpanded.
pub fn chained(scene: &Scene<'_>) -> Vec<Problem> {
    of_each_job(scene, |job| match job.daemons.is_empty() {
        true => Vec::new(),
        false => chains(job),
    })
}

fn not_accepted(service: &Service) -> Vec<Problem> {
    let environment = |name: &str| daemon::variable(service, name);
    let (_, invalid) = Settings::parse_all(&environment);
    let invalid = invalid.into_iter();
    invalid
        .filter_map(|invalid| {
            let (_, place) = service.variables.written(invalid.name)?;
            let InvalidVariable { name, accepted, .. } = &invalid;
            let finding = reasons::settings::INVALID.found(
                format!("{invalid}."),
                format!("set {name} to {accepted}, or take it out"),
            );
            Some(Problem::new(finding, place.clone(), "not accepted"))
        })
        .collect()
}

/// The variables that lead to the daemon, and what a job sees if they are not expanded.
static EXPANDED: &[(&str, &Reason)] = &[
    ("DOCKER_HOST", &client::HOST),
    ("DOCKER_CERT_PATH", &client::CERT_PATH),
    ("DOCKER_TLS_CERTDIR", &client::CERT_PATH),
];

fn chains(one_job: &OneJob<'_>) -> Vec<Problem> {
    let variables = &one_job.job.variables;
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
        let problem = Problem::new(finding, place.clone(), "");
        Some(match variables.written(&link) {
            Some((_, other)) => problem.with_related(other.clone(), "refers on"),
            None => problem,
        })
    });
    chained.collect()
}
