//! What the certificates of this very container and job are wanted for.

use time::OffsetDateTime;

use crate::{
    facts::{
        client::ClientVariables,
        identity::{self, Identity},
    },
    findings::client::is_lost,
    pki::{Job, Wanted},
    settings::{CertificateSettings, Settings, process_environment, subject_names::SubjectName},
};

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
            is_lost: is_lost(&ClientVariables::parse(&process_environment)),
            builds_directory: settings.builds_directory.clone(),
        },
        now: OffsetDateTime::now_utc(),
    }
}
