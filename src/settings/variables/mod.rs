//! All variables of dind-init's own, in one table: what they are called, what they take, what counts
//! where they are not set, and what they mean.
//!
//! The parser, `--help`, README's table, the component's inputs and the messages about a value that
//! is wrong are made from it, or held against it by a test.

mod help;
pub mod names;
mod table;
pub mod unread;

use std::{fmt, ops::RangeInclusive};

pub use self::{help::help, names::misspelt, table::*, unread::unread};
use super::InvalidVariable;

/// A variable of our own.
#[derive(Debug)]
pub struct Variable {
    pub name: &'static str,
    /// The variable of the component's input, where it has one.
    pub input: Option<&'static str>,
    pub unset: Unset,
    pub accepted: Accepted,
    /// A sentence without its full stop.
    pub meaning: &'static str,
}

/// What counts where a variable is unset or empty.
#[derive(Debug)]
pub enum Unset {
    /// The same as this value.
    Is(&'static str),
    /// What this says.
    Means(&'static str),
    /// Nothing of the kind.
    Nothing,
}

/// What a variable takes. Written as the end of the sentence "it must be …".
#[derive(Clone, Debug)]
pub enum Accepted {
    OneOf(&'static [&'static str]),
    /// One of the words, or a number of `unit`.
    Number {
        words: &'static [&'static str],
        unit: &'static str,
        range: RangeInclusive<u16>,
    },
    Text(&'static str),
}

impl Variable {
    /// That `value` is not accepted; `name` is the variable that holds it: this one, or its input's.
    pub fn refuse(&self, name: &'static str, value: String) -> InvalidVariable {
        InvalidVariable {
            name,
            value,
            accepted: self.accepted.to_string(),
        }
    }
}

impl Accepted {
    /// The same where there is a choice, and the meaning does not say it already.
    pub fn in_short(&self) -> Option<String> {
        match self {
            Self::OneOf(words) => (words.len() > 1).then(|| self.to_string()),
            Self::Number { .. } => Some(self.to_string()),
            Self::Text(_) => None,
        }
    }
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneOf(words) => f.write_str(&words.join(" or ")),
            Self::Number { words, unit, range } => {
                if !words.is_empty() {
                    write!(f, "{} or ", words.join(", "))?;
                }
                write!(
                    f,
                    "a number of {unit} from {} to {}",
                    range.start(),
                    range.end()
                )
            }
            Self::Text(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;
    use crate::settings::Settings;

    fn read(path: &str) -> String {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
    }

    /// A row of README's table.
    fn row(variable: &Variable) -> String {
        let unset = match variable.unset {
            Unset::Is(value) => format!("`{value}` "),
            Unset::Means(what) => format!("{what} "),
            Unset::Nothing => String::new(),
        };
        let accepted = variable.accepted.in_short();
        let accepted = accepted.map(|accepted| format!(" ({accepted})"));
        format!(
            "| `{}` | {unset}| {}{} |",
            variable.name,
            variable.meaning,
            accepted.unwrap_or_default()
        )
    }

    #[test]
    fn readme_has_each_row_and_no_other() {
        const PATH: &str = "README.md";
        let readme = read(PATH);
        let rows: Vec<_> = TABLE.map(row).into();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            let is_row = |line: &&str| line.starts_with("| `DIND_");
            let first = readme.lines().position(|line| is_row(&line)).unwrap();
            let mut lines: Vec<_> = readme.lines().filter(|line| !is_row(line)).collect();
            let new = rows.iter().map(String::as_str);
            lines.splice(first..first, new);
            fs::write(
                Path::new(env!("CARGO_MANIFEST_DIR")).join(PATH),
                lines.join("\n") + "\n",
            )
            .unwrap();
        }
        let readme = read(PATH);
        let found: Vec<_> = readme
            .lines()
            .filter(|line| line.starts_with("| `DIND_"))
            .collect();
        assert_eq!(
            found, rows,
            "README's table is stale; write it with UPDATE_DOCS=1"
        );
    }

    #[test]
    fn the_component_sets_the_variables_of_inputs_that_are_read_and_no_other() {
        let component = read("component/dind.yml");
        let set: BTreeSet<_> = component
            .lines()
            .filter_map(|line| line.trim().split_once(':'))
            .map(|(name, _)| name)
            .filter(|name| name.starts_with("DIND_INPUT_"))
            .collect();
        let read = names::known().filter(|name| name.starts_with("DIND_INPUT_"));
        assert_eq!(set, read.collect());
    }

    #[test]
    fn every_default_is_accepted_and_what_is_not_accepted_is_said_in_the_table_s_words() {
        let parse = |name: &str, value: &str| {
            Settings::parse(&|asked| match asked {
                _ if asked == name => Some(value.to_owned()),
                "DOCKER_TLS_CERTDIR" => Some("/certs".to_owned()),
                _ => None,
            })
        };
        let unset = parse("", "").unwrap();
        for variable in TABLE {
            if let Unset::Is(value) = variable.unset {
                assert_eq!(
                    parse(variable.name, value),
                    Ok(unset.clone()),
                    "{}",
                    variable.name
                );
            }
            let words = match &variable.accepted {
                Accepted::OneOf(words) => *words,
                Accepted::Number { words, .. } => *words,
                Accepted::Text(_) => continue,
            };
            for word in words {
                assert!(
                    parse(variable.name, word).is_ok(),
                    "{} {word}",
                    variable.name
                );
            }
            // Only `run` knows it, which is told apart from this by its first word.
            if variable.name != INIT.name {
                let error = parse(variable.name, "no-such-value").unwrap_err();
                assert_eq!(error.accepted, variable.accepted.to_string());
            }
        }
    }

    #[test]
    fn the_bounds_of_numbers_are_the_table_s() {
        for variable in TABLE {
            let Accepted::Number { range, .. } = &variable.accepted else {
                continue;
            };
            let is_accepted = |number: u32| {
                let environment = |asked: &str| match asked {
                    _ if asked == variable.name => Some(number.to_string()),
                    "DOCKER_TLS_CERTDIR" => Some("/certs".to_owned()),
                    _ => None,
                };
                Settings::parse(&environment).is_ok()
            };
            let (start, end) = (u32::from(*range.start()), u32::from(*range.end()));
            let accepted = [start - 1, start, end, end + 1].map(is_accepted);
            assert_eq!(accepted, [false, true, true, false], "{}", variable.name);
        }
    }
}
