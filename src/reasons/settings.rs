//! Reasons in what the service was told by variables.

use super::{Finding, Ignoring};
use crate::settings::InvalidVariable;

catalogue! { Settings:

/// A variable whose value is not accepted. dockerd is not started: it would not be the one that was
/// asked for.
INVALID = Fatal "SETTINGS-INVALID" {
    summary: "a variable has a value that the service does not take",
    advice: "\
Correct the variable that the cause names where it is set: in .gitlab-ci.yml, or in `environment` of
the runner's config.toml. What each takes, in a shell of the image:
    dind-init --help",
    ignoring: Ignoring::Impossible("nobody knows what was meant"),
}

}

/// What is wrong with the variable, and the place where its value comes from.
pub fn invalid(error: &InvalidVariable) -> Finding {
    let fix = match error.name.strip_prefix("DIND_INPUT_") {
        Some(input) => format!(
            "Correct the component's input {} in .gitlab-ci.yml, at its `inputs:`.",
            input.to_ascii_lowercase().replace('_', "-")
        ),
        None => INVALID.advice.to_owned(),
    };
    INVALID.found(format!("{error}."), fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_named_and_the_place_where_it_is_set() {
        let finding = |name| {
            invalid(&InvalidVariable {
                name,
                value: "small".into(),
                accepted: "a number".into(),
            })
        };
        let own = finding("DIND_MTU");
        assert_eq!(
            own.cause,
            "the variable DIND_MTU has the value \"small\", but it must be a number."
        );
        assert!(own.fix.contains("config.toml"), "{}", own.fix);
        let input = finding("DIND_INPUT_REGISTRY_MIRRORS");
        assert!(
            input.fix.contains("input registry-mirrors in"),
            "{}",
            input.fix
        );
    }
}
