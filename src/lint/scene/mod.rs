//! What is judged: all jobs and all runners that the files hold, together.

mod one_job;
mod one_runner;

use std::path::{Path, PathBuf};

pub use self::{
    one_job::OneJob,
    one_runner::{CertificateDirectory, OneRunner},
};
use super::{
    model::{
        Service, Surroundings, Variables, daemon,
        runner::{MisspeltKey, Runner},
    },
    source::{FileId, Place},
};
use crate::{
    dockerd::hosts::OwnHosts, findings::client::Served, settings::subject_names::SubjectName,
};

/// All of it. Which of several runners takes a job is decided by tags that no file has, so that is
/// wrong between them what is wrong with all of them.
#[derive(Debug, Default)]
pub struct Scene<'a> {
    /// Those that run services.
    pub runners: Vec<OneRunner<'a>>,
    pub jobs: Vec<OneJob<'a>>,
    /// Keys that stand twice in one mapping: the first, and the one that counts.
    pub duplicates: &'a [(Place, Place)],
    pub outside: &'a [Outside],
    pub misspelt_keys: Vec<&'a MisspeltKey>,
}

/// `privileged: true` in a chart's values, beside the configuration of its runners.
#[derive(Debug)]
pub struct Outside {
    pub place: Place,
    /// Those that the configuration is read from.
    pub files: Vec<FileId>,
}

/// A Docker daemon that is a service.
#[derive(Debug)]
pub struct Daemon<'a> {
    pub service: &'a Service,
    /// `None` where that cannot be told.
    pub served: Option<Served>,
    /// Where its command has it listen, if the command begins with `dockerd`.
    pub own_hosts: Option<OwnHosts>,
    /// What clients may call it.
    pub names: Vec<SubjectName>,
}

/// Who says that there is a service.
#[derive(Clone, Copy, Debug)]
pub enum SaidBy<'a> {
    Job(&'a OneJob<'a>),
    Runner(&'a OneRunner<'a>),
}

impl Outside {
    /// Whether the runner's configuration is one of those.
    pub fn is_of(&self, runner: &Runner) -> bool {
        self.files.contains(&runner.place.file)
    }
}

impl<'a> Scene<'a> {
    /// Every Docker daemon, where it is said.
    pub fn daemons(&self) -> impl Iterator<Item = (SaidBy<'_>, &Daemon<'a>)> {
        let of_jobs = self.jobs.iter().flat_map(|job| {
            let daemons = job.own_daemons();
            daemons.map(move |daemon| (SaidBy::Job(job), daemon))
        });
        let of_runners = self.runners.iter().flat_map(|runner| {
            let daemons = runner.daemons.iter();
            daemons.map(move |daemon| (SaidBy::Runner(runner), daemon))
        });
        of_jobs.chain(of_runners)
    }

    /// Every job with each Docker daemon that it brings.
    pub fn wanted(&self) -> impl Iterator<Item = (&OneJob<'a>, &Daemon<'a>)> {
        self.jobs
            .iter()
            .flat_map(|job| job.own_daemons().map(move |daemon| (job, daemon)))
    }
}

impl<'a> Daemon<'a> {
    /// `job`: the variables that go with it.
    pub fn new(service: &'a Service, job: &Variables, surroundings: &Surroundings) -> Self {
        Self {
            service,
            served: daemon::served(service, job, surroundings),
            own_hosts: daemon::own_hosts(service),
            names: daemon::names(service, surroundings),
        }
    }
}

/// The directories of certificates that the jobs have; `None` where there are no jobs, or not all
/// of them say it.
pub fn certificate_directories(jobs: &[OneJob<'_>]) -> Option<Vec<PathBuf>> {
    let mut directories: Vec<PathBuf> = Vec::new();
    let mut daemons = jobs.iter().flat_map(OneJob::own_daemons).peekable();
    daemons.peek()?;
    for daemon in daemons {
        let served = daemon.served.as_ref()?;
        let Some(client) = &served.client_certificates else {
            continue;
        };
        let directory = client.parent().unwrap_or(Path::new(client)).to_owned();
        if !directories.contains(&directory) {
            directories.push(directory);
        }
    }
    Some(directories)
}
