//! Volumes and the TLS certificates: the service writes them, and the job has to read them.

use std::path::{Path, PathBuf};

use super::{edits, sockets};
use crate::{
    facts::client::DockerHost,
    lint::{
        model::{
            Known,
            runner::{Executor, Volume, VolumeKind},
        },
        problem::{Edit, Judgement, Problem, Remark, Repair},
        scene::{CertificateDirectory, Daemon, OneJob, OneRunner, Scene},
        source::{Located, Place},
    },
    reasons::{Severity, certs},
    settings::registry::DEFAULT_DIRECTORY as REGISTRY_CA,
};

/// What the service writes into the client's directory, and reads from the server's.
const FILES: [&str; 3] = ["ca.pem", "cert.pem", "key.pem"];

/// Words in the names of objects that hold more than a CA.
const NAMES_OF_KEYS: &[&str] = &["client", "clients", "key", "keys", "mtls", "server", "tls"];

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

/// Certificates of a job that no runner lets it share with its service.
pub fn unshared(scene: &Scene<'_>) -> Vec<Problem> {
    let wanted = scene.wanted();
    wanted
        .filter(|(job, _)| !sockets::is_busy(scene, job))
        .filter_map(|(job, daemon)| unshared_by_all(scene, job, daemon))
        .collect()
}

fn judge(scene: &OneRunner<'_>) -> Judgement {
    let mut judgement = Judgement::default();
    if is_without_dind(scene) {
        return judgement;
    }
    let directories = match (scene.certificate_directories, scene.certificate_directory()) {
        // What jobs say wins over what the runner says.
        (Some(directories), _) => directories.to_vec(),
        (None, CertificateDirectory::At(directory)) => vec![directory],
        (None, CertificateDirectory::None | CertificateDirectory::Unknown) => Vec::new(),
    };
    for directory in directories {
        let certificates = Certificates {
            client: directory.join("client"),
            server: directory.join("server"),
            scene,
        };
        judgement.extend(certificates.judge());
    }
    judgement
}

fn unshared_by_all(scene: &Scene<'_>, job: &OneJob<'_>, daemon: &Daemon<'_>) -> Option<Problem> {
    let client = daemon.served.as_ref()?.client_certificates.as_deref()?;
    // A socket needs none.
    let may_be_tcp = match job.job.variables.expanded("DOCKER_HOST") {
        Known::Set(host) => matches!(DockerHost::parse(&host.text), DockerHost::Tcp { .. }),
        Known::Unset => true,
        Known::Unknown => false,
    };
    if !may_be_tcp {
        return None;
    }
    // A template may mount a volume there.
    let is_known = |runner: &OneRunner<'_>| !runner.runner.is_partly_unknown;
    if !scene.runners.iter().all(is_known) {
        return None;
    }
    let is_shared_anyhow = client.starts_with(BUILDS) || client.to_string_lossy().contains('$');
    let is_shared = |runner: &OneRunner<'_>| runner.covering(client).is_some();
    if is_shared_anyhow || scene.runners.iter().any(is_shared) {
        return None;
    }
    let runner = scene.runners.first()?;
    let cause = format!(
        "the job {:?} keeps its certificates in {}, and {} shares no volume there.",
        job.job.name,
        client.display(),
        match scene.runners.as_slice() {
            [runner] => runner.runner.title(),
            _ => "none of these runners".into(),
        }
    );
    let finding = certs::UNSHARED.found(cause, edits::sharing_fix(runner, client));
    let place = daemon.service.place.clone();
    let problem = Problem::new(finding, place, "makes certificates");
    Some(problem.with_related(runner.section().clone(), "a volume is missing here"))
}

/// Whether a remote Docker, or the node's own, does the work, and the certificates are none of ours.
fn is_without_dind(scene: &OneRunner<'_>) -> bool {
    let runner = scene.runner;
    let has_service = runner.services.iter().any(|service| service.is_dind());
    let has_job = scene
        .certificate_directories
        .is_some_and(|directories| !directories.is_empty());
    !has_service && !has_job && (runner.leads_elsewhere() || runner.node_socket().is_some())
}

struct Certificates<'a> {
    client: PathBuf,
    server: PathBuf,
    scene: &'a OneRunner<'a>,
}

impl Certificates<'_> {
    fn judge(&self) -> Judgement {
        let mut judgement = Judgement::default();
        if let Some(volume) = self.file_in_place_of_directory() {
            judgement.problems.push(self.file_on_directory(volume));
            return judgement;
        }
        for volume in &self.scene.runner.volumes {
            self.judge_file(volume, &mut judgement);
        }
        match self.scene.covering(&self.client) {
            Some(volume) => self.judge_directory(volume, &mut judgement),
            // Where the jobs are known, they are what lacks it.
            None if self.scene.certificate_directories.is_some() => {}
            None if self.scene.runner.is_partly_unknown => {}
            None if judgement.problems.is_empty() => {
                judgement.problems.extend(self.unshared());
            }
            None => {}
        }
        judgement
    }

    /// A single file at the directory's own path, or above: `sub_path` takes one key alone.
    fn file_in_place_of_directory(&self) -> Option<&Volume> {
        let mut volumes = self.scene.runner.volumes.iter();
        volumes.find(|volume| {
            volume.is_made_of_keys() && volume.is_file() && self.client.starts_with(volume.target())
        })
    }

    fn file_on_directory(&self, volume: &Volume) -> Problem {
        let cause = format!(
            "{} mounts one file of the {} at {}, which has to be a directory: `sub_path` takes one \
             key alone.",
            self.scene.runner.title(),
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
            self.scene.runner.title(),
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
            None if self.scene.runner.is_partly_unknown => return,
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
            self.scene.runner.title(),
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
        if self.scene.runner.is_partly_unknown {
            return None;
        }
        if let Some(of_server) = self.scene.covering(&self.server) {
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
            let mut volumes = self.scene.runner.volumes.iter();
            volumes.any(|volume| volume.is_file() && volume.target() == path)
        })
    }

    fn in_use(&self, volume: &Volume) -> Option<Problem> {
        let runner = self.scene.runner;
        let severity = self.scene.severity_of_sharing()?;
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
                self.scene.source.name(),
                edits::empty_dir_lines(&self.client)
            ),
            _ => format!(
                "in {}, leave the path before the colon out; the runner then makes a volume for \
                 each of its concurrent jobs:\n    volumes = [\"{}\"]",
                self.scene.source.name(),
                self.client.display()
            ),
        };
        Some(Problem::new(
            certs::IN_USE.found(cause, fix).with_severity(severity),
            volume.mount_path.place.clone(),
            format!("one {} for all jobs", volume.kind.noun()),
        ))
    }

    /// No volume is there, and the runner's configuration speaks of certificates.
    fn unshared(&self) -> Option<Problem> {
        let runner = self.scene.runner;
        let said = [
            "DOCKER_TLS_CERTDIR",
            "DOCKER_CERT_PATH",
            "DOCKER_TLS_VERIFY",
        ];
        let variable = said.iter().find_map(|name| {
            let of_services = runner.services.iter().filter(|it| it.is_dind());
            of_services
                .map(|service| &service.variables)
                .chain([&runner.variables])
                .filter_map(|variables| variables.written(name))
                .find(|(variable, _)| !variable.value.is_empty())
        });
        let service = runner.services.iter().find(|service| service.is_dind());
        // Without a word about TLS the jobs may have turned it off.
        let (place, label, severity): (&Place, &str, Severity) = match (variable, service) {
            (Some((_, place)), _) => (
                place,
                "the certificates are expected by this",
                Severity::Error,
            ),
            (None, Some(service)) => (
                &service.place,
                "makes certificates, unless the job turns TLS off",
                Severity::Note,
            ),
            (None, None) => return None,
        };
        let cause = format!(
            "no volume of {} is mounted at {} or above, so the certificates stay in the service's \
             own container.",
            runner.title(),
            self.client.display()
        );
        let fix = edits::sharing_fix(self.scene, &self.client);
        let finding = certs::UNSHARED.found(cause, fix).with_severity(severity);
        Some(Problem::new(finding, place.clone(), label))
    }

    /// Where a registry's CA belongs, and what belongs here.
    fn moving_fix(&self, volume: &Volume) -> String {
        let file = self.scene.source.name();
        let client = self.client.display();
        let target = self.new_target(volume);
        if self.scene.runner.executor == Executor::Docker {
            return format!(
                "in {file}, mount a registry's CA at {REGISTRY_CA}, and a volume for the \
                 certificates:\n    volumes = [\"{}:{target}:ro\", \"{client}\"]",
                volume.name
            );
        }
        if !volume.is_made_of_keys() {
            return format!(
                "in {file}, take `read_only = true` out, or mount an empty volume instead:\n{}",
                edits::empty_dir_lines(&self.client)
            );
        }
        let table = match volume.kind {
            VolumeKind::ConfigMap => "config_map",
            VolumeKind::Projected => "projected",
            _ => "secret",
        };
        let sub_path = match &volume.sub_path {
            Some(path) => format!("\n      sub_path = \"{}\"", path.value),
            None => String::new(),
        };
        let mut lines = match self.scene.covering(&self.client) {
            Some(other) if other.place != volume.place => String::new(),
            _ => format!("{}\n", edits::empty_dir_lines(&self.client)),
        };
        lines.push_str(&format!(
            "    [[runners.kubernetes.volumes.{table}]]\n      name = \"{}\"\n      \
             mount_path = \"{target}\"{sub_path}",
            volume.name
        ));
        format!(
            "in {file}, move a registry's CA to {REGISTRY_CA}, where it is trusted, and mount an \
             empty volume for the certificates:\n{lines}\nTo use certificates of your own, mount \
             the server's ca.pem, cert.pem and key.pem at {} as well.",
            self.server.display()
        )
    }

    /// As [`Self::moving_fix`] says, where that loses nothing.
    fn with_repair(&self, problem: Problem, volume: &Volume) -> Problem {
        match self.moving_edits(volume) {
            Some(edits) => problem.with_repair(Repair {
                file: volume.place.file,
                part: self.scene.runner.place.span.start,
                edits,
            }),
            None => problem,
        }
    }

    fn moving_edits(&self, volume: &Volume) -> Option<Vec<Edit>> {
        let OneRunner { runner, source, .. } = self.scene;
        let target = self.new_target(volume);
        let mut others = runner.volumes.iter();
        let is_taken = others.any(|other| other.target() == Path::new(&target));
        // A client's key says that this is no registry's CA; so may the object's name.
        let sounds_like_key = |name: &str| {
            let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
            words.any(|word| NAMES_OF_KEYS.contains(&word.to_ascii_lowercase().as_str()))
        };
        let holds_key = |(key, path): &(String, Located<String>)| {
            [key.as_str(), path.value.as_str()]
                .iter()
                .any(|name| name.ends_with("key.pem") || name.ends_with(".key"))
        };
        let is_own_set = volume
            .items
            .as_ref()
            .is_some_and(|it| it.iter().any(holds_key));
        if is_taken || is_own_set || sounds_like_key(&volume.name) || !volume.is_made_of_keys() {
            return None;
        }
        let mut edits = vec![edits::replace_text(
            &volume.mount_path.place,
            &target,
            source,
        )?];
        let stays_covered = self
            .scene
            .covering(&self.client)
            .is_some_and(|other| other.place != volume.place);
        if !stays_covered {
            edits.push(edits::empty_dir_before(
                volume,
                &self.client,
                runner,
                source,
            )?);
        }
        Some(edits)
    }

    fn new_target(&self, volume: &Volume) -> String {
        let name = match (&volume.sub_path, volume.is_file()) {
            (Some(path), _) => Path::new(&path.value).file_name(),
            (None, true) => volume.target().file_name(),
            (None, false) => None,
        };
        match name.and_then(|name| name.to_str()) {
            Some(name) => format!("{REGISTRY_CA}/{name}"),
            None => REGISTRY_CA.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
