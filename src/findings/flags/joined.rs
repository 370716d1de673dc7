//! A flag and its value, or several flags, in one word: as one types them, and not as a list has them.

use super::corrected::lines;
use crate::{
    dockerd::{flags::Given, help::Help},
    reasons::{Finding, daemon, hole::Hole},
};

/// What dockerd would say of a word that is a flag's name, a space, and its value, for whom it is not
/// asked.
pub fn finding(given: &Given) -> Option<Finding> {
    let words = given.command.iter().chain(&given.variable);
    let flag = words.map(String::as_str).find_map(|word| {
        let (flag, _) = word.split_once(char::is_whitespace)?;
        (flag.starts_with("--") && !flag.contains('=')).then_some(flag)
    })?;
    let said = daemon::FLAG.noted("dockerd ends with \"unknown flag\".");
    Some(told(
        said,
        given,
        word(given, flag)?,
        flag,
        &Help::default(),
    ))
}

/// A word of the user's that holds a flag and its value, or several flags, with spaces between them.
pub(super) fn word<'a>(given: &'a Given, flag: &str) -> Option<&'a str> {
    let words = given.command.iter().chain(&given.variable);
    words.map(String::as_str).find(|word| {
        let rest = word.strip_prefix(flag).unwrap_or_default();
        rest.starts_with(char::is_whitespace) || (rest.starts_with('=') && rest.contains(" -"))
    })
}

/// The finding about such a word, which dockerd takes for the name of one flag, or for its value.
pub(super) fn told(
    finding: Finding,
    given: &Given,
    word: &str,
    flag: &str,
    help: &Help,
) -> Finding {
    let name = flag.trim_start_matches('-');
    let meant = match (help.flag(name), help.nearest(name)) {
        (None, Some(near)) => format!("--{}", near.name),
        _ => flag.to_owned(),
    };
    let mut words: Vec<String> = Vec::new();
    for part in word.replacen(flag, &meant, 1).split_whitespace() {
        match words.last_mut() {
            Some(flag) if !part.starts_with('-') && !flag.contains('=') => {
                flag.push('=');
                flag.push_str(part);
            }
            _ => words.push(part.to_owned()),
        }
    }
    let cause = format!(
        "{}\n{word:?} is one word, with a space in it.",
        finding.cause
    );
    let corrected = lines(given, |all| {
        let at = all.iter().position(|given| given == word)?;
        let mut all = all.to_vec();
        all.splice(at..=at, words.iter().cloned());
        Some(all)
    });
    let corrected = corrected.unwrap_or_default();
    daemon::FLAG
        .advised(cause, daemon::FLAGS_APART, [(Hole::Corrected, corrected)])
        .with_severity(finding.severity)
}

#[cfg(test)]
mod tests {
    use super::super::tests::explained;

    #[test]
    fn a_flag_and_its_value_in_one_word_are_told_apart() {
        for (said, word, corrected) in [
            ("unknown flag: --mtu 1400", "--mtu 1400", "\"--mtu=1400\""),
            ("unknown flag: --mtuu 1400", "--mtuu 1400", "\"--mtu=1400\""),
            (
                "invalid argument \"1400 --debug\" for \"--mtu\" flag: strconv.ParseInt",
                "--mtu=1400 --debug",
                "\"--mtu=1400\", \"--debug\"",
            ),
        ] {
            let finding = explained(said, &["--live-restore", word], "");
            let is_one = format!("{word:?} is one word");
            assert!(finding.cause.contains(&is_one), "{finding}");
            let lines = format!("command: [\"--live-restore\", {corrected}]");
            assert!(finding.fix.ends_with(&lines), "{finding}");
        }
        let of_a_variable = explained("unknown flag: --mtu 1400", &[], "'--mtu 1400' -D");
        assert!(
            of_a_variable
                .fix
                .contains("DIND_DOCKERD_ARGS: \"'--mtu=1400' -D\""),
            "{of_a_variable}"
        );
    }
}
