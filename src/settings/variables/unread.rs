//! Variables that dockerd's flags were put into elsewhere, and that no dind image reads.

use crate::{
    reasons::{Finding, hole::Hole, settings},
    settings::{Environment, non_empty, surroundings},
};

/// `/etc/default/docker` of Debian's and Ubuntu's init scripts, and jpetazzo/dind, which came before
/// docker:dind.
pub const UNREAD: [&str; 2] = ["DOCKER_OPTS", "DOCKER_DAEMON_ARGS"];

/// A finding for each that is set: who set it waits for what it says.
pub fn unread(environment: Environment<'_>) -> impl Iterator<Item = Finding> {
    let set = UNREAD.into_iter();
    set.filter_map(move |name| Some(of(name, &non_empty(environment, name)?)))
}

/// The same of one of them.
pub fn of(name: &str, value: &str) -> Finding {
    let cause =
        format!("{name} is {value:?}, and neither dockerd nor the service's image reads it.");
    let data = [
        (Hole::Unread, name.to_owned()),
        (Hole::UnreadFlags, surroundings::in_double_quotes(value)),
    ];
    settings::UNREAD.met_with(cause, data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn flags_that_nobody_reads_are_told_where_they_are_read() {
        let environment = |name: &str| match name {
            "DOCKER_OPTS" => Some("--insecure-registry=r:5000 --label \"a b\"".to_owned()),
            "DIND_DOCKERD_ARGS" => Some("--debug".to_owned()),
            _ => None,
        };
        let surroundings = Settings::parse(&environment).unwrap().surroundings();
        let told: Vec<_> = unread(&environment)
            .map(|finding| finding.told_in(&surroundings))
            .collect();
        let [finding] = told.as_slice() else {
            panic!("{told:?}")
        };
        assert!(finding.cause.contains("DOCKER_OPTS is"), "{finding}");
        let line = "DIND_DOCKERD_ARGS: \"--debug --insecure-registry=r:5000 --label \\\"a b\\\"\"";
        assert!(finding.fix.ends_with(line), "{finding}");
        assert_eq!(unread(&|_| None).count(), 0);
    }
}
