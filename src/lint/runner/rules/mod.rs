//! What can be wrong with a runner, whatever its jobs are: one file a subject.

mod certificates;
#[cfg(test)]
mod samples;

use std::path::PathBuf;

use super::configuration::{Executor, Runner};
use crate::lint::{problem::Judgement, source::Source};

/// A runner, and what it is judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene<'a> {
    pub concurrent: Option<u64>,
    pub runner: &'a Runner,
    pub source: &'a Source,
}

/// Everything that is wrong with one runner.
pub(super) fn judge(scene: &Scene<'_>) -> Judgement {
    match scene.runner.executor {
        Executor::Other => Judgement::default(),
        Executor::Kubernetes | Executor::Docker => certificates::judge(scene),
    }
}

/// Where the runner's configuration has the service put its certificates.
#[derive(Clone, Debug, Eq, PartialEq)]
enum CertificateDirectory {
    /// There are none: TLS is off.
    None,
    At(PathBuf),
    /// Only the job knows what it is.
    Unknown,
}

impl Scene<'_> {
    /// What `DOCKER_TLS_CERTDIR` is, as far as the runner says; else the image's own default.
    fn certificate_directory(&self) -> CertificateDirectory {
        let of_service = self.runner.services.iter().filter(|it| it.is_dind());
        let said = of_service
            .filter_map(|service| service.variable("DOCKER_TLS_CERTDIR"))
            .chain(self.runner.variable("DOCKER_TLS_CERTDIR"))
            .next();
        match said.map(|assignment| assignment.value.value.as_str()) {
            None => CertificateDirectory::At("/certs".into()),
            Some("") => CertificateDirectory::None,
            Some(path) if path.contains('$') => CertificateDirectory::Unknown,
            Some(path) => CertificateDirectory::At(path.into()),
        }
    }
}
