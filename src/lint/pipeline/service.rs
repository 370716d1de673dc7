//! A job's service, as it is written.

use super::variables::Variables;
use crate::lint::{source::Span, yaml::Node};

/// An entry of `services`.
#[derive(Clone, Debug)]
pub struct Service {
    /// The image, with what it refers to as far as that is in the file.
    pub image: String,
    /// Of the image.
    pub span: Span,
    /// Where `alias` is written.
    pub aliases: Vec<String>,
    pub command: Option<Command>,
    pub has_entrypoint: bool,
    /// Those that the service alone gets, as a mapping.
    pub own_variables: Variables,
    /// Its environment: its own variables before those of the job.
    pub variables: Variables,
}

/// A service's `command`.
#[derive(Clone, Debug)]
pub struct Command {
    /// `None` where not all of it is in the file.
    pub words: Option<Vec<String>>,
    pub span: Span,
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
            span: image.span.clone(),
            aliases: aliases
                .split([',', ' '])
                .filter(|alias| !alias.is_empty())
                .map(str::to_owned)
                .collect(),
            command: node.get("command").map(|node| Command::read(node, job)),
            has_entrypoint: node.get("entrypoint").is_some_and(|node| !node.is_null()),
            own_variables: Variables::default().with(own),
            variables: job.with(own),
        })
    }

    /// The names by which a job may call it: its aliases, and those that its image gives.
    ///
    /// GitLab's documentation ("Accessing the services"): without tag and port, slashes as two
    /// underscores or as one hyphen.
    pub fn names(&self) -> Vec<String> {
        let image = without_version(&self.image);
        let from_image = [image.replace('/', "__"), image.replace('/', "-")];
        let mut names = self.aliases.clone();
        names.extend(from_image);
        names.dedup();
        names
    }

    /// Whether its image or name says that it is a Docker daemon.
    pub fn is_dind(&self) -> bool {
        // A registry's host may be called anything.
        let path = match self.image.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) => path,
            _ => &self.image,
        };
        let repository = without_version(&self.image);
        let last = repository.rsplit('/').next().unwrap_or(&repository);
        path.contains("dind")
            || last == "docker"
            || self.aliases.iter().any(|alias| alias == "docker")
    }

    /// Whether all its names are known.
    pub fn is_named(&self) -> bool {
        !self.image.contains('$') && !self.aliases.iter().any(|alias| alias.contains('$'))
    }
}

impl Command {
    fn read(node: &Node, job: &Variables) -> Self {
        let word = |node: &Node| {
            let text = node.as_scalar().filter(|_| node.tag.is_none())?;
            Some(job.expand(&text.text).text)
        };
        Self {
            words: match node.as_sequence() {
                _ if node.tag.is_some() => None,
                Some(nodes) => nodes.iter().map(word).collect(),
                None if node.is_null() => Some(Vec::new()),
                None => word(node).map(|word| vec![word]),
            },
            span: node.span.clone(),
        }
    }
}

/// The image's repository, without port, tag and digest.
fn without_version(image: &str) -> String {
    let image = image.split('@').next().unwrap_or(image);
    let (host, path) = image.split_once('/').unwrap_or(("", image));
    let host = host.split(':').next().unwrap_or(host);
    let path = path.split(':').next().unwrap_or(path);
    match host {
        "" => path.to_owned(),
        host => format!("{host}/{path}"),
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
            ("docker:dind-rootless", true),
            ("docker:latest", true),
            ("registry.example.com/mirror/docker:27", true),
            ("registry.example.com/my/dind", true),
            ("{name: $IMAGE, alias: docker}", true),
            ("postgres:16", false),
            ("dind.example.com/postgres:16", false),
            ("{name: mysql, alias: db}", false),
            ("dockerfile-linter", false),
        ] {
            assert_eq!(service(text).unwrap().is_dind(), is_dind, "{text}");
        }
        assert!(service("!reference [.a, services]").is_none());
        assert!(service("{alias: docker}").is_none());
        assert!(service("$[[ inputs.service ]]").is_none());
    }
}
