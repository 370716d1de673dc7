//! The container's arguments: which form of the official entrypoint they are, and those dockerd
//! flags among them that concern our sockets.

use std::ffi::OsString;

/// The forms that the official entrypoint tells apart.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Invocation {
    /// Nothing, or flags: dockerd with our sockets and certificates, these flags last.
    Defaults(Vec<OsString>),
    /// `dockerd …`: this very command line; no sockets, no certificates.
    Dockerd(Vec<OsString>),
    /// Anything else: a command with the environment of a Docker client.
    Client(Vec<OsString>),
}

impl Invocation {
    pub fn parse(arguments: Vec<OsString>) -> Self {
        match arguments.first() {
            None => Self::Defaults(arguments),
            Some(first) if first.as_encoded_bytes().starts_with(b"-") => Self::Defaults(arguments),
            Some(first) if first == "dockerd" => Self::Dockerd(arguments),
            Some(_) => Self::Client(arguments),
        }
    }
}

impl Invocation {
    /// What is said to dockerd: flags alone, or all of its command line.
    pub fn dockerd_arguments(&self) -> &[OsString] {
        match self {
            Self::Defaults(arguments) | Self::Dockerd(arguments) => arguments,
            Self::Client(_) => &[],
        }
    }
}

/// The flags that a user gave, and where.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Given {
    /// The service's `command`.
    pub command: Vec<String>,
    /// `DIND_DOCKERD_ARGS`.
    pub variable: Vec<String>,
}

impl Given {
    pub fn new(command: &[OsString], variable: &str) -> Self {
        let command = command
            .iter()
            .map(|word| word.to_string_lossy().into_owned());
        Self {
            command: command.collect(),
            variable: shell_words::split(variable).unwrap_or_default(),
        }
    }
}

/// dockerd's flags with those taken out that we must know.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Flags {
    /// `-H`, `--host`, in order.
    pub hosts: Vec<String>,
    /// `-G`, `--group`.
    pub group: Option<String>,
    /// `--config-file`.
    pub config_file: Option<String>,
    /// All others, and those above but the hosts, as they were.
    pub others: Vec<OsString>,
}

impl Flags {
    /// Reads flags in every spelling that dockerd takes (spf13/pflag): `--host x`, `--host=x`,
    /// `-H x`, `-Hx`, `-H=x`.
    pub fn parse(arguments: &[OsString]) -> Self {
        let mut flags = Self::default();
        let mut rest = arguments.iter();
        while let Some(word) = rest.next() {
            let Some((flag, inline)) = word.to_str().and_then(split) else {
                flags.others.push(word.clone());
                continue;
            };
            let mut words = vec![word.clone()];
            let value = inline.or_else(|| {
                let next = rest.next()?;
                words.push(next.clone());
                Some(next.to_string_lossy().into_owned())
            });
            match (flag, value) {
                (Known::Host, Some(value)) => flags.hosts.push(value),
                (known, value) => {
                    flags.others.append(&mut words);
                    match known {
                        Known::Group => flags.group = value,
                        Known::ConfigFile => flags.config_file = value,
                        Known::Host => {}
                    }
                }
            }
        }
        flags
    }
}

enum Known {
    Host,
    Group,
    ConfigFile,
}

/// The flag that a word is, and its value where the word holds it too.
fn split(word: &str) -> Option<(Known, Option<String>)> {
    let (name, value) = match word.strip_prefix("--") {
        Some(long) => match long.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (long, None),
        },
        None => {
            let short = word.strip_prefix('-')?;
            let (name, value) = short.split_at_checked(1)?;
            let value = value.strip_prefix('=').unwrap_or(value);
            (name, (short.len() > 1).then_some(value))
        }
    };
    let known = match name {
        "host" | "H" => Known::Host,
        "group" | "G" => Known::Group,
        "config-file" => Known::ConfigFile,
        _ => return None,
    };
    Some((known, value.map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn the_forms_are_told_apart_as_official_does() {
        for (arguments, form) in [
            ("", "Defaults"),
            ("--mtu=1450", "Defaults"),
            ("-D", "Defaults"),
            ("dockerd --host=fd://", "Dockerd"),
            ("docker info", "Client"),
            ("sh -c true", "Client"),
        ] {
            let invocation = format!("{:?}", Invocation::parse(words(arguments)));
            assert!(invocation.starts_with(form), "{arguments}: {invocation}");
        }
    }

    #[test]
    fn hosts_are_found_in_every_spelling_and_taken_out() {
        for spelling in [
            "--host=tcp://:1",
            "--host tcp://:1",
            "-H tcp://:1",
            "-Htcp://:1",
            "-H=tcp://:1",
        ] {
            let flags = Flags::parse(&words(&format!("--debug {spelling} --mtu 1400")));
            assert_eq!(flags.hosts, ["tcp://:1"], "{spelling}");
            assert_eq!(flags.others, words("--debug --mtu 1400"), "{spelling}");
        }
    }

    #[test]
    fn the_other_flags_stay_where_they_are() {
        let arguments = words("-G ci --config-file=/x.json --label a=b -D");
        let flags = Flags::parse(&arguments);
        assert_eq!(flags.group.as_deref(), Some("ci"));
        assert_eq!(flags.config_file.as_deref(), Some("/x.json"));
        assert_eq!(flags.others, arguments);
        // A flag without its value is dockerd's to complain about.
        assert_eq!(Flags::parse(&words("--host")).others, words("--host"));
    }
}
