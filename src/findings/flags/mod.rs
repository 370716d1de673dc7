//! A flag that dockerd did not take, or cannot follow: which it is, what was meant, and what to write
//! instead.

mod corrected;
mod joined;
mod setting;

use self::corrected::corrected;
pub use self::{
    corrected::{Correction, with_values},
    joined::finding as joined,
    setting::with_a_setting,
};
use crate::{
    dockerd::{flags::Given, help::Help},
    reasons::{Finding, daemon, hole::Hole},
};

/// The finding with what is known of the flag, if that is what it is about.
pub fn with_what_is_known(finding: Finding, given: &Given, help: impl FnOnce() -> Help) -> Finding {
    if *finding.reason != daemon::FLAG {
        return with_a_setting(finding, given);
    }
    let Some(flag) = flag_in(&finding.cause) else {
        return finding;
    };
    let help = help();
    if let Some(word) = joined::word(given, &flag) {
        return joined::told(finding, given, word, &flag, &help);
    }
    let name = flag.trim_start_matches('-');
    let (said, meant) = match (help.flag(name), help.nearest(name)) {
        (Some(known), _) => (
            format!("{flag} takes {}: {}.", kind(&known.takes), known.meaning),
            None,
        ),
        (None, Some(near)) => (
            format!(
                "The nearest flag that it has is --{}: {}.",
                near.name, near.meaning
            ),
            Some(format!("--{}", near.name)),
        ),
        (None, None) => (String::new(), None),
    };
    let cause = match said.as_str() {
        "" => finding.cause.clone(),
        said => format!("{}\n{said}", finding.cause),
    };
    let advice = match meant {
        Some(_) => daemon::FLAG_MEANT,
        None => daemon::FLAG_TO_LEAVE_OUT,
    };
    match corrected(given, &flag, meant.as_deref()) {
        Some(corrected) => daemon::FLAG
            .advised(
                cause,
                advice,
                [(Hole::Flag, flag), (Hole::Corrected, corrected)],
            )
            .with_severity(finding.severity),
        // Of daemon.json's making, or of an input's.
        None => finding.with_cause(cause),
    }
}

fn kind(takes: &str) -> &str {
    match takes {
        "" => "true or false",
        takes => takes,
    }
}

/// The flag in pflag's words (spf13/pflag `errors.go`), with its hyphens.
fn flag_in(said: &str) -> Option<String> {
    let after = |marker: &str| said.split_once(marker).map(|(_, rest)| rest);
    let word = |text: &str| {
        let end = text.find(|c: char| c != '-' && !c.is_ascii_alphanumeric());
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let flag = if let Some(rest) = after("unknown flag: ").or(after("flag needs an argument: ")) {
        word(rest)
    } else if let Some(rest) = after("unknown shorthand flag: '") {
        format!("-{}", word(rest))
    } else {
        // `for "-H, --host" flag`
        let quoted = after("\" for \"")?.split('"').next()?;
        word(quoted.rsplit(", ").next()?)
    };
    (!flag.trim_start_matches('-').is_empty()).then_some(flag)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const HELP: &str = "      --mtu int      Set the containers network MTU (default 1500)\n      \
                        --registry-mirror list      Preferred registry mirror\n  \
                        -D, --debug      Enable debug mode\n";

    pub(super) fn explained(said: &str, command: &[&str], variable: &str) -> Finding {
        let command: Vec<_> = command.iter().map(Into::into).collect();
        let finding = daemon::FLAG.shown_in(format!("dockerd says: {said}"), said);
        let given = Given::new(&command, variable);
        with_what_is_known(finding, &given, || Help::parse(HELP))
    }

    #[test]
    fn a_misspelled_flag_is_told_as_it_was_meant() {
        let finding = explained(
            "unknown flag: --mtuu",
            &["--registry-mirror=https://m", "--mtuu=1400"],
            "",
        );
        assert!(
            finding
                .cause
                .contains("--mtu: Set the containers network MTU")
        );
        assert_eq!(
            finding.fix,
            "Correct --mtuu, in .gitlab-ci.yml:\n    \
             command: [\"--registry-mirror=https://m\", \"--mtu=1400\"]"
        );
        let finding = explained("unknown flag: --mtuu", &[], "--mtuu 1400 -D");
        assert!(
            finding.fix.contains("DIND_DOCKERD_ARGS: \"--mtu 1400 -D\""),
            "{finding}"
        );
    }

    #[test]
    fn a_wrong_value_is_told_with_what_is_taken() {
        let said = "invalid argument \"abc\" for \"--mtu\" flag: strconv.ParseInt: parsing \"abc\"";
        let finding = explained(said, &["--debug", "--mtu", "abc"], "");
        assert!(
            finding.cause.contains("--mtu takes int: Set the"),
            "{finding}"
        );
        assert!(finding.fix.contains("command: [\"--debug\"]"), "{finding}");
        let short = explained(
            "invalid argument \"x\" for \"-D, --debug\" flag: y",
            &[],
            "",
        );
        assert!(
            short.cause.contains("--debug takes true or false"),
            "{short}"
        );
    }

    #[test]
    fn what_nobody_knows_stays_as_it_is() {
        let unknown = explained(
            "unknown flag: --nothing-like-it",
            &["--nothing-like-it"],
            "",
        );
        assert!(unknown.fix.contains("command: []"), "{unknown}");
        let of_file = explained("unknown flag: --mtuu", &[], "");
        assert!(of_file.fix.contains("DIND_DOCKERD_ARGS"), "{of_file}");
        let other = daemon::INIT.met("x");
        let same = with_what_is_known(other.clone(), &Given::default(), Help::default);
        assert_eq!(same, other);
    }
}
