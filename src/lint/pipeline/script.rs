//! What a job's commands say about Docker, as far as that can be seen without a shell.

use super::commands::commands;
use crate::lint::yaml::{Mapping, Node};

/// The commands of a job.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The entries of its lists, each of a line or several.
    entries: Vec<String>,
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
    "docker context",
    "docker -H",
    "docker --host",
    "docker --context",
    "docker -c",
    "docker-machine",
    "dockerd",
    "podman",
    "minikube",
    "source ",
];

/// What has a builder of buildx do without the client's own daemon: a driver, or an endpoint.
const OTHER_BUILDERS: &[&str] = &["kubernetes", "remote", "://"];

/// The variables by which a client chooses one.
const CHOICES: &[&str] = &["DOCKER_HOST", "DOCKER_CONTEXT"];

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
                self.entries.push(text.to_owned());
            }
        }
    }

    /// Whether it may give an environment variable another value; that of a container which it runs
    /// is another matter.
    pub fn may_set(&self, name: &str) -> bool {
        !self.takes_away(name) && self.lines().any(|line| sets(line, name))
    }

    /// Whether it unsets the variable in any case, before anything that is about Docker, and sets it
    /// nowhere.
    pub fn takes_away(&self, name: &str) -> bool {
        let unsets = |entry: &String| {
            let mut words = entry.split_whitespace();
            words.next() == Some("unset")
                && words.any(|word| word == name)
                && commands(entry).len() == 1
        };
        let Some(at) = self.entries.iter().position(unsets) else {
            return false;
        };
        let others = self.entries.iter().filter(|entry| !unsets(entry));
        let mut others = others.flat_map(|entry| entry.lines());
        !self.has_more
            && !others.any(|line| sets(line, name))
            && !self.entries[..at]
                .iter()
                .any(|entry| speaks_of_docker(entry))
    }

    /// Whether it may look for a daemon somewhere else than its variables say.
    pub fn may_choose_a_daemon(&self) -> bool {
        let has_one_of = |text: &str, words: &[&str]| words.iter().any(|word| text.contains(word));
        let chooses =
            |line: &str| line.trim_start().starts_with(". ") || has_one_of(line, OTHER_DAEMONS);
        // Over several lines, often.
        let builds_elsewhere =
            |entry: &String| entry.contains("buildx create") && has_one_of(entry, OTHER_BUILDERS);
        self.has_more
            || self.lines().any(chooses)
            || self.entries.iter().any(builds_elsewhere)
            || CHOICES.iter().any(|variable| self.may_set(variable))
    }

    /// Whether something in it speaks of Docker.
    pub fn mentions_docker(&self) -> bool {
        self.lines().any(speaks_of_docker)
    }

    /// The first command that cannot do without a daemon, and that is run in any case.
    pub fn daemon_command(&self) -> Option<&str> {
        let mut all = self.entries.iter().flat_map(|entry| commands(entry));
        all.find_map(|command| {
            let is_setting = |word: &&str| {
                word.contains('=') || ["sudo", "time", "then", "do", "!", "if"].contains(word)
            };
            let words = command.text.split_whitespace();
            let mut words = words.skip_while(is_setting);
            let (program, first) = (words.next()?, words.next()?);
            let wants = match program {
                "docker" => DAEMON_COMMANDS.contains(&first),
                "docker-compose" => ["build", "pull", "run", "up"].contains(&first),
                _ => false,
            };
            (wants && !command.is_fallback).then_some(command.text)
        })
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().flat_map(|entry| entry.lines())
    }
}

fn sets(line: &str, name: &str) -> bool {
    let mut at = 0;
    while let Some(found) = line[at..].find(name) {
        let (before, rest) = (&line[..at + found], &line[at + found + name.len()..]);
        at += found + name.len();
        let is_part = before.ends_with(|c: char| c.is_ascii_alphanumeric() || "_$".contains(c));
        let is_set = rest.starts_with('=') || line.trim_start().starts_with("unset ");
        if !is_part && is_set && !is_of_a_container(before) {
            return true;
        }
    }
    false
}

fn speaks_of_docker(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    USERS.iter().any(|word| text.contains(word))
}

/// Whether what follows is an option's value: `-e NAME=…`, `--env=NAME=…`, `--build-arg NAME=…`.
fn is_of_a_container(before: &str) -> bool {
    let word = before
        .split([' ', '\t', '='])
        .rfind(|word| !word.trim_matches('"').is_empty());
    word.is_some_and(|word| ["-e", "--env", "--build-arg"].contains(&word))
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
            ("ssh host 'docker pull a && docker run a'", None),
            ("ssh host <<EOF\ndocker run a\nEOF", None),
            ("make test || docker rmi a", None),
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
            ("unset DOCKER_HOST", false),
            ("[ -S /s ] && unset DOCKER_HOST", false),
            ("if true; then export DOCKER_HOST=x; fi", true),
            ("echo $DOCKER_HOST", false),
            ("echo MY_DOCKER_HOST=1", false),
            ("docker run -e DOCKER_HOST=tcp://a:1 b", false),
            ("docker run --env=DOCKER_HOST=tcp://a:1 b", false),
            (
                "docker build --build-arg \"DOCKER_HOST=tcp://a:1\" .",
                false,
            ),
        ] {
            let script = script(&format!("before_script: [{line:?}]"));
            assert_eq!(script.may_set("DOCKER_HOST"), expected, "{line}");
        }
    }

    #[test]
    fn what_is_unset_in_any_case_is_not_there() {
        for (lines, expected) in [
            ("[unset DOCKER_HOST]", true),
            (
                "[echo, unset DOCKER_TLS_VERIFY DOCKER_HOST, docker info]",
                true,
            ),
            ("[docker info, unset DOCKER_HOST]", false),
            ("['true && unset DOCKER_HOST']", false),
            ("[\"if true\\nthen\\n  unset DOCKER_HOST\\nfi\"]", false),
            ("[unset DOCKER_HOST, 'export DOCKER_HOST=x']", false),
            ("[unset MY_DOCKER_HOST]", false),
            ("[unset DOCKER_HOST, !reference [.a, script]]", false),
        ] {
            let script = script(&format!("script: {lines}"));
            assert_eq!(script.takes_away("DOCKER_HOST"), expected, "{lines}");
        }
    }

    #[test]
    fn what_is_not_in_sight_is_not_known() {
        for (text, expected) in [
            ("script: [a, [b, c]]", false),
            ("script: [!reference [.a, script]]", true),
            ("script: $[[ inputs.script ]]", true),
            ("script: docker context use other", true),
            ("script: echo $DOCKER_HOST", false),
            (
                "script: docker buildx create --use --driver docker-container",
                false,
            ),
            (
                "script: docker buildx create --driver=remote tcp://a:1",
                true,
            ),
            ("script: DOCKER_HOST=tcp://a:1 docker ps", true),
        ] {
            assert_eq!(script(text).may_choose_a_daemon(), expected, "{text}");
        }
    }
}
