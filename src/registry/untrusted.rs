//! dockerd met a registry that it does not trust: what is known of that registry here.

use super::trust::Trust;
use crate::{
    reasons::{Finding, registry},
    settings::{registry::DEFAULT_DIRECTORY, registry_host::RegistryHost},
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
    Finding {
        cause: format!("{}\n{trusted}", finding.cause),
        fix: fix(&host),
        ..finding
    }
}

/// What to paste to have a CA trusted for `host`.
pub fn fix(host: &RegistryHost) -> String {
    let file = host.to_string().replace(':', "_");
    format!(
        "mount the certificate of the CA that signed it, in the runner's config.toml:\n\
         [[runners.kubernetes.volumes.secret]]\n  name = \"registry-ca\"\n  \
         mount_path = \"{DEFAULT_DIRECTORY}\"\n  [runners.kubernetes.volumes.secret.items]\n    \
         \"ca.crt\" = \"{file}.crt\"\n\
         With the Docker executor: volumes = [\"/srv/ca.crt:{DEFAULT_DIRECTORY}/{file}.crt:ro\", …] \
         in [runners.docker]"
    )
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
        let finding = with_what_is_known(registry::UNTRUSTED.met(SAID), &Trust::default());
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
        let lines = finding.fix.lines().skip(1).take(5);
        let toml: toml::Table = lines.collect::<Vec<_>>().join("\n").parse().unwrap();
        assert!(toml.contains_key("runners"));
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
        let finding = with_what_is_known(registry::UNTRUSTED.met(SAID), &trust);
        assert!(
            finding.cause.contains("none of them signed it: CN=Old CA"),
            "{finding}"
        );
    }

    #[test]
    fn what_names_no_registry_and_what_is_about_something_else_stays_as_it_is() {
        for finding in [
            registry::UNTRUSTED.met("x509: certificate signed by unknown authority"),
            registry::EXPIRED.met(SAID),
        ] {
            assert_eq!(
                with_what_is_known(finding.clone(), &Trust::default()),
                finding
            );
        }
    }
}
