//! A service: one of a job's, or one that a runner gives to every job.

use super::{image::Image, variables::Variables};
use crate::lint::source::Place;

/// An entry of `services`, in `.gitlab-ci.yml` or in `config.toml`.
#[derive(Clone, Debug)]
pub struct Service {
    /// The image, with what it refers to as far as that is in the file.
    pub image: String,
    /// Of the image.
    pub place: Place,
    /// Where `alias` is written.
    pub aliases: Vec<String>,
    pub command: Option<Command>,
    pub entrypoint: Option<Command>,
    /// It is one that the runner gives to every job.
    pub is_the_runners: bool,
    /// Those that the service alone gets, as a mapping.
    pub own_variables: Variables,
    /// Its environment: its own variables before those of the job, or, where no job is known, of
    /// the runner.
    pub variables: Variables,
}

/// A service's `command`: as it is written, since the runner expands a service's image and alias
/// alone (gitlab-runner `expandContainerOptions`; gitlab-org/gitlab-runner#3808).
#[derive(Clone, Debug)]
pub struct Command {
    /// `None` where not all of it is in the file.
    pub words: Option<Vec<String>>,
    pub place: Place,
}

impl Service {
    /// One of the runner's, as a job with these variables gets it.
    pub fn given_to(&self, job: &Variables) -> Self {
        Self {
            variables: self.own_variables.clone().over(job),
            ..self.clone()
        }
    }

    /// The names by which a job may call it: its aliases, and those that its image gives.
    ///
    /// GitLab's documentation ("Accessing the services"): without tag and port, slashes as two
    /// underscores or as one hyphen.
    pub fn names(&self) -> Vec<String> {
        let image = Image::parse(&self.image).repository();
        let from_image = [image.replace('/', "__"), image.replace('/', "-")];
        let mut names = self.aliases.clone();
        names.extend(from_image);
        names.dedup();
        names
    }

    /// Whether its image says that it is a Docker daemon, or, where that is not in sight, its name.
    pub fn is_dind(&self) -> bool {
        let is_called_docker = self.aliases.iter().any(|alias| alias == "docker");
        let is_hidden = self.image.starts_with('$') && is_called_docker;
        is_hidden || Image::parse(&self.image).is_dind()
    }

    /// Whether all its names are known.
    pub fn is_named(&self) -> bool {
        !self.image.contains('$') && !self.aliases.iter().any(|alias| alias.contains('$'))
    }
}

/// Several, with commas or blanks between them.
pub fn split_aliases(aliases: &str) -> Vec<String> {
    let aliases = aliases.split([',', ' ']);
    let aliases = aliases.filter(|alias| !alias.is_empty());
    aliases.map(str::to_owned).collect()
}
