//! The language of the scenarios: a pod with a dind service, and jobs that run in it.
//!
//! ```ignore
//! let pod = Pod::new(Suite::Trixie).certs(&Volume::memory()).start();
//! pod.job("docker version").expect_success();
//! ```

mod plan;

use std::fmt::{self, Display, Formatter};
use std::ops::Deref;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::pods::podman::{Finished, podman, remove_abandoned_pods, require_image, step};
use crate::pods::suite::Suite;
use crate::pods::transcript::Transcript;
pub use plan::Plan;

/// The longest that a job may take, and that a service may take to end.
const PATIENCE: Duration = Duration::from_secs(100);

impl Plan {
    /// Creates the pod and starts the service, and waits for nothing else.
    pub fn start(self) -> Pod {
        static PODS: AtomicUsize = AtomicUsize::new(0);
        remove_abandoned_pods();
        let number = PODS.fetch_add(1, Ordering::Relaxed);
        let name = format!("dind-e2e-{}-{number}", process::id());
        let pod = Pod {
            service: format!("{name}-service"),
            is_guest: false,
            name,
            plan: self,
        };
        pod.require_images();
        if pod.plan.has_containers_of_their_own {
            assert!(pod.plan.hosts.is_empty() && pod.plan.other_services.is_empty());
            step(&["network", "create", &pod.name]);
            pod.start_service();
            return pod;
        }
        let hosts = pod.plan.hosts.iter();
        let hosts: Vec<_> = hosts.map(|host| format!("--add-host={host}")).collect();
        let mut create = vec!["pod", "create", "--name", &pod.name, "--share=net,uts"];
        let called = format!("--add-host={}:127.0.0.1", pod.plan.name);
        create.push(&called);
        create.extend(hosts.iter().map(String::as_str));
        step(&create);
        for script in &pod.plan.other_services {
            let base = pod.plan.suite.base_image();
            step(&[
                "run", "--detach", "--pod", &pod.name, base, "sh", "-c", script,
            ]);
        }
        pod.start_service();
        pod
    }

    /// Starts the service in a pod that is there already, beside the one that it has. It ends
    /// before that pod does.
    pub fn start_in<'a>(self, pod: &'a Pod) -> Guest<'a> {
        let guest = Pod {
            name: pod.name.clone(),
            service: format!("{}-guest", pod.name),
            is_guest: true,
            plan: self,
        };
        guest.require_images();
        guest.start_service();
        Guest {
            service: guest,
            _host: pod,
        }
    }
}

/// A running pod. It is removed, with everything in it, when it goes out of scope.
#[derive(Debug)]
pub struct Pod {
    name: String,
    /// The service's container.
    service: String,
    /// The pod is another's.
    is_guest: bool,
    plan: Plan,
}

/// A second service in somebody else's pod.
#[derive(Debug)]
pub struct Guest<'a> {
    service: Pod,
    _host: &'a Pod,
}

impl Deref for Guest<'_> {
    type Target = Pod;

    fn deref(&self) -> &Pod {
        &self.service
    }
}

impl Pod {
    /// Runs `script` by bash in a new, unprivileged job container with the pod's own Docker CLI.
    #[must_use = "an outcome that nobody looks at tests nothing"]
    pub fn job(&self, script: &str) -> Transcript<'_> {
        self.job_on(self.plan.suite, script)
    }

    /// The same with the Docker CLI of another suite.
    #[must_use = "an outcome that nobody looks at tests nothing"]
    pub fn job_on(&self, suite: Suite, script: &str) -> Transcript<'_> {
        require_image(suite.base_image());
        let mut run = vec!["run", "--rm"];
        run.extend(self.place());
        let shared = self.shared_options();
        run.extend(shared.iter().map(String::as_str));
        run.extend([suite.base_image(), "bash", "-c", script]);
        self.transcript("the job", podman(&run, PATIENCE))
    }

    /// Runs `script` by bash in a container of the job's image that sees the service's processes,
    /// and may do with them what root may.
    #[must_use = "an outcome that nobody looks at tests nothing"]
    pub fn beside_service(&self, script: &str) -> Transcript<'_> {
        let processes = format!("--pid=container:{}", self.service);
        let base = self.plan.suite.base_image();
        let mut run = vec!["run", "--rm", "--privileged", &processes];
        run.extend(self.place());
        run.extend([base, "bash", "-c", script]);
        self.transcript("the command beside the service", podman(&run, PATIENCE))
    }

    /// Runs `script` inside the service's container.
    #[must_use = "an outcome that nobody looks at tests nothing"]
    pub fn in_service(&self, script: &str) -> Transcript<'_> {
        let done = podman(&["exec", &self.service, "sh", "-c", script], PATIENCE);
        self.transcript("the command in the service", done)
    }

    /// Runs a command inside the service's container, beside its main process, as `user` (a name,
    /// or numbers with a colon) and with these variables besides the container's own.
    #[must_use = "an outcome that nobody looks at tests nothing"]
    pub fn run_in_service(
        &self,
        user: &str,
        variables: &[(&str, &str)],
        words: &[&str],
    ) -> Transcript<'_> {
        let variables = variables.iter();
        let options: Vec<String> = variables
            .map(|(name, value)| format!("--env={name}={value}"))
            .collect();
        let mut exec = vec!["exec", "--user", user];
        exec.extend(options.iter().map(String::as_str));
        exec.push(&self.service);
        exec.extend(words);
        self.transcript("the command in the service", podman(&exec, PATIENCE))
    }

    /// Sends a signal to the service's main process.
    pub fn signal(&self, name: &str) {
        step(&["kill", "--signal", name, &self.service]);
    }

    /// Waits for the service's end. Its output is its log.
    #[must_use = "an outcome that nobody looks at tests nothing"]
    pub fn service_end(&self) -> Transcript<'_> {
        let waited = podman(&["wait", &self.service], PATIENCE);
        let status = waited.status.map(|_| {
            let last_line = waited.output.lines().last().unwrap_or_default();
            last_line
                .parse()
                .unwrap_or_else(|_| panic!("podman wait: {}", waited.output))
        });
        Transcript::new(
            "the service",
            Finished {
                status,
                output: self.service_log(),
                took: waited.took,
            },
        )
    }

    /// Whether the service's main process is gone.
    pub fn service_has_ended(&self) -> bool {
        self.service_state("{{.State.Status}}") == "exited"
    }

    /// The moment at which the service's main process was started, in nanoseconds since 1970.
    pub fn service_started_at(&self) -> u64 {
        self.service_state("{{.State.StartedAt.UnixNano}}")
            .parse()
            .unwrap()
    }

    /// Starts the service's container again, after its end.
    pub fn restart_service(&self) {
        step(&["start", &self.service]);
    }

    /// What the service has written to standard output and standard error.
    pub fn service_log(&self) -> String {
        podman(&["logs", &self.service], PATIENCE).output
    }

    /// Where this machine sees the root of the service's file system.
    pub fn service_root(&self) -> String {
        step(&["mount", &self.service])
    }

    fn require_images(&self) {
        require_image(self.plan.suite.base_image());
        require_image(&self.service_image());
    }

    fn service_image(&self) -> String {
        let own = || self.plan.suite.service_image();
        self.plan.image.clone().unwrap_or_else(own)
    }

    fn start_service(&self) {
        let mut create = vec!["create", "--name", &self.service];
        create.extend(self.place());
        if self.plan.has_containers_of_their_own {
            create.push("--network-alias=docker");
        }
        if self.plan.is_privileged {
            create.push("--privileged");
        }
        let shared = self.shared_options();
        create.extend(shared.iter().map(String::as_str));
        let own: Vec<String> = self.plan.service_variables.iter().map(env_option).collect();
        create.extend(own.iter().map(String::as_str));
        create.extend(self.plan.service_options.iter().map(String::as_str));
        let image = self.service_image();
        create.push(&image);
        create.extend(self.plan.service_command.iter().map(String::as_str));
        step(&create);
        step(&["start", &self.service]);
    }

    /// The options that put a container where the others are.
    fn place(&self) -> [&str; 2] {
        match self.plan.has_containers_of_their_own {
            true => ["--network", &self.name],
            false => ["--pod", &self.name],
        }
    }

    fn service_state(&self, format: &str) -> String {
        step(&["container", "inspect", "--format", format, &self.service])
    }

    fn shared_options(&self) -> Vec<String> {
        let volumes = self
            .plan
            .mounts
            .iter()
            .map(|mount| format!("--volume={mount}"));
        volumes
            .chain(self.plan.variables.iter().map(env_option))
            .collect()
    }

    fn transcript(&self, what: &str, finished: Finished) -> Transcript<'_> {
        Transcript::new(what, finished).beside(self)
    }
}

/// What tells why something in the pod went wrong.
impl Display for Pod {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "the service's log\n{}", self.service_log().trim_end())
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        if std::env::var_os("DIND_E2E_KEEP").is_some() {
            return;
        }
        let has_pod = !self.is_guest && !self.plan.has_containers_of_their_own;
        if !has_pod {
            podman(
                &["rm", "--force", "--volumes", "--time=0", &self.service],
                PATIENCE,
            );
            if !self.is_guest {
                podman(&["network", "rm", "--force", &self.name], PATIENCE);
            }
        } else {
            podman(&["pod", "rm", "--force", "--time=0", &self.name], PATIENCE);
        }
    }
}

fn env_option((name, value): &(String, String)) -> String {
    format!("--env={name}={value}")
}
