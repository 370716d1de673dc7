//! dockerd met a registry that it does not trust: what is known of that registry here.

use super::trust::Trust;
use crate::{
    reasons::{Finding, registry},
    settings::registry_host::RegistryHost,
};

/// Adds to the finding, if that is what it is about, which registry it was, what was trusted for
/// it, and the name of the file that is missing.
pub fn with_what_is_known(finding: Finding, trust: &Trust) -> Finding {
    if finding.reason != &registry::UNTRUSTED {
        return finding;
    }
    let Some(host) = host_in(&finding.cause) else {
        return finding;
    };
    let trusted = match trust.registries.get(&host) {
        Some(registry) if !registry.authorities.is_empty() => {
            let names: Vec<_> = registry.authorities.iter().map(|ca| &*ca.subject).collect();
            format!(
                "For {host} these CAs are installed, and none of them signed it: {}.",
                names.join(", ")
            )
        }
        _ => format!("No CA is installed for {host}."),
    };
    let cause = format!("{}\n{trusted}", finding.cause);
    registry::UNTRUSTED
        .met_with(cause, registry::registry(&host.to_string()))
        .with_severity(finding.severity)
}

/// The host of the first URL.
fn host_in(text: &str) -> Option<RegistryHost> {
    let (_, rest) = text.split_once("https://")?;
    let end = rest.find(['/', '"', '\\', ' ']).unwrap_or(rest.len());
    RegistryHost::parse(&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{samples::authority, trust::Registry};

    const SAID: &str = "dockerd says: Error getting v2 registry: Get \"https://reg.test:5001/v2/\": \
                        tls: failed to verify certificate: x509: certificate signed by unknown authority";

    #[test]
    fn the_missing_file_is_named() {
        let finding =
            with_what_is_known(registry::UNTRUSTED.shown_in(SAID, SAID), &Trust::default());
        assert!(
            finding
                .cause
                .contains("No CA is installed for reg.test:5001"),
            "{finding}"
        );
        assert!(
            finding.fix.contains("\"ca.crt\" = \"reg.test_5001.crt\""),
            "{finding}"
        );
    }

    #[test]
    fn a_ca_that_is_the_wrong_one_is_named() {
        let mut trust = Trust::default();
        let registry_ca = Registry {
            authorities: vec![authority("Old CA").certificate()],
            ..Registry::default()
        };
        let host = RegistryHost::parse("reg.test:5001").unwrap();
        trust.registries.insert(host, registry_ca);
        let finding = with_what_is_known(registry::UNTRUSTED.shown_in(SAID, SAID), &trust);
        assert!(
            finding.cause.contains("none of them signed it: CN=Old CA"),
            "{finding}"
        );
    }

    #[test]
    fn what_names_no_registry_and_what_is_about_something_else_stays_as_it_is() {
        for finding in [
            registry::UNTRUSTED.shown_in("x509: certificate signed by unknown authority", ""),
            registry::EXPIRED.met(SAID),
        ] {
            assert_eq!(
                with_what_is_known(finding.clone(), &Trust::default()),
                finding
            );
        }
    }
}
