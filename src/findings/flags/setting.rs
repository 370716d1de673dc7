//! A setting that dockerd cannot follow here, and that one of the user's own flags says.

use super::corrected::{corrected, is_flag};
use crate::{
    dockerd::flags::Given,
    reasons::{Finding, daemon, hole::Hole},
};

/// The finding with the flag taken out of where it stands.
pub fn with_a_setting(finding: Finding, given: &Given) -> Finding {
    let is_about_a_setting =
        *finding.reason == daemon::SETTING || *finding.reason == daemon::CONTAINER_SETTING;
    if !is_about_a_setting {
        return finding;
    }
    let taken_out = |(_, name): (_, &str)| {
        let flag = format!("--{name}");
        let words = given.command.iter().chain(&given.variable);
        // Which of several is meant is not known here.
        let is_once = words.filter(|word| is_flag(word, &flag)).count() == 1;
        let corrected = corrected(given, &flag, None).filter(|_| is_once)?;
        let data = [
            (Hole::Setting, name.to_owned()),
            (Hole::Corrected, corrected),
        ];
        let told = finding
            .reason
            .advised(finding.cause.clone(), daemon::SETTING_OF_FLAGS, data);
        Some(told.with_severity(finding.severity))
    };
    daemon::setting(&finding.cause)
        .and_then(taken_out)
        .unwrap_or(finding)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    #[test]
    fn a_setting_of_the_user_s_own_flags_is_taken_out_of_them() {
        let said = "failed to start daemon: specified default runtime 'nvidia' does not exist";
        let finding = daemon::SETTING.shown_in(format!("dockerd says: {said}"), said);
        assert!(
            finding
                .fix
                .starts_with("Take `default-runtime` out of daemon.json"),
            "{finding}"
        );
        for (command, fix) in [
            ("--default-runtime nvidia --debug", "command: [\"--debug\"]"),
            ("--debug", "out of daemon.json"),
            // Which one?
            (
                "--default-runtime=nvidia --default-runtime=other",
                "out of daemon.json",
            ),
        ] {
            let words: Vec<_> = command.split(' ').map(OsString::from).collect();
            let told = with_a_setting(finding.clone(), &Given::new(&words, ""));
            assert!(told.fix.contains(fix), "{command}: {told}");
            assert_eq!(told.cause, finding.cause);
        }
    }
}
