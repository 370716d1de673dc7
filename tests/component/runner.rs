//! What the interpreter cannot do: the hook before the clone, a shared `/builds`, and the two ways
//! in which a runner puts containers together.
//!
//! The variables and scripts are those of a job that extends the component; the containers come in
//! the runner's order: the service, its helper with the hook, the job.

use serde_yaml_ng::Value;

use crate::pods::gitlab::RunnerLog;
use crate::pods::pod::{Plan, Pod};
use crate::pods::suite::Suite;
use crate::pods::transcript::Transcript;
use crate::pods::volume::Volume;
use crate::project::{Include, Project};

/// The executor that a job's containers are put together by.
#[derive(Clone, Copy, Debug)]
enum Executor {
    Kubernetes,
    Docker,
}

/// A job that extends the component, as GitLab hands it to the runner.
struct Job {
    variables: Vec<(String, String)>,
    hook: String,
    report: String,
}

impl Job {
    fn new(inputs: &str) -> Self {
        // The input `report` does what the reference does.
        let report = match inputs.contains("report: true") {
            true => "",
            false => "  after_script:\n    - !reference [.dind-report, script]\n",
        };
        let job = "job:\n  image: alpine\n  extends: .dind\n  script: [docker version]\n";
        let job = &format!("{job}{report}");
        let preview = Project::new(Include::Local, inputs, job).preview().unwrap();
        let job = &preview["job"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let variables = job["variables"].as_mapping().unwrap();
        Self {
            variables: variables
                .iter()
                .map(|(name, value)| (text(name), text(value)))
                .collect(),
            hook: text(&job["hooks"]["pre_get_sources_script"][0]),
            report: text(&job["after_script"][0]),
        }
    }

    /// The containers' common plan, for job 7 of `builds`.
    fn plan(&self, executor: Executor, builds: &Volume) -> Plan {
        self.plan_on(Suite::Trixie, executor, builds)
    }

    fn plan_on(&self, suite: Suite, executor: Executor, builds: &Volume) -> Plan {
        let mut plan = Pod::new(suite)
            .without("DOCKER_TLS_VERIFY")
            .without("DOCKER_CERT_PATH")
            .gitlab_job(builds);
        if let Executor::Docker = executor {
            plan = plan.with_docker_executor();
        }
        for (name, value) in &self.variables {
            // The runner's one pass.
            let value = value
                .replace("$CI_BUILDS_DIR", "/builds")
                .replace("$CI_JOB_ID", "7");
            plan = plan.variable(name, &value);
        }
        plan
    }

    /// The stage in which the helper gets the sources. It is made of Alpine: its shell is busybox's.
    fn get_sources<'a>(&self, pod: &'a Pod) -> Transcript<'a> {
        pod.job(&format!(
            "exec busybox sh -e <<'END_OF_HOOK'\n{}\necho cloning\nEND_OF_HOOK",
            self.hook
        ))
    }
}

#[test]
fn a_job_has_docker_in_both_executors_and_leaves_nothing_behind() {
    for (executor, transport) in [
        (Executor::Kubernetes, "tls"),
        (Executor::Docker, "tls"),
        (Executor::Docker, "unix"),
        (Executor::Docker, "plain"),
    ] {
        let job = Job::new(&format!("transport: {transport}"));
        let builds = Volume::disk();
        let pod = job.plan(executor, &builds).start();
        // The Docker executor's own health check: one of the ports that the image exposes.
        let _ = pod
            .job(
                "for port in 2375 2376; do
                   busybox nc -w 1 docker $port </dev/null && exit
                 done
                 exit 1",
            )
            .expect_success();
        job.get_sources(&pod)
            .expect_success()
            .expect("dind-init: Docker 26.1")
            .expect("cloning");
        pod.job("docker version --format '{{.Server.Os}}'")
            .expect_success()
            .expect("linux");
        pod.job(&format!("bash -e -o pipefail <<'END'\n{}\nEND", job.report))
            .expect_success()
            .expect_not("dind-init");
        pod.signal("TERM");
        let _ = pod.service_end().expect_status(0);
        assert!(
            !builds.path().join(".dind-init/7").exists(),
            "{executor:?} {transport}"
        );
    }
}

/// The case that this project began with: it does not matter to the component.
#[test]
fn a_secret_over_the_client_s_directory_is_of_no_account() {
    let job = Job::new("");
    let pod = job
        .plan(Executor::Kubernetes, &Volume::disk())
        .certs(&Volume::secret(&[("ca.pem", "a registry's")]))
        .start();
    job.get_sources(&pod).expect_success().expect("cloning");
    pod.job("docker info").expect_success();
}

#[test]
fn what_keeps_docker_from_working_is_told_before_the_clone() {
    for executor in [Executor::Kubernetes, Executor::Docker] {
        let job = Job::new("");
        let pod = job.plan(executor, &Volume::disk()).unprivileged().start();
        job.get_sources(&pod)
            .expect_failure()
            .expect("Docker cannot work in this job.")
            .expect("NOT-PRIVILEGED")
            .expect_not("cloning");
    }
}

/// On Kubernetes the service itself writes into the job's log, before the runner's helper does.
#[test]
fn what_is_wrong_stands_in_the_job_s_log_once() {
    const FIX: &str = "privileged = true";
    let job = Job::new("");
    let log = RunnerLog::new();
    let pod = job.plan(Executor::Kubernetes, &Volume::disk());
    let pod = pod.unprivileged().runner_log(&log).start();
    job.get_sources(&pod)
        .expect_failure()
        .expect("Docker cannot work in this job.")
        .expect("fatal NOT-PRIVILEGED: ")
        .expect("(cause and fix: further up in this log)")
        .expect_not(FIX);
    let above = log.text().unwrap();
    assert_eq!(above.matches(FIX).count(), 1, "{above}");
    // The control: where the runner's log file is not there, the helper has to tell it.
    let log = RunnerLog::missing();
    let pod = job.plan(Executor::Kubernetes, &Volume::disk());
    let pod = pod.unprivileged().runner_log(&log).start();
    job.get_sources(&pod)
        .expect_failure()
        .expect(FIX)
        .expect_not("further up");
}

#[test]
fn a_service_that_ended_by_itself_is_still_explained() {
    let job = Job::new("");
    let pod = job
        .plan(Executor::Docker, &Volume::disk())
        .variable("DIND_ON_FAILURE", "exit")
        .unprivileged()
        .start();
    let _ = pod.service_end().expect_failure();
    job.get_sources(&pod)
        .expect_failure()
        .expect("NOT-PRIVILEGED");
}

#[test]
fn an_image_without_dind_init_is_told_from_a_service_that_is_not_there() {
    let job = Job::new("wait-timeout: 1");
    let pod = |script: &str| {
        let plan = job.plan(Executor::Kubernetes, &Volume::disk());
        plan.image(Suite::Trixie.base_image())
            .command(&["sh", "-c", script])
            .start()
    };
    // docker:dind's own entrypoint begins with the directory of its CA.
    let official = pod("mkdir -p $DOCKER_TLS_CERTDIR/ca; exec sleep 1000");
    let made = "until [ -d $DOCKER_TLS_CERTDIR/ca ]; do sleep 0.1; done";
    let _ = official.job(made).expect_success();
    job.get_sources(&official)
        .expect_failure()
        .expect("runs docker:dind's own entrypoint, not dind-init.")
        .expect_not("cloning");
    // What listens is somebody's, and Kubernetes has one network for all.
    let other = pod("exec busybox httpd -f -p 2376");
    let _ = other
        .job("until busybox nc -w 1 docker 2376 </dev/null; do sleep 0.1; done")
        .expect_success();
    job.get_sources(&other)
        .expect_failure()
        .expect("A service answers as docker, but it does not say how it is.")
        .expect_not("cloning");
    let nobody = pod("exec sleep 1000");
    job.get_sources(&nobody)
        .expect_failure()
        .expect("The Docker service is not running.")
        .expect("[runners.kubernetes]");
}

#[test]
fn what_happens_while_the_job_runs_is_reported_after_its_script() {
    let job = Job::new("");
    // Without the runner's log file, as in the Docker executor, nothing else tells it.
    let pod = job.plan(Executor::Docker, &Volume::disk()).start();
    job.get_sources(&pod).expect_success();
    pod.in_service("kill -KILL $(pidof dockerd)")
        .expect_success();
    pod.job("docker info")
        .expect_failure()
        .expect("DAEMON-KILLED");
    pod.job(&job.report)
        .expect_success()
        .expect("This was found while the job ran")
        .expect("DAEMON-KILLED");
}

/// `inputs: {report: true}`, where nothing else of the job asks Docker for anything.
#[test]
fn a_daemon_that_ends_under_the_last_command_is_told_in_after_script() {
    let reporting = Job::new("report: true");
    assert_eq!(reporting.report, Job::new("").report);
    let pod = reporting.plan(Executor::Docker, &Volume::disk()).start();
    reporting.get_sources(&pod).expect_success();
    pod.in_service("kill -KILL $(pidof dockerd)")
        .expect_success();
    pod.job("until grep -q ^failed /builds/.dind-init/7/status.txt; do sleep 0.1; done")
        .expect_success();
    pod.job(&reporting.report)
        .expect_success()
        .expect("DAEMON-KILLED");
}

/// README's command line for a builder of the job's own is the same for all runners.
#[test]
fn a_builder_is_configured_where_no_ca_is_given() {
    let job = Job::new("");
    let plan = job.plan_on(Suite::Sid, Executor::Kubernetes, &Volume::disk());
    let pod = plan.start();
    job.get_sources(&pod).expect_success();
    let create = |name: &str| {
        pod.job(&format!(
            "docker context create job && docker buildx create --use \
             --driver docker-container --buildkitd-config $DOCKER_CERT_PATH/{name} job"
        ))
    };
    create("buildkitd.toml").expect_success();
    // The control.
    create("no-such.toml")
        .expect_failure()
        .expect("no-such.toml");
}

/// A runner that keeps `/builds` for several jobs.
#[test]
fn jobs_that_share_the_builds_directory_have_directories_of_their_own() {
    let builds = Volume::disk();
    let log = RunnerLog::new();
    let job = Job::new("");
    let one = job.plan(Executor::Docker, &builds).start();
    let two = job.plan(Executor::Docker, &builds).runner_log(&log);
    let two = two
        .variable("CI_JOB_ID", "8")
        .variable("DOCKER_TLS_CERTDIR", "/builds/.dind-init/8")
        .variable("DOCKER_CERT_PATH", "/builds/.dind-init/8/client")
        .start();
    for pod in [&one, &two] {
        job.get_sources(pod).expect_success();
        pod.job("docker info").expect_success();
    }
    let names = |job: &str| {
        builds
            .path()
            .join(".dind-init")
            .join(job)
            .join("client/ca.pem")
    };
    let [first, second] = ["7", "8"].map(|job| std::fs::read(names(job)).unwrap());
    assert_ne!(first, second);
    two.signal("TERM");
    let _ = two.service_end().expect_status(0);
    assert!(!builds.path().join(".dind-init/8").exists());
    one.job("docker info").expect_success();
}
