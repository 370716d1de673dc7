//! What a runner's configuration says, as far as it concerns docker in docker.
//!
//! Names are those of GitLab Runner's `config.toml`; what both executors have is told once.

use std::path::Path;

use super::{Service, Variables};
use crate::{
    facts::client::DockerHost,
    lint::source::{Located, Place},
    settings::subject_names::SubjectName,
};

/// The places of dockerd's socket, the same one where `/var/run` is a link.
pub const SOCKETS: &[&str] = &["/var/run/docker.sock", "/run/docker.sock"];

/// A `config.toml`, or the part of one that the Helm chart takes.
#[derive(Debug, Default)]
pub struct Configuration {
    /// How many jobs run at the same time, of all runners together.
    pub concurrent: Option<u64>,
    pub runners: Vec<Runner>,
    /// Nothing in it is of a runner.
    pub is_something_else: bool,
    /// The first thing that only a template says.
    pub unknown: Option<Place>,
    pub misspelt: Vec<MisspeltKey>,
}

/// A key that the runner does not read, much like one that it does.
#[derive(Clone, Debug)]
pub struct MisspeltKey {
    pub written: String,
    pub meant: &'static str,
    pub place: Place,
}

/// One of `[[runners]]`.
#[derive(Debug)]
pub struct Runner {
    /// Its header.
    pub place: Place,
    pub name: Option<String>,
    pub executor: Executor,
    /// The header of `[runners.kubernetes]` or `[runners.docker]`.
    pub section: Option<Place>,
    /// How many jobs this runner runs at the same time; 0 is no limit.
    pub limit: Option<u64>,
    /// What its jobs and their services get: of `environment`, and feature flags.
    pub variables: Variables,
    /// What jobs run in that name no image.
    pub image: Option<String>,
    pub privileged: Option<Located<bool>>,
    /// Of the services alone: `services_privileged`, or their security context's `privileged`.
    pub services_privileged: Option<Located<bool>>,
    pub allowed_privileged_services: Option<Located<Vec<String>>>,
    pub volumes: Vec<Volume>,
    /// The value of Docker's `volumes = […]`, brackets and all.
    pub volume_list: Option<Place>,
    pub services: Vec<Service>,
    /// What keeps services from writing to their own file systems.
    pub read_only_root: Option<Place>,
    /// What has services run as somebody else than root.
    pub other_user: Option<Place>,
    /// `[[runners.kubernetes.pod_spec]]`, which may change anything.
    pub pod_spec: Option<Place>,
    /// Docker's `services_security_opt`, with which rootless dockerd may do without privileges.
    pub has_security_options: bool,
    /// Kubernetes' `runtime_class_name`, or a `runtime` other than Docker's own: with sysbox, for
    /// one, dockerd needs no privileges.
    pub has_other_runtime: bool,
    /// Docker's `network_mode`, with which a job may share the network of something else.
    pub has_other_network: bool,
    /// A template may say more: what is not here may be there.
    pub is_partly_unknown: bool,
}

/// What runs the jobs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Executor {
    Kubernetes,
    /// `docker` and what is built on it.
    Docker,
    /// No services there, so no docker in docker.
    Other,
}

/// A volume that every container of a job gets.
#[derive(Clone, Debug)]
pub struct Volume {
    pub kind: VolumeKind,
    /// Of the Secret, the ConfigMap or the claim; what is mounted, with Docker.
    pub name: String,
    /// The header of its table; the whole entry, with Docker.
    pub place: Place,
    /// Whether it has a header of its own, before which another one can be written.
    pub has_header: bool,
    /// With Docker the part of the entry that names the path in the container.
    pub mount_path: Located<String>,
    pub sub_path: Option<Located<String>>,
    /// The place of what makes it so, where something does.
    pub read_only: Option<Place>,
    /// From keys to paths below `mount_path`; `None` where every key is a file.
    pub items: Option<Vec<(String, Located<String>)>>,
}

/// What is mounted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum VolumeKind {
    Secret,
    ConfigMap,
    Projected,
    EmptyDir,
    HostPath,
    Claim,
    Nfs,
    Csi,
    /// Docker's `/path`: a volume for each of the runner's concurrent jobs, kept between them.
    Cache,
    /// Docker's `name:/path`: one volume for all jobs.
    Named,
}

impl Configuration {
    /// Has those of its runners be so that do not say it themselves.
    pub fn make_privileged(&mut self, place: &Place) {
        for runner in &mut self.runners {
            let said = || Located {
                value: true,
                place: place.clone(),
            };
            runner.privileged.get_or_insert_with(said);
        }
    }
}

impl Runner {
    /// One of which nothing more is said.
    pub fn new(place: Place, executor: Executor) -> Self {
        Self {
            place,
            name: None,
            executor,
            section: None,
            limit: None,
            variables: Variables::default(),
            image: None,
            privileged: None,
            services_privileged: None,
            allowed_privileged_services: None,
            volumes: Vec::new(),
            volume_list: None,
            services: Vec::new(),
            read_only_root: None,
            other_user: None,
            pod_spec: None,
            has_security_options: false,
            has_other_runtime: false,
            has_other_network: false,
            is_partly_unknown: false,
        }
    }

    /// As the runner's user knows it.
    pub fn title(&self) -> String {
        match &self.name {
            Some(name) => format!("runner {name:?}"),
            None => "this runner".into(),
        }
    }

    /// The volume, if any, that puts the node's Docker where a job's own would be.
    pub fn node_socket(&self) -> Option<&Volume> {
        let mut volumes = self.volumes.iter();
        volumes.find(|volume| {
            SOCKETS
                .iter()
                .any(|socket| volume.target() == Path::new(socket))
        })
    }

    /// Whether its jobs' docker commands are sent to another machine.
    pub fn leads_elsewhere(&self) -> bool {
        let host = self.variables.written("DOCKER_HOST");
        let host = host.map(|(host, _)| DockerHost::parse(&host.value));
        match host {
            Some(DockerHost::Tcp { host, .. } | DockerHost::Http { host, .. }) => match host {
                SubjectName::Dns(name) => name.contains('.'),
                SubjectName::Ip(address) => !address.is_loopback(),
            },
            Some(DockerHost::Unexpanded(_) | DockerHost::Other) => true,
            Some(DockerHost::Unix(_)) | None => false,
        }
    }

    /// Whether it brings no Docker daemon of any kind to its jobs, as far as all is known.
    pub fn is_without_docker(&self) -> bool {
        let may_have_one = self
            .services
            .iter()
            .any(|service| service.is_dind() || service.image.contains('$'))
            || self.leads_elsewhere()
            || self.node_socket().is_some()
            || self.volumes.iter().any(|volume| {
                let path = volume.mount_path.value.as_str();
                path.contains('$')
                    || path.ends_with(".sock")
                    || ["/var/run", "/run"].contains(&path)
            });
        let is_known = !self.is_partly_unknown
            && self.pod_spec.is_none()
            && !self.has_other_network
            && self.executor != Executor::Other;
        is_known && !may_have_one
    }

    /// Whether two of its jobs may run at the same time; `None` where that is not said here.
    pub fn is_concurrent(&self, concurrent: Option<u64>) -> Option<bool> {
        match (self.limit, concurrent) {
            (Some(1), _) | (_, Some(0 | 1)) => Some(false),
            (_, Some(_)) => Some(true),
            (_, None) => None,
        }
    }
}

impl Volume {
    /// Where it is mounted, without a slash at the end.
    pub fn target(&self) -> &Path {
        // Paths are compared by their parts, so a slash more or less does not matter.
        Path::new(&self.mount_path.value)
    }

    /// Whether one file is mounted rather than a directory. What a host path is, only its name can
    /// tell here.
    pub fn is_file(&self) -> bool {
        match self.kind {
            VolumeKind::Secret | VolumeKind::ConfigMap | VolumeKind::Projected => {
                let sub_path = self.sub_path.as_ref();
                sub_path.is_some_and(|path| !self.is_directory_of_items(&path.value))
            }
            VolumeKind::Cache | VolumeKind::EmptyDir => false,
            _ => {
                let extension = self.target().extension();
                extension.is_some_and(|it| ["crt", "pem", "key", "cert"].iter().any(|e| it == *e))
            }
        }
    }

    /// Whether `items` put keys below that path.
    fn is_directory_of_items(&self, path: &str) -> bool {
        let items = self.items.iter().flatten();
        let mut paths = items.map(|(_, item)| Path::new(&item.value));
        paths.any(|item| item != Path::new(path) && item.starts_with(path))
    }

    /// Kubernetes mounts Secrets and ConfigMaps read-only whatever is asked for
    /// (kubernetes/kubernetes#62099).
    pub fn is_read_only(&self) -> bool {
        self.is_made_of_keys() || self.read_only.is_some()
    }

    /// Its files are the keys of an object, all in one directory unless `items` says otherwise.
    pub fn is_made_of_keys(&self) -> bool {
        matches!(
            self.kind,
            VolumeKind::Secret | VolumeKind::ConfigMap | VolumeKind::Projected
        )
    }

    /// Whether the jobs of one machine, or of all, get the same files.
    pub fn is_one_for_all_jobs(&self) -> bool {
        // Which job it is for may be a part of the path.
        let sub_path = self.sub_path.as_ref();
        let has_variable = sub_path.is_some_and(|path| path.value.contains('$'))
            || self.mount_path.value.contains('$')
            || self.name.contains('$');
        let is_one = matches!(
            self.kind,
            VolumeKind::HostPath | VolumeKind::Claim | VolumeKind::Nfs | VolumeKind::Named
        );
        is_one && !has_variable
    }

    /// Such as `Secret "registry-ca"`.
    pub fn described(&self) -> String {
        match self.name.as_str() {
            "" => self.kind.noun().to_owned(),
            name => format!("{} {name:?}", self.kind.noun()),
        }
    }
}

impl VolumeKind {
    /// As Kubernetes and Docker call it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
            Self::Projected => "projected volume",
            Self::EmptyDir => "emptyDir",
            Self::HostPath => "host path",
            Self::Claim => "persistent volume",
            Self::Nfs => "NFS volume",
            Self::Csi => "CSI volume",
            Self::Cache => "volume",
            Self::Named => "named volume",
        }
    }
}
