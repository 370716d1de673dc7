//! What to do about a reason: sentences, and lines to paste, with holes for what only the case
//! knows.

use super::hole::{self, ALWAYS_KNOWN, Data, Hole};

/// What to do, in the order in which it is read.
pub type Advice = &'static [Passage];

/// A sentence, or lines to paste and what they are for.
///
/// ```ignore
/// say("A registry's CA belongs at /etc/dind/registry-ca.")
/// job("Say all names", "variables:\n  DOCKER_TLS_SAN: {names}")
/// runner("Mount an empty volume there", snippets::CERTIFICATES_VOLUME).on(Executor::Kubernetes)
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Passage {
    /// Whom it is for; `None` for everybody.
    executor: Option<Executor>,
    /// A sentence; before lines one without its end, as the place comes there.
    text: &'static str,
    lines: Option<(Place, &'static str)>,
}

/// What runs the job's containers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Executor {
    Docker,
    Kubernetes,
}

/// Where lines are to be pasted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    Job,
    Runner,
    /// A shell on the node.
    Node,
    /// The configuration of the Docker that runs the job's containers.
    NodeDaemon,
    /// A shell in the service's image.
    Image,
    Dockerfile,
    /// The job's own, of docker compose.
    Compose,
    /// Any shell.
    Shell,
}

impl Place {
    fn phrase(self) -> &'static str {
        match self {
            Self::Job => "in .gitlab-ci.yml",
            Self::Runner => "in the runner's config.toml",
            Self::Node => "on the node",
            Self::NodeDaemon => "on the node, in /etc/docker/daemon.json",
            Self::Image => "in a shell of the service's image",
            Self::Dockerfile => "in the image's Dockerfile",
            Self::Compose => "in the job's compose.yaml",
            Self::Shell => "in a shell",
        }
    }

    /// As Markdown calls it.
    #[cfg(test)]
    pub fn language(self) -> &'static str {
        match self {
            Self::Job | Self::Compose => "yaml",
            Self::Runner => "toml",
            Self::NodeDaemon => "json",
            Self::Dockerfile => "dockerfile",
            Self::Node | Self::Image | Self::Shell => "sh",
        }
    }
}

/// A whole sentence.
pub const fn say(text: &'static str) -> Passage {
    Passage {
        executor: None,
        text,
        lines: None,
    }
}

/// Lines for .gitlab-ci.yml.
pub const fn job(text: &'static str, lines: &'static str) -> Passage {
    paste(text, Place::Job, lines)
}

/// Lines for the runner's config.toml.
pub const fn runner(text: &'static str, lines: &'static str) -> Passage {
    paste(text, Place::Runner, lines)
}

/// Lines for `place`, and the beginning of the sentence before them.
pub const fn paste(text: &'static str, place: Place, lines: &'static str) -> Passage {
    Passage {
        executor: None,
        text,
        lines: Some((place, lines)),
    }
}

impl Passage {
    /// The same for this executor alone.
    pub const fn on(self, executor: Executor) -> Self {
        Self {
            executor: Some(executor),
            ..self
        }
    }

    /// Everything in it that may have holes.
    pub fn texts(&self) -> [&'static str; 2] {
        [self.text, self.lines.map_or("", |(_, lines)| lines)]
    }

    fn is_for(&self, executor: Option<Executor>) -> bool {
        self.executor.is_none() || executor.is_none() || self.executor == executor
    }

    fn sentence(&self, executor: Option<Executor>, value: &impl Fn(Hole) -> String) -> String {
        let text = hole::fill(self.text, value);
        let place = self.lines.map(|(place, _)| place.phrase());
        let sentence = match (text.as_str(), place) {
            (text, None) => text.to_owned(),
            ("", Some(place)) => format!("{place}:"),
            (text, Some(place)) => format!("{text}, {place}:"),
        };
        match self.executor.filter(|_| executor.is_none()) {
            None => capitalised(&sentence),
            Some(Executor::Docker) => format!("With the Docker executor, {}", continued(&sentence)),
            Some(Executor::Kubernetes) => format!("With Kubernetes, {}", continued(&sentence)),
        }
    }
}

/// A passage as it is read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Told {
    pub sentence: String,
    /// Not indented.
    pub lines: Option<(Place, String)>,
}

/// The holes that nothing fills.
pub fn unfilled(advice: Advice, data: &Data) -> Vec<Hole> {
    let holes = advice
        .iter()
        .flat_map(Passage::texts)
        .flat_map(hole::holes_in);
    holes
        .filter(|hole| !ALWAYS_KNOWN.contains(hole) && data.get(*hole).is_none())
        .collect()
}

/// The passages for those who run jobs by `executor`, or for everybody where it is not known.
pub fn tell(
    advice: Advice,
    executor: Option<Executor>,
    value: impl Fn(Hole) -> String,
) -> impl Iterator<Item = Told> {
    let passages = advice
        .iter()
        .filter(move |passage| passage.is_for(executor));
    passages.map(move |passage| Told {
        sentence: passage.sentence(executor, &value),
        lines: passage
            .lines
            .map(|(place, lines)| (place, hole::fill(lines, &value))),
    })
}

/// The same as one text: prose in lines of a terminal's width, what is to be pasted indented by
/// four spaces.
pub fn text(advice: Advice, executor: Option<Executor>, value: impl Fn(Hole) -> String) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut prose = String::new();
    for told in tell(advice, executor, value) {
        if !prose.is_empty() {
            prose.push(' ');
        }
        prose.push_str(&told.sentence);
        if let Some((_, pasted)) = told.lines {
            lines.extend(wrapped(&std::mem::take(&mut prose)));
            lines.extend(pasted.lines().map(|line| format!("    {line}")));
        }
    }
    lines.extend(wrapped(&prose));
    lines.join("\n")
}

/// As wide as prose may be, so that with what is put before it 100 columns are enough.
const WIDTH: usize = 92;

/// Greedily; a word that is longer than a line stays whole.
pub fn wrapped(prose: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in prose.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// As a sentence goes on; a name keeps its spelling.
fn continued(sentence: &str) -> String {
    let mut characters = sentence.chars();
    match (characters.next(), characters.clone().next()) {
        (Some(first), Some(' ' | 'a'..='z')) if !sentence.starts_with("dockerd") => {
            first.to_lowercase().chain(characters).collect()
        }
        _ => sentence.to_owned(),
    }
}

fn capitalised(sentence: &str) -> String {
    let mut characters = sentence.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADVICE: Advice = &[
        say("Something keeps it."),
        runner("share it", "[runners.kubernetes]\nx = \"{certificates}\"").on(Executor::Kubernetes),
        runner("share it", "[runners.docker]\ny = 1").on(Executor::Docker),
        job("", "variables:\n  A: b"),
    ];

    fn told(executor: Option<Executor>) -> String {
        text(ADVICE, executor, |hole| hole.example().to_owned())
    }

    #[test]
    fn an_executor_that_is_known_gets_its_own_lines_alone() {
        assert_eq!(
            told(Some(Executor::Kubernetes)),
            "Something keeps it. Share it, in the runner's config.toml:\n    \
             [runners.kubernetes]\n    x = \"/certs/client\"\nIn .gitlab-ci.yml:\n    \
             variables:\n      A: b"
        );
        let docker = told(Some(Executor::Docker));
        assert!(docker.contains("[runners.docker]"), "{docker}");
        assert!(!docker.contains("kubernetes"), "{docker}");
    }

    #[test]
    fn without_one_both_are_told_apart() {
        let both = told(None);
        for part in [
            "With Kubernetes, share it, in the runner's config.toml:\n    [runners.kubernetes]",
            "With the Docker executor, share it, in the runner's config.toml:\n    [runners.docker]",
        ] {
            assert!(both.contains(part), "{both}");
        }
    }

    #[test]
    fn prose_is_wrapped_and_what_is_pasted_is_not() {
        let long = "word ".repeat(60);
        let lines = wrapped(&long);
        assert_eq!(lines.len(), 4);
        assert!(lines.iter().all(|line| line.len() <= WIDTH));
        assert_eq!(wrapped(&"x".repeat(200)), ["x".repeat(200)]);
    }
}
