//! Volumes and the TLS certificates: the service writes them, and the job has to read them.

mod moving;
mod unshared;

use std::path::{Path, PathBuf};

pub use self::unshared::unshared;
use super::edits;
use crate::{
    lint::{
        model::runner::{Executor, Volume, VolumeKind},
        problem::{Judgement, Problem, Remark},
        scene::{CertificateDirectory, OneRunner, Scene},
    },
    reasons::certs,
};

/// What the service writes into the client's directory, and reads from the server's.
const FILES: [&str; 3] = ["ca.pem", "cert.pem", "key.pem"];

/// Where the builds directory is, which all executors share, if nobody has moved it.
pub(super) const BUILDS: &str = "/builds";

/// What a runner's volumes do to certificates.
pub fn volumes(scene: &Scene<'_>) -> Vec<Problem> {
    scene
        .runners
        .iter()
        .flat_map(|runner| judge(runner).problems)
        .collect()
}

/// What of that cannot be known.
pub fn remarks(scene: &Scene<'_>) -> Vec<Remark> {
    scene
        .runners
        .iter()
        .flat_map(|runner| judge(runner).remarks)
        .collect()
}

fn judge(one_runner: &OneRunner<'_>) -> Judgement {
    let mut judgement = Judgement::default();
    if is_without_dind(one_runner) {
        return judgement;
    }
    let directories = match (
        one_runner.certificate_directories,
        one_runner.certificate_directory(),
    ) {
        // What jobs say wins over what the runner says.
        (Some(directories), _) => directories.to_vec(),
        (None, CertificateDirectory::At(directory)) => vec![directory],
        (None, CertificateDirectory::None | CertificateDirectory::Unknown) => Vec::new(),
    };
    for directory in directories {
        let certificates = Certificates {
            client: directory.join("client"),
            server: directory.join("server"),
            one_runner,
        };
        judgement.extend(certificates.judge());
    }
    judgement
}

/// Whether a remote Docker, or the node's own, does the work, and the certificates are none of ours.
fn is_without_dind(one_runner: &OneRunner<'_>) -> bool {
    let runner = one_runner.runner;
    let has_service = runner.services.iter().any(|service| service.is_dind());
    let has_job = one_runner
        .certificate_directories
        .is_some_and(|directories| !directories.is_empty());
    !has_service && !has_job && (runner.leads_elsewhere() || runner.node_socket().is_some())
}

struct Certificates<'a> {
    client: PathBuf,
    server: PathBuf,
    one_runner: &'a OneRunner<'a>,
}

impl Certificates<'_> {
    fn judge(&self) -> Judgement {
        let mut judgement = Judgement::default();
        if let Some(volume) = self.file_in_place_of_directory() {
            judgement.problems.push(self.file_on_directory(volume));
            return judgement;
        }
        for volume in &self.one_runner.runner.volumes {
            self.judge_file(volume, &mut judgement);
        }
        match self.one_runner.covering(&self.client) {
            Some(volume) => self.judge_directory(volume, &mut judgement),
            // Where the jobs are known, they are what lacks it.
            None if self.one_runner.certificate_directories.is_some() => {}
            None if self.one_runner.runner.is_partly_unknown => {}
            None if judgement.problems.is_empty() => {
                judgement.problems.extend(self.unshared());
            }
            None => {}
        }
        judgement
    }

    /// A single file at the directory's own path, or above: `sub_path` takes one key alone.
    fn file_in_place_of_directory(&self) -> Option<&Volume> {
        let mut volumes = self.one_runner.runner.volumes.iter();
        volumes.find(|volume| {
            volume.is_made_of_keys() && volume.is_file() && self.client.starts_with(volume.target())
        })
    }

    fn file_on_directory(&self, volume: &Volume) -> Problem {
        let cause = format!(
            "{} mounts one file of the {} at {}, which has to be a directory: `sub_path` takes one \
             key alone.",
            self.one_runner.runner.title(),
            volume.described(),
            volume.target().display()
        );
        let problem = self.file_in_the_way(volume, cause, "a file is mounted here");
        let sub_path = volume.sub_path.as_ref();
        match sub_path {
            Some(path) => problem.with_related(path.place.clone(), "this is one file"),
            None => problem,
        }
    }

    /// A single file that is mounted where the service has to write one.
    fn judge_file(&self, volume: &Volume, judgement: &mut Judgement) {
        let (Some(parent), Some(name)) = (volume.target().parent(), volume.target().file_name())
        else {
            return;
        };
        let is_written = FILES.iter().any(|file| name == *file);
        let is_theirs = [&self.client, &self.server].iter().any(|it| parent == *it);
        if !volume.is_file() || !is_written || !is_theirs || self.is_whole_set(parent) {
            return;
        }
        let cause = format!(
            "{} mounts a file of the {} at {}; it can be neither replaced nor removed.",
            self.one_runner.runner.title(),
            volume.described(),
            volume.target().display()
        );
        let label = "the service has to write this file itself";
        let problem = self.file_in_the_way(volume, cause, label);
        judgement.problems.push(self.with_repair(problem, volume));
    }

    fn file_in_the_way(&self, volume: &Volume, cause: String, label: &str) -> Problem {
        Problem::new(
            certs::SUBPATH.found(cause, self.moving_fix(volume)),
            volume.mount_path.place.clone(),
            label,
        )
    }

    /// The volume in which the client's directory lies.
    fn judge_directory(&self, volume: &Volume, judgement: &mut Judgement) {
        if volume.is_read_only() {
            self.judge_read_only(volume, judgement);
        } else if volume.is_one_for_all_jobs() {
            judgement.problems.extend(self.in_use(volume));
        }
    }

    fn judge_read_only(&self, volume: &Volume, judgement: &mut Judgement) {
        match self.may_hold_own_set(volume) {
            Some(true) => return,
            None if self.one_runner.runner.is_partly_unknown => return,
            None => {
                judgement.remarks.push(Remark {
                    message: format!(
                        "a read-only {} works here only if it holds a whole set of your own: \
                         client/ and server/, each with ca.pem, cert.pem and key.pem",
                        volume.kind.noun()
                    ),
                    place: volume.mount_path.place.clone(),
                    label: "what it holds is not known here".into(),
                });
                return;
            }
            Some(false) => {}
        }
        let why = match volume.is_made_of_keys() {
            true => "Kubernetes mounts these read-only, whatever `read_only` says",
            false => "it is mounted read-only",
        };
        let cause = format!(
            "{} mounts the {} at {}. {why}, so the service cannot write the client's \
             certificates to {}.",
            self.one_runner.runner.title(),
            volume.described(),
            volume.target().display(),
            self.client.display()
        );
        let mut problem = Problem::new(
            certs::READONLY.found(cause, self.moving_fix(volume)),
            volume.mount_path.place.clone(),
            format!("a {} is read-only here", volume.kind.noun()),
        );
        if let Some(read_only) = &volume.read_only
            && !volume.is_made_of_keys()
        {
            problem = problem.with_related(read_only.clone(), "this makes it so");
        }
        judgement.problems.push(self.with_repair(problem, volume));
    }

    /// Whether a read-only volume may bring certificates of the user's own, with which the service
    /// is content; `None` where its content decides, which is not known here.
    fn may_hold_own_set(&self, volume: &Volume) -> Option<bool> {
        // The server's may be mounted by a template.
        if self.one_runner.runner.is_partly_unknown {
            return None;
        }
        if let Some(of_server) = self.one_runner.covering(&self.server) {
            let is_another = of_server.place != volume.place;
            let may_be_filled = !matches!(of_server.kind, VolumeKind::EmptyDir | VolumeKind::Cache);
            if is_another {
                return Some(may_be_filled);
            }
            // One volume for both. The keys of an object are files in one directory, unless they
            // are given paths.
            return match (&volume.items, volume.is_made_of_keys()) {
                (Some(items), true) => Some(
                    items
                        .iter()
                        .any(|(_, path)| path.value.starts_with("server/")),
                ),
                (None, true) => Some(false),
                (_, false) => None,
            };
        }
        Some(self.is_whole_set(&self.server))
    }

    /// Whether every file of a set is mounted there by itself.
    fn is_whole_set(&self, directory: &Path) -> bool {
        FILES.iter().all(|name| {
            let path = directory.join(name);
            let mut volumes = self.one_runner.runner.volumes.iter();
            volumes.any(|volume| volume.is_file() && volume.target() == path)
        })
    }

    fn in_use(&self, volume: &Volume) -> Option<Problem> {
        let runner = self.one_runner.runner;
        let severity = self.one_runner.severity_of_sharing()?;
        let cause = format!(
            "{} mounts the {} at {}: jobs that run at the same time write their certificates to \
             one directory, and each job's clients may get those of another.",
            runner.title(),
            volume.described(),
            volume.target().display()
        );
        let fix = match runner.executor {
            Executor::Kubernetes => format!(
                "in {}, give each job an empty volume instead:\n{}",
                self.one_runner.source.name(),
                edits::empty_dir_lines(&self.client)
            ),
            _ => format!(
                "in {}, leave the path before the colon out; the runner then makes a volume for \
                 each of its concurrent jobs:\n    volumes = [\"{}\"]",
                self.one_runner.source.name(),
                self.client.display()
            ),
        };
        Some(Problem::new(
            certs::IN_USE.found(cause, fix).with_severity(severity),
            volume.mount_path.place.clone(),
            format!("one {} for all jobs", volume.kind.noun()),
        ))
    }
}

#[cfg(test)]
mod tests;
