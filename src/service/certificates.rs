//! The certificates of this very container and job.

use std::{path::Path, time::Duration};

use crate::{
    assessment::certificates::{names, wanted},
    facts::{file::read, mounts::Mounts},
    job_directory::leftovers,
    pki::{self, Certificates},
    reasons::{Finding, certs},
    settings::{CertificateSettings, Settings},
};

/// Brings the certificate directory into order, all but a client's new key. A lock that someone
/// else holds is waited for as long as `patience`.
pub fn prepare(
    certificates: &CertificateSettings,
    settings: &Settings,
    mounts: &Mounts,
    patience: Duration,
) -> Result<Certificates, Finding> {
    let names = names(certificates, settings);
    pki::prepare(mounts, &wanted(certificates, settings, &names), patience)
}

/// The certificate directory, where it is this very job's and nobody else's.
pub fn job_directory<'a>(
    certificates: &'a CertificateSettings,
    settings: &Settings,
) -> Option<&'a Path> {
    leftovers::job_directory(
        &certificates.directory,
        settings.builds_directory.as_deref()?,
        settings.gitlab_job.as_deref()?,
    )
}

/// Whether another dind has put its own set where ours was; to be asked when a client trusts
/// someone else.
///
/// `server` is ours alone, and in the sets that we make both CAs are the same file.
pub fn overwritten(directory: &Path) -> Option<Finding> {
    let read = |part: &str| read(&directory.join(part).join("ca.pem"));
    let (server, client) = (read("server").ok()?, read("client").ok()?);
    (server != client).then(|| {
        certs::OVERWRITTEN.met(format!(
            "{0}/client/ca.pem is not the CA of {0}/server any more.",
            directory.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::*;

    #[test]
    fn a_set_that_somebody_replaced_is_noticed() {
        let directory = tempdir().unwrap();
        for part in ["server", "client"] {
            fs::create_dir(directory.path().join(part)).unwrap();
            fs::write(directory.path().join(part).join("ca.pem"), "one").unwrap();
        }
        assert_eq!(overwritten(directory.path()), None);
        fs::write(directory.path().join("client/ca.pem"), "another").unwrap();
        let finding = overwritten(directory.path()).unwrap();
        assert_eq!(finding.reason.id, "CERTS-OVERWRITTEN");
        fs::remove_file(directory.path().join("client/ca.pem")).unwrap();
        assert_eq!(overwritten(directory.path()), None);
    }
}
