//! A runner, and what it is judged by.

use std::path::{Path, PathBuf};

use super::Daemon;
use crate::{
    lint::{
        model::{
            Surroundings,
            runner::{Executor, Runner, Volume},
        },
        source::{Place, Source},
    },
    reasons::Severity,
    settings::registry::DEFAULT_DIRECTORY as REGISTRY_CA,
};

/// A runner, and what it is judged by.
#[derive(Debug)]
pub struct OneRunner<'a> {
    /// How many jobs run at once, of all runners of the file.
    pub concurrent: Option<u64>,
    pub runner: &'a Runner,
    /// Of its own services, which every job gets.
    pub daemons: Vec<Daemon<'a>>,
    /// What it was read from.
    pub source: &'a Source,
    /// What `DOCKER_TLS_CERTDIR` is in the jobs, if all of them are known and say it: none, if TLS
    /// is off everywhere.
    pub certificate_directories: Option<&'a [PathBuf]>,
}

/// Where the runner's configuration has the service put its certificates.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CertificateDirectory {
    /// There are none: TLS is off.
    None,
    At(PathBuf),
    /// Only the job knows what it is.
    Unknown,
}

impl<'a> OneRunner<'a> {
    pub fn new(
        runner: &'a Runner,
        concurrent: Option<u64>,
        source: &'a Source,
        certificate_directories: Option<&'a [PathBuf]>,
    ) -> Self {
        let surroundings = Surroundings {
            in_kubernetes: Some(runner.executor == Executor::Kubernetes),
            ..Surroundings::default()
        };
        let daemons = runner.services.iter().filter(|service| service.is_dind());
        Self {
            concurrent,
            runner,
            daemons: daemons
                .map(|service| Daemon::new(service, &runner.variables, &surroundings))
                .collect(),
            source,
            certificate_directories,
        }
    }

    /// What says that jobs with docker in docker are meant to run here.
    pub fn sign_of_dind(&self) -> Option<&Place> {
        let services = self.runner.services.iter();
        let mut services = services.filter(|service| service.is_dind());
        let variable = self.runner.variables.written("DOCKER_TLS_CERTDIR");
        let variable = variable.filter(|(variable, _)| !variable.value.is_empty());
        let volumes = self.runner.volumes.iter();
        let mut volumes = volumes.filter(|volume| {
            let target = volume.target();
            let is_for_certificates = matches!(
                self.certificate_directory(),
                CertificateDirectory::At(directory) if target.starts_with(&directory)
            );
            is_for_certificates || target.starts_with(REGISTRY_CA)
        });
        let service = services.next().map(|service| &service.place);
        service
            .or(variable.map(|(_, place)| place))
            .or_else(|| Some(&volumes.next()?.mount_path.place))
    }

    pub fn is_kubernetes(&self) -> bool {
        self.runner.executor == Executor::Kubernetes
    }

    /// The header below which volumes and privileges are said.
    pub fn section(&self) -> &Place {
        self.runner.section.as_ref().unwrap_or(&self.runner.place)
    }

    /// The volume, if any, on which a directory lies.
    pub fn covering(&self, directory: &Path) -> Option<&Volume> {
        let volumes = self.runner.volumes.iter();
        volumes
            .filter(|volume| !volume.is_file() && directory.starts_with(volume.target()))
            .max_by_key(|volume| volume.target().components().count())
    }

    /// How bad it is that jobs which run at the same time share something; `None` where none do.
    pub fn severity_of_sharing(&self) -> Option<Severity> {
        match self.runner.is_concurrent(self.concurrent) {
            Some(true) => Some(Severity::Error),
            // How many jobs run at once is said somewhere else.
            None => Some(Severity::Warning),
            Some(false) => None,
        }
    }

    /// What `DOCKER_TLS_CERTDIR` is, as far as the runner says; else the image's own default.
    pub fn certificate_directory(&self) -> CertificateDirectory {
        let of_service = self.runner.services.iter().filter(|it| it.is_dind());
        let said = of_service
            .map(|service| &service.variables)
            .chain([&self.runner.variables])
            .find_map(|variables| variables.written("DOCKER_TLS_CERTDIR"));
        match said.map(|(variable, _)| variable.value.as_str()) {
            None => CertificateDirectory::At("/certs".into()),
            Some("") => CertificateDirectory::None,
            Some(path) if path.contains('$') => CertificateDirectory::Unknown,
            Some(path) => CertificateDirectory::At(path.into()),
        }
    }
}
