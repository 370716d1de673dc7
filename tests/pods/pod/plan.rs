//! What a pod will have: image, volumes, variables, options.

use std::sync::Arc;

use super::Pod;
use crate::pods::suite::Suite;
use crate::pods::volume::Volume;

/// A pod that is not started yet.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) suite: Suite,
    /// `None` for the suite's own.
    pub(super) image: Option<String>,
    pub(super) mounts: Vec<String>,
    /// Held so that their directories outlive the pod.
    pub(super) volumes: Vec<Volume>,
    /// Held so that they run as long as the pod does.
    pub(super) others: Vec<Arc<Pod>>,
    /// What the pod is called, as a service's alias does it.
    pub(super) name: String,
    /// As `podman pod create --add-host` takes them, besides that name.
    pub(in crate::pods) hosts: Vec<String>,
    pub(super) variables: Vec<(String, String)>,
    pub(super) is_privileged: bool,
    pub(super) service_variables: Vec<(String, String)>,
    pub(super) service_options: Vec<String>,
    pub(super) service_command: Vec<String>,
    pub(super) other_services: Vec<String>,
    /// No pod, but a network with a container each, as the runner's Docker executor makes it.
    pub(super) has_containers_of_their_own: bool,
}

impl Pod {
    /// A pod with the daemon of `suite`, and with the variables of a job that uses TLS.
    #[allow(clippy::new_ret_no_self)] // reads as the scenarios speak: a pod, made step by step
    pub fn new(suite: Suite) -> Plan {
        let plan = Plan {
            suite,
            image: None,
            mounts: Vec::new(),
            volumes: Vec::new(),
            others: Vec::new(),
            name: "docker".to_owned(),
            hosts: Vec::new(),
            variables: Vec::new(),
            is_privileged: true,
            service_variables: Vec::new(),
            service_options: Vec::new(),
            service_command: Vec::new(),
            other_services: Vec::new(),
            has_containers_of_their_own: false,
        };
        plan.variable("DOCKER_HOST", "tcp://docker:2376")
            .variable("DOCKER_TLS_VERIFY", "1")
            .variable("DOCKER_CERT_PATH", "/certs/client")
            .variable("DOCKER_TLS_CERTDIR", "/certs")
    }
}

impl Plan {
    /// Shares `volume` at /certs/client, as GitLab's documentation asks for.
    pub fn certs(self, volume: &Volume) -> Self {
        self.volume(volume, "/certs/client")
    }

    /// Shares `volume` at `target` between the service and the jobs.
    pub fn volume(mut self, volume: &Volume, target: &str) -> Self {
        self.mounts.push(volume.mount_at(target));
        self.volumes.push(volume.clone());
        self
    }

    /// Shares one file of `volume` at `target`, read-only, as `sub_path` of a volume does.
    pub fn file(mut self, volume: &Volume, name: &str, target: &str) -> Self {
        let path = volume.path().join(name);
        self.mounts.push(format!("{}:{target}:ro", path.display()));
        self.volumes.push(volume.clone());
        self
    }

    /// Gives the service and each job a network namespace of its own, in a network where the service
    /// has the name `docker`, as the runner's Docker executor does.
    pub fn with_docker_executor(mut self) -> Self {
        self.has_containers_of_their_own = true;
        self.without("KUBERNETES_SERVICE_HOST")
    }

    /// Starts a shell's command line in a container of its own, before the service.
    pub fn other_service(mut self, script: &str) -> Self {
        self.other_services.push(script.to_owned());
        self
    }

    /// Gives the pod this name in place of `docker`.
    pub fn called(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// Gives the pod's containers another name for the pod, as a service's alias does.
    pub fn alias(mut self, name: &str) -> Self {
        self.hosts.push(format!("{name}:127.0.0.1"));
        self
    }

    /// Keeps another pod running beside this one.
    pub fn beside(mut self, other: Pod) -> Self {
        self.others.push(Arc::new(other));
        self
    }

    /// The job's variables for a daemon without TLS.
    pub fn plain(mut self) -> Self {
        self.variables.clear();
        self.variable("DOCKER_HOST", "tcp://docker:2375")
            .variable("DOCKER_TLS_CERTDIR", "")
    }

    /// Sets a variable of the job. GitLab gives it to the service as well.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(existing, _)| existing != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Gives `name` an address in the pod's /etc/hosts, as `hostAliases` do.
    pub fn host_alias(mut self, name: &str, address: &str) -> Self {
        self.hosts.push(format!("{name}:{address}"));
        self
    }

    /// Takes a variable out of the job's environment.
    pub fn without(mut self, name: &str) -> Self {
        self.variables.retain(|(existing, _)| existing != name);
        self
    }

    /// Sets a variable of the service alone, as an image's ENV or a runner's `environment` does.
    pub fn service_variable(mut self, name: &str, value: &str) -> Self {
        self.service_variables
            .push((name.to_owned(), value.to_owned()));
        self
    }

    /// The service's `command:`.
    pub fn command(mut self, words: &[&str]) -> Self {
        self.service_command = words.iter().map(ToString::to_string).collect();
        self
    }

    /// The service's `entrypoint:`, a shell's command line.
    pub fn entrypoint_script(mut self, script: &str) -> Self {
        self.service_options
            .push("--entrypoint=[\"sh\",\"-c\"]".to_owned());
        self.command(&[script])
    }

    /// Holds the service to a part of one CPU.
    pub fn cpus(self, cpus: &str) -> Self {
        self.service_option(&format!("--cpus={cpus}"))
    }

    /// The service's image, where it is not dind-init's of the suite.
    pub fn image(mut self, image: &str) -> Self {
        self.image = Some(image.to_owned());
        self
    }

    /// Starts the service without `privileged = true`.
    pub fn unprivileged(mut self) -> Self {
        self.is_privileged = false;
        self
    }

    /// Starts the service with `privileged = true`, as most are.
    pub fn privileged(mut self) -> Self {
        self.is_privileged = true;
        self
    }

    /// Takes out what is mounted at `target`, and below it.
    pub fn without_volumes_at(mut self, target: &str) -> Self {
        let is_there = |path: &str| {
            let below = path.strip_prefix(target);
            below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
        };
        self.mounts
            .retain(|mount| !mount.split(':').nth(1).is_some_and(is_there));
        self.without_option(&format!("destination={target}"))
    }

    /// Mounts at `to` what is mounted at `from`.
    pub fn with_volume_moved(mut self, from: &str, to: &str) -> Self {
        for mount in &mut self.mounts {
            *mount = mount.replace(&format!(":{from}:"), &format!(":{to}:"));
        }
        self
    }

    /// Mounts of the volume at `directory` the file `name` alone, as `sub_path` does.
    pub fn with_file_alone(mut self, directory: &str, name: &str) -> Self {
        let (whole, alone) = (
            format!(":{directory}:"),
            format!("/{name}:{directory}/{name}:"),
        );
        for mount in &mut self.mounts {
            *mount = mount.replace(&whole, &alone);
        }
        self
    }

    /// Takes out the service's options that hold `part`.
    pub fn without_option(mut self, part: &str) -> Self {
        self.service_options.retain(|option| !option.contains(part));
        self
    }

    /// An option of `podman create` for the service.
    pub fn service_option(mut self, option: &str) -> Self {
        self.service_options.push(option.to_owned());
        self
    }
}
