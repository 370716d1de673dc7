//! Names that are almost right: what they say is not done, and nobody says so.

use std::collections::BTreeMap;

use crate::{
    lint::{
        model::{Variable, Variables},
        problem::Problem,
        scene::Scene,
    },
    reasons::settings,
    settings::variables::names,
};

/// Variables that are almost dind-init's: the judgement of run time.
pub fn variables(scene: &Scene<'_>) -> Vec<Problem> {
    let of_jobs = scene.jobs.iter().flat_map(|job| {
        let services = job.job.services.iter();
        let of_services = services.map(|service| &service.own_variables);
        [&job.job.variables].into_iter().chain(of_services)
    });
    let of_runners = scene.runners.iter().flat_map(|runner| {
        let services = runner.runner.services.iter();
        let of_services = services.map(|service| &service.own_variables);
        [&runner.runner.variables].into_iter().chain(of_services)
    });
    of_jobs.chain(of_runners).flat_map(misspelt).collect()
}

fn misspelt(variables: &Variables) -> Vec<Problem> {
    let all: BTreeMap<&str, &Variable> = variables.all();
    all.keys()
        .filter_map(|name| {
            let finding = names::finding(name)?;
            let (_, place) = variables.written(name)?;
            Some(Problem::new(finding, place.clone(), "nobody reads this"))
        })
        .collect()
}

/// Keys of a runner's configuration that are almost some that matter here.
pub fn keys(scene: &Scene<'_>) -> Vec<Problem> {
    let misspelt = scene.misspelt_keys.iter();
    misspelt
        .map(|key| {
            let finding = settings::MISSPELT_KEY.found(
                format!("GitLab Runner reads no key {:?} here.", key.written),
                format!("call it {}", key.meant),
            );
            let label = format!("{} is meant?", key.meant);
            Problem::new(finding, key.place.clone(), label)
        })
        .collect()
}
