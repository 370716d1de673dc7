//! The registry of GitLab, asked for its certificate.

use std::thread;

use time::OffsetDateTime;

use crate::{
    registry::{Registries, install, probe},
    report::Report,
    settings::registry::RegistrySettings,
};

/// Asks GitLab's registry for its certificate, beside everything else, if that is wanted.
pub fn start_probe(settings: &RegistrySettings, registries: &Registries, report: Report) {
    let Some(host) = settings.gitlab_registry.clone().filter(|_| settings.probe) else {
        return;
    };
    let trust = registries.trust().clone();
    let ask = move || {
        let system = install::system_certificates();
        match probe::probe(&host, &trust, &system, OffsetDateTime::now_utc()) {
            Ok(None) => tracing::info!("{host} presents a certificate that is trusted"),
            Ok(Some(finding)) => report.finding(&finding),
            Err(why) => tracing::warn!("{host} cannot be asked for its certificate: {why}"),
        }
    };
    if let Err(error) = thread::Builder::new().name("probe".into()).spawn(ask) {
        tracing::warn!("the registry is not asked for its certificate: {error}");
    }
}
