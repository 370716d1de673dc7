//! A runner's config.toml, and the pod that GitLab's Kubernetes executor makes by it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::pods::gitlab::RunnerLog;
use crate::pods::pod::Plan;
use crate::pods::volume::Volume;

/// What the cluster holds besides the runner.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    secrets: BTreeMap<String, Volume>,
}

impl Cluster {
    /// With a Secret of this name.
    pub fn secret(mut self, name: &str, files: &[(&str, &str)]) -> Self {
        self.secrets.insert(name.to_owned(), Volume::secret(files));
        self
    }
}

/// One `[[runners]]`. Only keys that the runner knows (its common/config.go) are taken, so that a
/// misspelled one is noticed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Runner {
    environment: Vec<String>,
    builds_dir: Option<String>,
    executor: Option<String>,
    pub kubernetes: Kubernetes,
    docker: Docker,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Docker {
    privileged: bool,
    services_privileged: Option<bool>,
    /// Patterns of images.
    allowed_privileged_services: Vec<String>,
}

/// What a pod on this machine cannot have (a scheduler, say) has its name and its type checked.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kubernetes {
    privileged: bool,
    service_container_security_context: SecurityContext,
    /// Patterns of images.
    allowed_services: Vec<String>,
    volumes: Volumes,
    logs_base_dir: Option<String>,
    scripts_base_dir: Option<String>,
    service_memory_limit: Option<String>,
    service_memory_limit_overwrite_max_allowed: Option<String>,
    service_memory_request: Option<String>,
    service_memory_request_overwrite_max_allowed: Option<String>,
    service_cpu_request: Option<String>,
    service_ephemeral_storage_request: Option<String>,
    pod_termination_grace_period_seconds: Option<u64>,
    automount_service_account_token: Option<bool>,
    node_selector: BTreeMap<String, String>,
    node_tolerations: BTreeMap<String, String>,
    pod_spec: Vec<PodSpec>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SecurityContext {
    privileged: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Volumes {
    empty_dir: Vec<EmptyDir>,
    secret: Vec<Secret>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EmptyDir {
    #[expect(dead_code)]
    name: String,
    mount_path: String,
    #[serde(default)]
    medium: String,
    #[expect(dead_code)]
    size_limit: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Secret {
    name: String,
    mount_path: String,
    sub_path: Option<String>,
    /// Says nothing: Kubernetes mounts them read-only in any case (CVE-2017-1002102).
    #[expect(dead_code)]
    read_only: Option<bool>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code)]
struct PodSpec {
    name: String,
    patch_type: String,
    patch: String,
}

impl Runner {
    /// The one runner of a config.toml, or of the chart's values.
    pub fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            runners: [Runner; 1],
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Values {
            #[serde(rename = "gitlabUrl")]
            _gitlab_url: Option<String>,
            runners: Chart,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Chart {
            /// The name of the one that holds the runner's token.
            #[serde(rename = "secret")]
            _secret: Option<String>,
            config: String,
        }
        let config = match serde_yaml_ng::from_str::<Values>(text) {
            Ok(values) => values.runners.config,
            Err(_) => text.to_owned(),
        };
        let file: File = toml::from_str(&config).map_err(|error| error.to_string())?;
        let [runner] = file.runners;
        for patch in runner.kubernetes.pod_spec.iter().map(|spec| &spec.patch) {
            serde_json::from_str::<Vec<serde_json::Value>>(patch)
                .map_err(|error| format!("{patch}: {error}"))?;
        }
        Ok(runner)
    }

    /// With the `environment` of another example as well.
    pub fn with_environment_of(mut self, other: Self) -> Self {
        self.environment.extend(other.environment);
        self
    }

    pub fn builds_dir(&self) -> &str {
        self.builds_dir.as_deref().unwrap_or("/builds")
    }

    /// The pod of job 7 in project 1, before the job's own variables.
    pub fn pod(&self, plan: Plan, cluster: &Cluster, builds: &Volume, log: &RunnerLog) -> Plan {
        let kubernetes = &self.kubernetes;
        let plan = plan.gitlab_job_in(builds, self.builds_dir());
        let mut plan = if self.has_docker_executor() {
            plan.with_docker_executor()
        } else {
            let logs = kubernetes.logs_base_dir.as_deref().unwrap_or_default();
            plan.runner_log_in(log, logs)
        };
        for entry in &self.environment {
            let (name, value) = entry.split_once('=').expect("NAME=value");
            plan = plan.variable(name, value);
        }
        for volume in &kubernetes.volumes.empty_dir {
            let directory = match volume.medium.as_str() {
                "Memory" => Volume::memory(),
                "" => Volume::disk(),
                other => panic!("no medium of Kubernetes: {other}"),
            };
            plan = plan.volume(&directory, &volume.mount_path);
        }
        for mount in &kubernetes.volumes.secret {
            let secret = cluster.secrets.get(&mount.name);
            let secret = secret.unwrap_or_else(|| panic!("no Secret {}", mount.name));
            plan = match &mount.sub_path {
                Some(file) => plan.file(secret, file, &mount.mount_path),
                None => plan.volume(secret, &mount.mount_path),
            };
        }
        plan
    }

    /// Whether a service of this image is privileged. The services' own setting goes before the one
    /// for all containers.
    pub fn makes_privileged(&self, image: &str) -> bool {
        if self.has_docker_executor() {
            let docker = &self.docker;
            return docker.services_privileged.unwrap_or(docker.privileged)
                && is_allowed(image, &docker.allowed_privileged_services);
        }
        let kubernetes = &self.kubernetes;
        let own = kubernetes.service_container_security_context.privileged;
        own.unwrap_or(kubernetes.privileged)
    }

    /// What a job gets that asks for so much memory, in bytes: no more than its runner gives
    /// everybody, unless that says how much a job may ask for.
    pub fn memory_limit(&self, asked: Option<&str>) -> Option<u64> {
        let kubernetes = &self.kubernetes;
        let most = kubernetes
            .service_memory_limit_overwrite_max_allowed
            .as_deref();
        let granted = asked.zip(most).map(|(asked, most)| {
            assert!(bytes(asked) <= bytes(most), "{asked} is more than {most}");
            asked
        });
        granted
            .or(kubernetes.service_memory_limit.as_deref())
            .map(bytes)
    }

    /// Whether a job may name this image for a service.
    pub fn allows_service(&self, image: &str) -> bool {
        is_allowed(image, &self.kubernetes.allowed_services)
    }

    /// Examples for Kubernetes leave it out.
    fn has_docker_executor(&self) -> bool {
        match self.executor.as_deref() {
            None | Some("kubernetes") => false,
            Some("docker") => true,
            Some(other) => panic!("no executor with services: {other}"),
        }
    }
}

/// Without any pattern all images are.
fn is_allowed(image: &str, patterns: &[String]) -> bool {
    let fits = |pattern: &String| match pattern.split_once('*') {
        None => image == pattern,
        Some((start, end)) => image
            .strip_prefix(start)
            .is_some_and(|rest| rest.ends_with(end)),
    };
    patterns.is_empty() || patterns.iter().any(fits)
}

/// Of a quantity as Kubernetes writes it; the documents have whole `Gi`.
fn bytes(quantity: &str) -> u64 {
    let number = quantity.strip_suffix("Gi").expect("a quantity in Gi");
    number.parse::<u64>().unwrap() << 30
}

#[test]
fn a_key_that_the_runner_does_not_know_is_noticed() {
    let good = "[[runners]]\n[runners.kubernetes]\nprivileged = true";
    assert!(Runner::parse(good).is_ok());
    for bad in [
        "[[runners]]\n[runners.kubernetes]\nprivileges = true",
        "[[runners]]\n[runners.kubernetes]\nprivileged = \"yes\"",
        "[[runners]]\n[[runners.kubernetes.volumes.emptydir]]\nname = \"a\"",
        "[[runners]]\n[[runners.kubernetes.volumes.empty_dir]]\nname = \"a\"\nread_only = true\nmount_path = \"/a\"",
        "[runners.kubernetes]\nprivileged = true",
    ] {
        assert!(Runner::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn only_services_that_are_allowed_may_be_named() {
    let runner = |list: &str| {
        let text = format!("[[runners]]\n[runners.kubernetes]\nallowed_services = {list}");
        Runner::parse(&text).unwrap()
    };
    assert!(runner("[]").allows_service("any"));
    let one = runner("[\"my/dind\", \"my/dind:*\"]");
    assert!(one.allows_service("my/dind") && one.allows_service("my/dind:29"));
    assert!(!one.allows_service("your/dind:29") && !one.allows_service("my/dind2"));
}
