//! `DIND_IGNORE`: findings that the user knows of and goes on in spite of.

use crate::reasons::{self, Finding, Ignoring, Reason, Severity};

use super::{Environment, InvalidVariable, variables::IGNORE};

/// The reasons that become warnings.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ignored(Vec<&'static Reason>);

impl Ignored {
    /// Ids with commas between them; each must be one of the catalogue that can be ignored.
    pub fn parse(environment: Environment<'_>) -> Result<Self, InvalidVariable> {
        let list = environment(IGNORE.name).unwrap_or_default();
        list.split(',')
            .map(str::trim)
            .filter(|id| !id.is_empty())
            .map(|id| {
                let refused = |accepted: String| InvalidVariable {
                    name: IGNORE.name,
                    value: id.to_owned(),
                    accepted,
                };
                let reason =
                    reasons::by_id(id).ok_or_else(|| refused(IGNORE.accepted.to_string()))?;
                match reason.ignoring {
                    Ignoring::Possible(_) => Ok(reason),
                    Ignoring::Impossible(why) => {
                        Err(refused(format!("ids that can be ignored: {why}")))
                    }
                }
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The finding, milder if it is to be ignored.
    pub fn apply(&self, finding: Finding) -> Finding {
        let is_ignored = self.0.iter().any(|reason| **reason == *finding.reason);
        match is_ignored && finding.severity < Severity::Warning {
            true => finding.with_severity(Severity::Warning),
            false => finding,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reasons::{network, storage};

    fn parse(list: &str) -> Result<Ignored, InvalidVariable> {
        Ignored::parse(&|name| (name == "DIND_IGNORE").then(|| list.to_owned()))
    }

    #[test]
    fn what_is_ignored_becomes_a_warning_and_the_rest_stays() {
        let ignored = parse(" NETWORK-NAT-MISSING, network-mtu,").unwrap();
        let nat = ignored.apply(network::NAT_MISSING.noted("x"));
        assert_eq!(nat.severity, Severity::Warning);
        let storage = ignored.apply(storage::READONLY.noted("x"));
        assert_eq!(storage.severity, Severity::Fatal);
        let note = network::MTU.noted("x").with_severity(Severity::Note);
        assert_eq!(ignored.apply(note).severity, Severity::Note);
        assert_eq!(parse(""), Ok(Ignored::default()));
    }

    #[test]
    fn an_id_that_does_not_exist_or_cannot_be_ignored_is_named() {
        for (list, id, accepted) in [
            (
                "NETWORK-MTU,NETWORK-MUT",
                "NETWORK-MUT",
                "ids that dind-init",
            ),
            ("CERTS-READONLY", "CERTS-READONLY", "can be ignored"),
        ] {
            let message = parse(list).unwrap_err().to_string();
            for part in ["DIND_IGNORE", id, accepted] {
                assert!(message.contains(part), "{part} in {message}");
            }
        }
    }
}
