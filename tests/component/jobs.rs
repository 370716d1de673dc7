//! Jobs that include the component, run by an interpreter of `.gitlab-ci.yml` in real containers.
//!
//! The interpreter knows no hooks, so the wait is a line of `before_script` here, as it is in a job
//! without a clone.

use crate::pods::busybox::IMPORT_BUSYBOX;
use crate::pods::suite::Suite;
use crate::pods::transcript::Transcript;
use crate::project::{Include, Project};

/// Builds an image and runs it.
const BUILD_AND_RUN: &str = "\
printf 'FROM busybox\\nRUN echo built > /made\\nCMD cat /made\\n' | DOCKER_BUILDKIT=0 docker build -q -t made -
docker run --rm made";

/// Runs a job that includes the component with these inputs and has this script.
fn run(include: Include, inputs: &str, script: &str) -> Transcript<'static> {
    let image = Suite::Trixie.service_image();
    let project = Project::new(
        include,
        &format!("image: {image}\n{inputs}"),
        &job("job", script),
    );
    project.run(&["job"])
}

fn job(name: &str, script: &str) -> String {
    let script: String = script
        .lines()
        .map(|line| format!("      {}\n", line.trim_start()))
        .collect();
    let image = Suite::Trixie.base_image();
    format!(
        "{name}:
  extends: .dind
  image: {image}
  before_script:
    - !reference [.dind-wait, script]
  script:
    - |
{script}
  after_script:
    - !reference [.dind-report, script]
"
    )
}

#[test]
fn a_job_builds_an_image_and_runs_it() {
    run(
        Include::Component,
        "",
        &format!("{IMPORT_BUSYBOX}\n{BUILD_AND_RUN}"),
    )
    .expect_success()
    .expect("dind-init: Docker 26.1")
    .expect("is ready at tcp://docker:2376 with TLS after")
    .expect("> built");
}

#[test]
fn a_job_reaches_the_daemon_by_a_socket() {
    run(
        Include::Local,
        "transport: unix",
        "docker version --format '{{.Server.Os}}'",
    )
    .expect_success()
    .expect("is ready at unix:///builds/.dind-init/")
    .expect("> linux");
}

#[test]
fn a_job_reaches_the_daemon_without_tls() {
    run(
        Include::Local,
        "transport: plain",
        "docker version --format '{{.Server.Os}}'",
    )
    .expect_success()
    .expect("is ready at tcp://docker:2375 after")
    .expect("> linux");
}

#[test]
fn inputs_reach_dockerd() {
    let inputs = "dockerd-args: [\"--label=purpose=a b\", \"--label\", \"owner=c\"]\n\
                  registry-mirrors: [\"https://mirror.example.com\"]\n\
                  insecure-registries: [\"registry.example.com:5000\"]\n\
                  mtu: \"1234\"\n\
                  storage-driver: vfs\n\
                  debug: true";
    let script =
        "docker info --format 'labels={{json .Labels}} debug={{.Debug}} driver={{.Driver}}'
docker info --format '{{json .RegistryConfig}}'
docker network inspect bridge --format '{{index .Options \"com.docker.network.driver.mtu\"}}'";
    run(Include::Component, inputs, script)
        .expect_success()
        // dockerd gives its labels in no order.
        .expect(r#""owner=c""#)
        .expect(r#""purpose=a b""#)
        .expect("] debug=true driver=vfs")
        .expect("https://mirror.example.com/")
        .expect("registry.example.com:5000")
        .expect("1234");
}

#[test]
fn services_of_the_job_s_own_run_beside_it() {
    let image = Suite::Trixie.base_image();
    let web = r#"command: [sh, -c, "echo hello > /tmp/index.html; exec busybox httpd -f -p 8080 -h /tmp"]"#;
    run(
        Include::Component,
        &format!("extra-services: [{{name: {image}, alias: web, {web}}}]"),
        "docker info >/dev/null && curl -s --retry 9 --retry-connrefused http://web:8080/index.html",
    )
    .expect_success()
    .expect("> hello");
}

#[test]
fn a_broken_configuration_ends_the_job_with_the_reason_before_its_script() {
    run(
        Include::Component,
        "dockerd-args: [--no-such-flag]",
        "echo 'the script runs'",
    )
    .expect_failure()
    .expect("Docker cannot work in this job.")
    .expect("DAEMON-FLAG")
    .expect("--no-such-flag")
    .expect_not("> the script runs");
}

#[test]
fn an_input_that_the_service_does_not_take_is_named_as_the_input() {
    run(
        Include::Component,
        "registry-mirrors: [mirror.example.com]",
        "echo 'the script runs'",
    )
    .expect_failure()
    .expect("SETTINGS-INVALID")
    .expect("input registry-mirrors in .gitlab-ci.yml")
    .expect_not("> the script runs");
}

#[test]
fn two_jobs_at_the_same_time_do_not_notice_each_other() {
    let image = Suite::Trixie.service_image();
    let script = "docker info --format '{{.ID}}' && cat $DOCKER_CERT_PATH/ca.pem | sha256sum";
    let jobs = job("one", script) + &job("two", script);
    let project = Project::new(Include::Component, &format!("image: {image}"), &jobs);
    let run = project.run(&["one", "two"]).expect_success();
    let of = |job: &str| -> Vec<&str> {
        let prefix = format!("{job} > ");
        let lines = run
            .output()
            .lines()
            .filter_map(|line| line.strip_prefix(&prefix));
        lines
            .filter(|line| !line.starts_with("dind-init"))
            .collect()
    };
    assert_eq!(
        (of("one").len(), of("two").len()),
        (2, 2),
        "{}",
        run.output()
    );
    assert!(
        of("one")
            .iter()
            .zip(of("two"))
            .all(|(one, two)| *one != two),
        "{}",
        run.output()
    );
}
