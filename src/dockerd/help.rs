//! What this dockerd says of its flags: `dockerd --help`, asked only where one was wrong, as it takes
//! some 100 ms.

use std::{
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use crate::system::{background::Background, child};

/// So long a dockerd that hangs is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Further to the right than any flag begins.
const FLAGS: usize = 10;

/// The flags that dockerd has.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Help(Vec<Flag>);

/// A line of the help, such as `--mtu int   Set the containers network MTU`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Flag {
    /// Without hyphens.
    pub name: String,
    /// The kind of value, such as `int`; empty for a switch.
    pub takes: String,
    pub meaning: String,
}

impl Help {
    /// Nothing where dockerd does not say it.
    pub fn ask(dockerd: PathBuf) -> Self {
        let asked = Background::start(move || {
            let output = child::program(dockerd)
                .arg("--help")
                .stderr(Stdio::null())
                .output();
            output.map_or_else(
                |_| Self::default(),
                |said| Self::parse(&String::from_utf8_lossy(&said.stdout)),
            )
        });
        asked.wait(Instant::now() + PATIENCE).unwrap_or_default()
    }

    /// Without a terminal dockerd breaks its lines at column 80, and a meaning goes on below itself.
    pub fn parse(text: &str) -> Self {
        let mut flags: Vec<Flag> = Vec::new();
        for line in text.lines() {
            let words = line.trim_start();
            if words.starts_with('-') {
                flags.extend(Flag::parse(line));
            } else if line.len() - words.len() > FLAGS
                && let Some(flag) = flags.last_mut()
            {
                flag.meaning.push(' ');
                flag.meaning.push_str(words.trim_end());
            }
        }
        Self(flags)
    }

    pub fn flag(&self, name: &str) -> Option<&Flag> {
        self.0.iter().find(|flag| flag.name == name)
    }

    /// The flag that was most likely meant; `None` where none is like it.
    pub fn nearest(&self, name: &str) -> Option<&Flag> {
        let distance = |flag: &Flag| strsim::damerau_levenshtein(&flag.name, name);
        let nearest = self.0.iter().min_by_key(|flag| distance(flag))?;
        (distance(nearest) <= 1 + name.len() / 4).then_some(nearest)
    }
}

impl Flag {
    fn parse(line: &str) -> Option<Self> {
        let (flags, meaning) = line.trim_start().split_once("   ")?;
        let long = flags.split(", ").find_map(|flag| flag.strip_prefix("--"))?;
        let (name, takes) = long.split_once(' ').unwrap_or((long, ""));
        Some(Self {
            name: name.to_owned(),
            takes: takes.trim().to_owned(),
            meaning: meaning.trim().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of Docker 26.1.5's.
    const HELP: &str = "\
Usage:  dockerd [OPTIONS]

Options:
      --add-runtime runtime                   Register an additional OCI compatible runtime (default [])
  -D, --debug                                 Enable debug mode
  -H, --host list                             Daemon socket(s) to connect to
      --mtu int                               Set the MTU for the
                                              default \"bridge\" network
                                              (default 1500)
      --registry-mirror list                  Preferred registry mirror
";

    #[test]
    fn every_flag_has_its_kind_and_meaning() {
        let help = Help::parse(HELP);
        assert_eq!(help.0.len(), 5);
        let mtu = help.flag("mtu").unwrap();
        assert_eq!(mtu.takes, "int");
        let meaning = "Set the MTU for the default \"bridge\" network (default 1500)";
        assert_eq!(mtu.meaning, meaning);
        assert_eq!(help.flag("debug").unwrap().takes, "");
        assert_eq!(help.flag("host").unwrap().takes, "list");
    }

    #[test]
    fn what_was_meant_is_near_or_nothing_is() {
        let help = Help::parse(HELP);
        for (wrong, meant) in [
            ("mtuu", Some("mtu")),
            ("registry-mirrors", Some("registry-mirror")),
            ("regstry-miror", Some("registry-mirror")),
            ("bad-flag", None),
        ] {
            let nearest = help.nearest(wrong).map(|flag| flag.name.as_str());
            assert_eq!(nearest, meant, "{wrong}");
        }
    }

    #[test]
    fn a_dockerd_that_is_not_there_has_no_flags() {
        assert_eq!(Help::ask("/nowhere/dockerd".into()), Help::default());
    }
}
