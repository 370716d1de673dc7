//! `dind-init certs`: the certificates alone.

use super::start;
use crate::{
    commands::cli::USAGE,
    facts::mounts::Mounts,
    pki::{self, ClientKeyInTheMaking},
    reasons::Finding,
    report::log,
    service,
    settings::{CertificateSettings, Settings},
};

/// Makes the certificates and returns the exit status.
pub fn certs() -> u8 {
    let settings = match start() {
        Ok(settings) => settings,
        Err(status) => return status,
    };
    let Some(certificates) = &settings.certificates else {
        tracing::error!(
            "fatal: DOCKER_TLS_CERTDIR is empty, so there is no place for certificates; \
             set it to a directory such as /certs"
        );
        return USAGE;
    };
    match make(certificates, &settings) {
        Ok(()) => 0,
        Err(finding) => {
            log::finding(&finding);
            finding.reason.layer.exit_status()
        }
    }
}

fn make(certificates: &CertificateSettings, settings: &Settings) -> Result<(), Finding> {
    let key = ClientKeyInTheMaking::start(certificates.client_key);
    let mounts = Mounts::read().unwrap_or_default();
    let made = service::certificates::prepare(certificates, settings, &mounts, pki::LOCK_PATIENCE)?;
    made.findings.iter().for_each(log::finding);
    tracing::info!("{}", made.decision.to_string().replace('\n', "; "));
    match made.pending {
        Some(client) => client.publish(key),
        None => Ok(()),
    }
}
