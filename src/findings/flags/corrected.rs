//! The user's own flags with something changed, as lines to paste.

use crate::dockerd::flags::Given;

/// A value of a flag, and what was meant.
#[derive(Debug)]
pub struct Correction {
    pub flag: String,
    pub value: String,
    pub meant: String,
}

/// The lines with all of these values corrected; `None` where they are not in the user's flags.
pub fn with_values(given: &Given, corrections: &[Correction]) -> Option<String> {
    lines(given, |words| {
        let mut corrected = words.to_vec();
        for Correction { flag, value, meant } in corrections {
            let inline = format!("{flag}={value}");
            for at in 0..words.len() {
                if words[at] == inline {
                    corrected[at] = format!("{flag}={meant}");
                } else if at > 0 && words[at - 1] == *flag && words[at] == *value {
                    corrected[at].clone_from(meant);
                }
            }
        }
        (corrected != words).then_some(corrected)
    })
}

/// The lines with the flag that was meant in its place, or without it.
pub(super) fn corrected(given: &Given, flag: &str, meant: Option<&str>) -> Option<String> {
    lines(given, |words| replaced(words, flag, meant))
}

/// The lines that give these flags, changed.
pub(super) fn lines(
    given: &Given,
    change: impl Fn(&[String]) -> Option<Vec<String>>,
) -> Option<String> {
    if let Some(words) = change(&given.command) {
        let words: Vec<_> = words.iter().map(|word| format!("{word:?}")).collect();
        return Some(format!("command: [{}]", words.join(", ")));
    }
    let value = shell_words::join(change(&given.variable)?);
    Some(format!("variables:\n  DIND_DOCKERD_ARGS: {value:?}"))
}

/// `None` where the flag is not among the words.
fn replaced(words: &[String], flag: &str, meant: Option<&str>) -> Option<Vec<String>> {
    let at = words.iter().position(|word| is_flag(word, flag))?;
    let mut words = words.to_vec();
    match meant {
        Some(meant) => words[at] = words[at].replacen(flag, meant, 1),
        None => {
            let has_value_beside = words[at] == flag;
            words.remove(at);
            if has_value_beside && words.get(at).is_some_and(|next| !next.starts_with('-')) {
                words.remove(at);
            }
        }
    }
    Some(words)
}

/// Whether the word is this flag, with a value or without.
pub(super) fn is_flag(word: &str, flag: &str) -> bool {
    let rest = word.strip_prefix(flag);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    #[test]
    fn values_are_corrected_where_they_were_given() {
        let correction = |flag: &str, value: &str, meant: &str| Correction {
            flag: flag.into(),
            value: value.into(),
            meant: meant.into(),
        };
        let corrections = [
            correction("--registry-mirror", "m", "https://m"),
            correction("--registry-mirror", "n", "https://n"),
            correction("--insecure-registry", "", "r:5000"),
        ];
        for (command, variable, lines) in [
            (
                "-D --registry-mirror=m --registry-mirror n m",
                "",
                Some(
                    "command: [\"-D\", \"--registry-mirror=https://m\", \"--registry-mirror\", \
                     \"https://n\", \"m\"]",
                ),
            ),
            (
                "-D",
                "--insecure-registry '' --debug",
                Some("variables:\n  DIND_DOCKERD_ARGS: \"--insecure-registry r:5000 --debug\""),
            ),
            ("-D --registry-mirror=o", "--insecure-registry s", None),
        ] {
            let words: Vec<_> = command.split(' ').map(OsString::from).collect();
            let corrected = with_values(&Given::new(&words, variable), &corrections);
            assert_eq!(corrected.as_deref(), lines, "{command} {variable}");
        }
    }
}
