//! The certificates of this very container and job.

use std::path::Path;

use time::OffsetDateTime;

use crate::{
    facts::{
        identity::{self, Identity},
        mounts::Mounts,
    },
    log,
    pki::{self, Certificates, Job, Wanted, leftovers},
    reasons::Finding,
    settings::{CertificateSettings, Settings, subject_names::SubjectName},
};

/// Brings the certificate directory into order, all but a client's new key.
pub fn prepare(
    certificates: &CertificateSettings,
    settings: &Settings,
    mounts: &Mounts,
) -> Result<Certificates, Finding> {
    let names = names(certificates, settings);
    let made = pki::prepare(
        mounts,
        &wanted(certificates, settings, &names),
        pki::PATIENCE,
    )?;
    for finding in &made.findings {
        log::finding(&settings.ignored.apply(finding.clone()));
    }
    Ok(made)
}

/// The certificate directory, where it is this very job's and nobody else's.
fn job_directory<'a>(
    certificates: &'a CertificateSettings,
    settings: &Settings,
) -> Option<&'a Path> {
    leftovers::job_directory(
        &certificates.directory,
        settings.builds_directory.as_deref()?,
        settings.gitlab_job.as_deref()?,
    )
}

/// All names of this container; reads them.
pub fn names(certificates: &CertificateSettings, settings: &Settings) -> Vec<SubjectName> {
    Identity::read().server_names(&certificates.names, &settings.docker_host)
}

/// What the certificates are wanted for.
pub fn wanted<'a>(
    certificates: &'a CertificateSettings,
    settings: &Settings,
    names: &'a [SubjectName],
) -> Wanted<'a> {
    Wanted {
        settings: certificates,
        names,
        job: Job {
            docker_host: identity::tcp_host(&settings.docker_host).and_then(SubjectName::from_host),
            in_gitlab: settings.gitlab_job.is_some(),
            builds_directory: settings.builds_directory.clone(),
        },
        now: OffsetDateTime::now_utc(),
    }
}

/// Removes this job's directory, if it is one below the builds directory.
pub fn remove(certificates: &CertificateSettings, settings: &Settings) {
    if let Some(directory) = job_directory(certificates, settings)
        && let Err(error) = leftovers::remove(directory)
    {
        tracing::warn!("{} stays: {error}", directory.display());
    }
}
