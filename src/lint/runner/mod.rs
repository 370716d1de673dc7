//! GitLab Runner's `config.toml`: read, and judged by itself.

pub mod configuration;
mod edits;
mod read;
mod rules;
mod table;

pub use self::read::read;
use self::{configuration::Configuration, rules::Scene};
use super::{problem::Judgement, source::Source};

/// What is wrong with a configuration whatever the jobs are. `source` is what it was read from.
pub fn judge(configuration: &Configuration, source: &Source) -> Judgement {
    let mut judgement = Judgement::default();
    for runner in &configuration.runners {
        judgement.extend(rules::judge(&Scene {
            concurrent: configuration.concurrent,
            runner,
            source,
        }));
    }
    judgement
}
