//! A variable that is wrong, and what there is to say about it.

use std::fmt;

use crate::reasons::{Finding, hole::Hole, printable, settings};

/// A variable whose value is not accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidVariable {
    pub name: &'static str,
    pub value: String,
    /// What is accepted, as the end of the sentence "it must be …".
    pub accepted: String,
}

impl InvalidVariable {
    /// What is wrong with the variable, and the place where its value comes from.
    pub fn finding(&self) -> Finding {
        let cause = format!("{self}.");
        match self.name.strip_prefix("DIND_INPUT_") {
            Some(input) => {
                let input = input.to_ascii_lowercase().replace('_', "-");
                settings::INVALID.advised(cause, settings::OF_INPUT, [(Hole::Input, input)])
            }
            None => settings::INVALID.met(cause),
        }
    }
}

impl fmt::Display for InvalidVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the variable {} has the value \"{}\", but it must be {}",
            self.name,
            printable::value(&self.value),
            self.accepted
        )
    }
}

impl std::error::Error for InvalidVariable {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_named_and_the_place_where_it_is_set() {
        let finding = |name| {
            InvalidVariable {
                name,
                value: "small".into(),
                accepted: "a number".into(),
            }
            .finding()
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
