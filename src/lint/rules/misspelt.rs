//! Names that are almost right, or somebody else's: what they say is not done, and nobody says so.

use std::collections::BTreeMap;

use crate::{
    lint::{
        model::{Variable, Variables},
        problem::Problem,
        scene::Scene,
    },
    reasons::settings,
    settings::variables::{
        names,
        unread::{self, UNREAD},
    },
};

/// Variables that are almost dind-init's: the judgement of run time.
pub fn variables(scene: &Scene<'_>) -> Vec<Problem> {
    all_variables(scene).flat_map(misspelt).collect()
}

fn all_variables<'a>(scene: &'a Scene<'_>) -> impl Iterator<Item = &'a Variables> {
    let of_jobs = scene.jobs.iter().map(|it| it.job);
    let of_jobs = of_jobs.map(|job| (&job.variables, &job.services));
    let of_runners = scene.runners.iter().map(|it| it.runner);
    let of_runners = of_runners.map(|runner| (&runner.variables, &runner.services));
    of_jobs.chain(of_runners).flat_map(|(variables, services)| {
        let of_services = services.iter().map(|service| &service.own_variables);
        [variables].into_iter().chain(of_services)
    })
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

/// Those that other installations of Docker read: the judgement of run time.
pub fn unread(scene: &Scene<'_>) -> Vec<Problem> {
    let told = |variables: &Variables| -> Vec<Problem> {
        let unread = UNREAD.iter().filter_map(|name| {
            let (written, place) = variables.written(name)?;
            let finding = unread::of(name, &written.value);
            Some(Problem::new(finding, place.clone(), "nobody reads this"))
        });
        unread.collect()
    };
    all_variables(scene).flat_map(told).collect()
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
