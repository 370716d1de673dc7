//! A job that is run as GitLab's Kubernetes executor runs it: the pod, the hook before the clone,
//! the script, and what comes after it.

use std::fs;

use crate::job::{Job, Service, file};
use crate::pods::busybox::IMPORT_BUSYBOX;
use crate::pods::gitlab::RunnerLog;
use crate::pods::pod::{Plan, Pod};
use crate::pods::suite::Suite;
use crate::pods::transcript::Transcript;
use crate::pods::volume::Volume;
use crate::runner::{Cluster, Runner};

/// What the project holds besides .gitlab-ci.yml.
const DOCKERFILE: &str =
    "FROM busybox\nRUN echo made by a build > /made\nCMD [\"cat\", \"/made\"]\n";

/// Stands for docker:cli, which has these of busybox.
const JOB_IMAGE: &str = "wget() { busybox wget \"$@\"; }; nc() { busybox nc \"$@\"; }";

impl Job {
    /// Has the runner make the pod, with the Docker of `suite`.
    pub fn plan(&self, suite: Suite, runner: &Runner, cluster: &Cluster) -> Prepared {
        assert_eq!(self.image().unwrap_or("docker:29-cli"), "docker:29-cli");
        let builds = Volume::disk();
        let log = RunnerLog::new();
        let project = builds.path().join("group/project");
        fs::create_dir_all(&project).unwrap();
        fs::write(project.join("Dockerfile"), DOCKERFILE).unwrap();

        let mut plan = runner.pod(pod_without_variables(suite), cluster, &builds, &log);
        for (name, value) in self.public(runner) {
            plan = plan.variable(&name, &value);
        }
        let (docker, others): (Vec<_>, Vec<_>) =
            self.services.iter().partition(|service| is_dind(service));
        let [docker] = docker.as_slice() else {
            panic!("one service is Docker: {:?}", self.services);
        };
        assert_eq!(docker.alias, "docker", "nothing else answers to `docker`");
        for (name, value) in self.of_service(docker, runner) {
            plan = plan.service_variable(&name, &value);
        }
        let image = self.expanded(&docker.name, runner);
        if !runner.makes_privileged(&image) {
            plan = plan.unprivileged();
        }
        for other in others {
            plan = plan.alias(&other.alias).other_service(stand_in(other));
        }
        for service in &self.services {
            assert!(runner.allows_service(&service.name), "{}", service.name);
        }
        let asked = self.variables.get("KUBERNETES_SERVICE_MEMORY_LIMIT");
        if let Some(limit) = runner.memory_limit(asked.and_then(|value| value.as_str())) {
            plan = plan.service_option(&format!("--memory={limit}"));
        }
        Prepared {
            job: self.clone(),
            runner: runner.clone(),
            plan,
            log,
            builds,
        }
    }

    /// A script of the job as the runner's shell runs it.
    fn shell(&self, lines: &[String], runner: &Runner) -> String {
        let mut script = format!("set -eo pipefail\n{JOB_IMAGE}\ncd \"$CI_PROJECT_DIR\"\n");
        for (name, value) in self.private(runner) {
            script.push_str(&format!("export {name}='{value}'\n"));
        }
        script + &lines.join("\n")
    }
}

/// The image under test: what the documents call it, or what the component does.
fn is_dind(service: &Service) -> bool {
    let names = [
        "registry.example.test/my/dind",
        "$CI_REGISTRY/dind-init/dind-init:",
    ];
    names.iter().any(|name| service.name.starts_with(name))
}

/// A shell's command line that answers where the image would: none can be pulled here.
fn stand_in(service: &Service) -> &'static str {
    match service.name.as_str() {
        "redis:7" => "exec busybox nc -ll -p 6379 -e echo +PONG",
        other => panic!("nothing stands for {other}"),
    }
}

/// The example has to say them itself.
fn pod_without_variables(suite: Suite) -> Plan {
    let usual = [
        "DOCKER_HOST",
        "DOCKER_TLS_VERIFY",
        "DOCKER_CERT_PATH",
        "DOCKER_TLS_CERTDIR",
    ];
    usual
        .iter()
        .fold(Pod::new(suite), |plan, name| plan.without(name))
}

/// A job whose pod is not started yet.
pub struct Prepared {
    job: Job,
    runner: Runner,
    plan: Plan,
    log: RunnerLog,
    builds: Volume,
}

impl Prepared {
    pub fn with(mut self, change: impl FnOnce(Plan) -> Plan) -> Self {
        self.plan = change(self.plan);
        self
    }

    /// Puts a file into the project.
    pub fn project_file(self, name: &str, text: &str) -> Self {
        let path = self.builds.path().join("group/project").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub fn start(self) -> Running {
        Running {
            pod: self.plan.start(),
            job: self.job,
            runner: self.runner,
            log: self.log,
            builds: self.builds,
        }
    }
}

/// A job's pod.
pub struct Running {
    pub pod: Pod,
    job: Job,
    runner: Runner,
    log: RunnerLog,
    builds: Volume,
}

impl Running {
    /// Runs the hook, and the script unless the hook fails.
    #[must_use = "an outcome that nobody looks at tests nothing"]
    pub fn run(&self) -> Transcript<'_> {
        let hook = &self.job.hooks.pre_get_sources_script;
        let strategy = self.job.variables.get("GIT_STRATEGY");
        if !hook.is_empty() && strategy.is_none_or(|strategy| strategy != "none") {
            self.write_files();
            // The helper's shell is a POSIX one.
            let script = hook.join("\n");
            let hook = self
                .pod
                .job(&format!("sh <<'END_OF_HOOK'\n{script}\nEND_OF_HOOK"));
            if hook.status() != Some(0) {
                return hook;
            }
        }
        // What the script would pull, there being no registry.
        let import = [IMPORT_BUSYBOX.to_owned()];
        let lines = [&self.job.before_script, import.as_slice(), &self.job.script].concat();
        self.pod.job(&self.job.shell(&lines, &self.runner))
    }

    /// Runs what comes after the script.
    #[must_use = "an outcome that nobody looks at tests nothing"]
    pub fn run_after(&self) -> Transcript<'_> {
        let script = self.job.shell(&self.job.after_script, &self.runner);
        self.pod.job(&script)
    }

    /// Ends dockerd as the kernel does, and waits until a docker command is told so.
    pub fn kill_dockerd(&self) {
        let kill = "kill -KILL $(pidof dockerd)";
        self.pod.in_service(kill).expect_success();
        let told = self.pod.job("docker info").expect_failure();
        told.expect("DAEMON-KILLED");
    }

    /// What dind-init itself has put into the job's log.
    pub fn told(&self) -> String {
        self.log.text().unwrap()
    }

    /// The script succeeds, and there was nothing to say about it.
    #[track_caller]
    pub fn succeeds(&self) -> Transcript<'_> {
        let outcome = self.run().expect_success();
        assert_eq!(self.told(), "");
        outcome
    }

    /// What the image says that the examples build.
    #[track_caller]
    pub fn has_built(&self, image: &str) {
        self.pod
            .job(&format!("docker run --rm {image}"))
            .expect_success()
            .expect("made by a build");
    }

    /// Once the service runs, as the runner does when it gets the sources (shells/abstract.go).
    fn write_files(&self) {
        for (name, content) in &self.job.files {
            let path = file(name, &self.runner);
            let inside = path.strip_prefix(self.runner.builds_dir()).unwrap();
            let path = self.builds.path().join(inside.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }
}
