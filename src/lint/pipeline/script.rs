//! What a job's commands say about Docker, as far as that can be seen without a shell.

use crate::lint::yaml::{Mapping, Node};

/// The commands of a job.
#[derive(Clone, Debug, Default)]
pub struct Script {
    lines: Vec<String>,
    /// Some of it is not in the files.
    has_more: bool,
}

/// Commands of `docker` that want a daemon.
const DAEMON_COMMANDS: &[&str] = &[
    "build",
    "compose",
    "container",
    "cp",
    "exec",
    "image",
    "images",
    "info",
    "inspect",
    "kill",
    "load",
    "logs",
    "network",
    "ps",
    "pull",
    "push",
    "rm",
    "rmi",
    "run",
    "save",
    "start",
    "stop",
    "tag",
    "volume",
];

/// What may lead clients to another daemon, or start one.
const OTHER_DAEMONS: &[&str] = &[
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "docker context",
    "docker -H",
    "docker --host",
    "docker --context",
    "docker -c",
    "buildx create",
    "docker-machine",
    "dockerd",
    "podman",
    "minikube",
    "source ",
];

/// Words of what talks to Docker by itself.
const USERS: &[&str] = &["docker", "testcontainers", "buildx", "container"];

impl Script {
    /// Of a job with all that it extends; `default` is what it gets where it says nothing.
    pub fn read(job: &Mapping, default: impl Fn(&str) -> Option<Node>) -> Self {
        let mut script = Self::default();
        for key in ["before_script", "script"] {
            let inherited = || default(key);
            if let Some(node) = job.get(key).cloned().or_else(inherited) {
                script.add(&node);
            }
        }
        // Steps are not read.
        script.has_more |= job.get("run").is_some();
        script
    }

    fn add(&mut self, node: &Node) {
        match node.as_sequence() {
            _ if node.tag.is_some() => self.has_more = true,
            Some(nodes) => nodes.iter().for_each(|node| self.add(node)),
            None => {
                let text = node.as_str().unwrap_or_default();
                self.has_more |= text.contains("$[[");
                self.lines.extend(text.lines().map(str::to_owned));
            }
        }
    }

    /// Whether it gives an environment variable another value.
    pub fn sets(&self, name: &str) -> bool {
        let sets = |line: &String| {
            let mut rest = line.as_str();
            while let Some(at) = rest.find(name) {
                let before = rest[..at].chars().next_back();
                rest = &rest[at + name.len()..];
                let is_word = before.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_');
                let is_set = rest.starts_with('=') || line.trim_start().starts_with("unset ");
                if is_word && before != Some('$') && is_set {
                    return true;
                }
            }
            false
        };
        self.lines.iter().any(sets)
    }

    /// Whether it may look for a daemon somewhere else than its variables say.
    pub fn may_choose_a_daemon(&self) -> bool {
        let chooses = |line: &String| {
            line.trim_start().starts_with(". ")
                || OTHER_DAEMONS.iter().any(|other| line.contains(other))
        };
        self.has_more || self.lines.iter().any(chooses)
    }

    /// Whether something in it speaks of Docker.
    pub fn mentions_docker(&self) -> bool {
        let mentions = |line: &String| {
            let line = line.to_ascii_lowercase();
            USERS.iter().any(|word| line.contains(word))
        };
        self.lines.iter().any(mentions)
    }

    /// The first command that cannot do without a daemon.
    pub fn daemon_command(&self) -> Option<&str> {
        let lines = self.lines.iter();
        let mut commands = lines.flat_map(|line| line.split(['&', ';', '|', '(', ')']));
        commands.find_map(|command| {
            let command = command.trim();
            let is_setting = |word: &&str| {
                word.contains('=') || ["sudo", "time", "then", "do", "!", "if"].contains(word)
            };
            let mut words = command.split_whitespace().skip_while(is_setting);
            let (program, first) = (words.next()?, words.next()?);
            let wants = match program {
                "docker" => DAEMON_COMMANDS.contains(&first),
                "docker-compose" => ["build", "pull", "run", "up"].contains(&first),
                _ => false,
            };
            wants.then_some(command)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::yaml;

    fn script(text: &str) -> Script {
        let documents = yaml::parse(text).unwrap();
        Script::read(documents[0].as_mapping().unwrap(), |_| None)
    }

    #[test]
    fn what_wants_a_daemon_is_a_command_of_its_own() {
        for (line, expected) in [
            ("docker build -t a .", Some("docker build -t a .")),
            ("make && docker push a", Some("docker push a")),
            (
                "time DOCKER_BUILDKIT=1 docker run a",
                Some("time DOCKER_BUILDKIT=1 docker run a"),
            ),
            ("docker-compose up -d", Some("docker-compose up -d")),
            ("docker login -u a", None),
            ("docker --version", None),
            ("ssh host docker run a", None),
            ("echo docker build", None),
        ] {
            let script = script(&format!("script: [{line:?}]"));
            assert_eq!(script.daemon_command(), expected, "{line}");
        }
    }

    #[test]
    fn a_variable_that_a_command_sets_is_known() {
        for (line, expected) in [
            ("export DOCKER_HOST=tcp://a:1", true),
            ("DOCKER_HOST=tcp://a:1 docker ps", true),
            ("unset DOCKER_HOST", true),
            ("if true; then export DOCKER_HOST=x; fi", true),
            ("echo $DOCKER_HOST", false),
            ("echo MY_DOCKER_HOST=1", false),
        ] {
            let script = script(&format!("before_script: [{line:?}]"));
            assert_eq!(script.sets("DOCKER_HOST"), expected, "{line}");
        }
    }

    #[test]
    fn what_is_not_in_sight_is_not_known() {
        for (text, expected) in [
            ("script: [a, [b, c]]", false),
            ("script: [!reference [.a, script]]", true),
            ("script: $[[ inputs.script ]]", true),
            ("script: docker context use other", true),
        ] {
            assert_eq!(script(text).may_choose_a_daemon(), expected, "{text}");
        }
    }
}
