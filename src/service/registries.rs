//! The CAs of registries in this very container.

use std::{path::PathBuf, thread};

use nix::unistd::Uid;
use time::OffsetDateTime;

use crate::{
    dockerd::rootless,
    registry::{Places, Registries, install, probe, trust::Trust},
    report::Report,
    settings::{CertificateSettings, Settings, process_environment, registry::RegistrySettings},
    status,
};

/// Where this service puts them. The job sees its client's certificates, or else the directory of
/// the status file.
pub fn places(tls: Option<&CertificateSettings>, settings: &Settings, uid: Uid) -> Places {
    let client = tls.map(|tls| tls.directory.join("client"));
    let job = settings
        .builds_directory
        .as_deref()
        .zip(settings.gitlab_job.as_deref());
    let status = job.map(|(builds, job)| status::job_directory(builds, job));
    Places::new(
        uid.is_root(),
        &rootless::runtime_directory(&process_environment, uid.as_raw()),
        &process_environment,
        client.into_iter().chain(status).collect(),
    )
}

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

/// What would be installed, a line each.
pub fn describe(trust: &Trust, places: &Places) -> Vec<String> {
    let directory = places.certs_d.display();
    let registries = trust.registries.iter().map(|(host, registry)| {
        let clients = match registry.clients.len() {
            0 => String::new(),
            _ => ", with a client's certificate".into(),
        };
        let cas = cas(registry.authorities.len());
        format!("trust {cas} for {host} by {directory}/{host}/ca.crt{clients}")
    });
    let every = (!trust.every_registry.is_empty()).then(|| {
        let bundle: &PathBuf = &places.bundle;
        let cas = cas(trust.every_registry.len());
        format!(
            "trust {cas} for every registry by SSL_CERT_FILE={}",
            bundle.display()
        )
    });
    registries.chain(every).collect()
}

fn cas(count: usize) -> String {
    match count {
        1 => "one CA".into(),
        count => format!("{count} CAs"),
    }
}
