//! A service: one of a job's, or one that a runner gives to every job.

use super::{image::Image, variables::Variables};
use crate::lint::{source::Place, yaml::Node};

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
    /// `None` where the entry is not in the file, or none.
    pub fn read(node: &Node, job: &Variables) -> Option<Self> {
        // A component's input alone may be anything, a list too.
        let is_input = node.as_str().is_some_and(|text| text.contains("$[["));
        if node.tag.is_some() || is_input {
            return None;
        }
        let image = match node.as_mapping() {
            Some(mapping) => mapping.get("name")?,
            None => node,
        };
        let aliases = node.get("alias").and_then(Node::as_str).unwrap_or_default();
        let own = node.get("variables");
        let aliases = job.expand(aliases).text;
        Some(Self {
            image: job.expand(image.as_str()?).text,
            place: image.place(),
            aliases: split_aliases(&aliases),
            command: node.get("command").map(Command::read),
            entrypoint: node
                .get("entrypoint")
                .filter(|node| !node.is_null())
                .map(Command::read),
            is_the_runners: false,
            own_variables: Variables::default().with(own),
            variables: job.with(own),
        })
    }

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

impl Command {
    fn read(node: &Node) -> Self {
        let word = |node: &Node| {
            let text = node.as_scalar().filter(|_| node.tag.is_none())?;
            let is_input = text.text.contains("$[[");
            (!is_input).then(|| text.text.to_string())
        };
        Self {
            words: match node.as_sequence() {
                _ if node.tag.is_some() => None,
                Some(nodes) => nodes.iter().map(word).collect(),
                None if node.is_null() => Some(Vec::new()),
                None => word(node).map(|word| vec![word]),
            },
            place: node.place(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::yaml;

    fn service(text: &str) -> Option<Service> {
        let documents = yaml::parse(text).unwrap();
        Service::read(&documents[0], &Variables::default())
    }

    #[test]
    fn names_are_those_that_gitlab_gives() {
        for (text, names) in [
            ("docker:24-dind", "docker"),
            ("docker", "docker"),
            ("tutum/wordpress:latest", "tutum__wordpress tutum-wordpress"),
            (
                "registry.example.com:5000/my/dind@sha256:abc",
                "registry.example.com__my__dind registry.example.com-my-dind",
            ),
            ("{name: 'docker:dind', alias: 'a, b c'}", "a b c docker"),
        ] {
            assert_eq!(service(text).unwrap().names().join(" "), names, "{text}");
        }
    }

    #[test]
    fn a_docker_daemon_is_known_by_its_image_or_its_name() {
        for (text, is_dind) in [
            ("docker:24.0.5-dind", true),
            ("{name: $IMAGE, alias: docker}", true),
            ("{name: $IMAGE, alias: db}", false),
            ("{name: 'docker:28-cli', alias: docker}", false),
            ("{name: mysql, alias: db}", false),
        ] {
            assert_eq!(service(text).unwrap().is_dind(), is_dind, "{text}");
        }
        assert!(service("!reference [.a, services]").is_none());
        assert!(service("{alias: docker}").is_none());
        assert!(service("$[[ inputs.service ]]").is_none());
    }
}
