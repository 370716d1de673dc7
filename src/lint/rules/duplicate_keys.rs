//! A key that stands twice in one mapping.

use crate::{
    lint::{problem::Problem, scene::Scene},
    reasons::settings,
};

pub fn problems(scene: &Scene<'_>) -> Vec<Problem> {
    let duplicates = scene.duplicates.iter();
    duplicates
        .map(|(first, second)| {
            let finding = settings::DUPLICATE_KEY
                .met("this key is there already. GitLab passes over the first one without a word.");
            Problem::new(finding, second.clone(), "this one counts")
                .with_related(first.clone(), "this one has no effect")
        })
        .collect()
}
