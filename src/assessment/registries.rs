//! The CAs of registries in this very container.

use nix::unistd::Uid;

use crate::{
    dockerd::rootless,
    job_directory,
    registry::{Places, trust::Trust},
    settings::{CertificateSettings, Settings, process_environment},
};

/// Where this service puts them. The job sees its client's certificates, or else the directory of
/// the status file.
pub fn places(tls: Option<&CertificateSettings>, settings: &Settings, uid: Uid) -> Places {
    let client = tls.map(|tls| tls.directory.join("client"));
    let job = settings
        .builds_directory
        .as_deref()
        .zip(settings.gitlab_job.as_deref());
    let status = job.map(|(builds, job)| job_directory::path(builds, job));
    Places::new(
        uid.is_root(),
        &rootless::runtime_directory(&process_environment, uid.as_raw()),
        &process_environment,
        client.into_iter().chain(status).collect(),
    )
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
        let cas = cas(trust.every_registry.len());
        format!(
            "trust {cas} for every registry by SSL_CERT_FILE={}",
            places.bundle.display()
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
