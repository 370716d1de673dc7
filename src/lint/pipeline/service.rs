//! An entry of a job's `services`.

use crate::lint::{
    model::{
        Service, Variables,
        service::{Command, split_aliases},
    },
    yaml::Node,
};

/// `None` where the entry is not in the file, or none.
pub fn read(node: &Node, job: &Variables) -> Option<Service> {
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
    Some(Service {
        image: job.expand(image.as_str()?).text,
        place: image.place(),
        aliases: split_aliases(&aliases),
        command: node.get("command").map(command),
        entrypoint: node
            .get("entrypoint")
            .filter(|node| !node.is_null())
            .map(command),
        is_the_runners: false,
        own_variables: Variables::default().with(own),
        variables: job.with(own),
    })
}

fn command(node: &Node) -> Command {
    let word = |node: &Node| {
        let text = node.as_scalar().filter(|_| node.tag.is_none())?;
        let is_input = text.text.contains("$[[");
        (!is_input).then(|| text.text.to_string())
    };
    Command {
        words: match node.as_sequence() {
            _ if node.tag.is_some() => None,
            Some(nodes) => nodes.iter().map(word).collect(),
            None if node.is_null() => Some(Vec::new()),
            None => word(node).map(|word| vec![word]),
        },
        place: node.place(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::yaml;

    fn service(text: &str) -> Option<Service> {
        let documents = yaml::parse(text).unwrap();
        read(&documents[0], &Variables::default())
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
