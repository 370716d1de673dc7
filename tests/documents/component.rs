//! What component/README.md shows: read by the interpreter, and run in the pods that a runner would
//! make of it, hook and all.

use serde_yaml_ng::Value;

use crate::component_project::Project;
use crate::job::Job;
use crate::page::Block;
use crate::pods::registry::{Access, Registry};
use crate::pods::suite::Suite;
use crate::runner::{Cluster, Runner};
use crate::scenarios::scenarios;
use crate::template;

const COMPONENT: &str = "component/README.md";
const KUBERNETES: &str = "docs/kubernetes.md";
const README: &str = "README.md";

scenarios! {
    nothing_of_the_runner_has_to_change(
        KUBERNETES "A Secret in the certificates' place" 1,
        COMPONENT "dind" 1,
        COMPONENT "Kubernetes" 1,
        README "With the component" 1,
    );
    the_template_is_taken_from_a_project_of_one_s_own(
        README "With the component" 2,
        README "With the component" 1,
    );
    a_private_registry_keeps_images_and_layers(
        COMPONENT "A private registry with a CA of its own" 1,
        COMPONENT "Layers from the last build" 1,
        KUBERNETES "A Secret in the certificates' place" 2,
    );
    with_the_docker_executor_this_service_alone_is_privileged(
        COMPONENT "The Docker executor" 1,
        COMPONENT "dind" 1,
    );
    a_mirror_is_used(COMPONENT "A mirror" 1);
    more_services_are_there(
        COMPONENT "More services" 1,
        COMPONENT "More services" 2,
    );
    what_compose_publishes_and_mounts_is_where_the_page_says(
        COMPONENT "Compose" 1,
        COMPONENT "Compose" 2,
    );
    without_a_clone_the_script_waits(COMPONENT "Without a clone, and when the job is over" 1);
    a_merge_request_is_linted(COMPONENT "lint" 1);
}

fn nothing_of_the_runner_has_to_change(
    config: Block,
    simplest: Block,
    sized: Block,
    readme: Block,
) {
    assert_eq!(job(&simplest), job(&readme));
    let runner = Runner::parse(&config.text).unwrap();
    let cluster = Cluster::default().secret("registry-ca", &[("ca.pem", "a CA")]);
    let start = |job: Job| job.plan(Suite::Trixie, &runner, &cluster).start();
    start(job(&sized)).succeeds();
    let job = start(job(&simplest));
    job.succeeds().expect("made by a build");
    // The control: once the daemon is gone, the hook says so before the script.
    job.kill_dockerd();
    job.run()
        .expect_failure()
        .expect("Docker cannot work in this job.")
        .expect("DAEMON-KILLED")
        .expect_not("made by a build");
}

fn the_template_is_taken_from_a_project_of_one_s_own(include: Block, job: Block) {
    let (_, job) = job.text.split_once("\n\n").unwrap();
    // The interpreter has no other project to ask; this checkout stands for it.
    const PROJECT: &str = "project: my/ci\n    file: templates/dind.yml\n";
    let local = include.text.replace(PROJECT, "local: templates/dind.yml\n");
    assert_ne!(local, include.text);
    let job = job_of(&format!("{local}\n{job}"));
    assert_eq!(job.services[0].name, "registry.example.test/my/dind");
    let job = job.plan(Suite::Trixie, &privileged(), &Cluster::default());
    let job = job.start();
    job.succeeds();
    job.has_built("job");
}

fn a_private_registry_keeps_images_and_layers(push: Block, layers: Block, with_ca: Block) {
    let registry = Registry::start(Access::Password);
    let push = job(&push).with_file("CORPORATE_CA", &registry.ca());
    let push = push.plan(Suite::Trixie, &privileged(), &Cluster::default());
    let push = push.with(|plan| plan.knowing(&registry)).start();
    push.succeeds().expect("Login Succeeded");

    let runner = Runner::parse(&with_ca.text).unwrap();
    let cluster = Cluster::default().secret("registry-ca", &[("ca.crt", &registry.ca())]);
    let job = job(&layers).with_variable("CI_REGISTRY_IMAGE", "registry.example.test/group/cached");
    // Each time with a new daemon.
    let build = || {
        let job = job.plan(Suite::Sid, &runner, &cluster);
        let job = job.with(|plan| plan.knowing(&registry));
        let dockerfile = "FROM registry.example.test/group/project\nRUN echo slow > /slow\n";
        job.project_file("Dockerfile", dockerfile).start()
    };
    build().succeeds().expect_not("CACHED");
    build().succeeds().expect("CACHED");
}

fn with_the_docker_executor_this_service_alone_is_privileged(config: Block, simplest: Block) {
    let job = job(&simplest);
    let start = |config: &str| {
        let runner = Runner::parse(config).unwrap();
        job.plan(Suite::Trixie, &runner, &Cluster::default())
            .start()
    };
    start(&config.text)
        .run()
        .expect_success()
        .expect("made by a build");
    // The control: where the list has another image, ours is not.
    let other = config.text.replace("dind-init:*", "other:*");
    start(&other)
        .run()
        .expect_failure()
        .expect("NOT-PRIVILEGED")
        .expect("[runners.docker]");
}

fn a_mirror_is_used(mirror: Block) {
    let job = job(&mirror).plan(Suite::Trixie, &privileged(), &Cluster::default());
    let job = job.start();
    job.succeeds()
        .expect("https://mirror.example.com/")
        .expect("registry.lab.example.com:5000");
    job.pod
        .in_service("tr '\\0' ' ' < /proc/$(pidof dockerd)/cmdline")
        .expect("--max-concurrent-downloads=10");
}

fn more_services_are_there(by_reference: Block, by_input: Block) {
    let job = job(&by_reference);
    // Two ways to write one job, so that one pod shows both.
    assert_eq!(job, self::job(&by_input));
    let job = job.plan(Suite::Trixie, &privileged(), &Cluster::default());
    job.start().succeeds().expect("+PONG");
}

fn what_compose_publishes_and_mounts_is_where_the_page_says(test: Block, compose: Block) {
    let job = job(&test).plan(Suite::Sid, &privileged(), &Cluster::default());
    let job = job
        .project_file("compose.yaml", &compose.text)
        .project_file("www/index.html", "a file of the project");
    let job = job.start();
    job.succeeds().expect("a file of the project");
    // What lies elsewhere in the job is empty.
    job.pod
        .job("mkdir /tmp/own && touch /tmp/own/file && docker run --rm -v /tmp/own:/own busybox sh -c 'echo /own/*'")
        .expect_success()
        .expect("/own/*");
}

fn without_a_clone_the_script_waits(deploy: Block) {
    let job = job(&deploy).plan(Suite::Trixie, &privileged(), &Cluster::default());
    let job = job.start();
    job.succeeds().expect("is ready at tcp://docker:2376");
    job.run_after().expect_success().expect_not("dind-init");
    job.kill_dockerd();
    job.run_after().expect_success().expect("DAEMON-KILLED");
    job.run()
        .expect_failure()
        .expect("Docker cannot work in this job.");
}

/// That the job finds mistakes is tests/component/lint.rs' business.
fn a_merge_request_is_linted(block: Block) {
    let preview = Project::of(&of_this_checkout(&block)).preview().unwrap();
    let variables = &preview["dind-lint"]["variables"];
    assert_eq!(
        variables["DIND_LINT_FILES"],
        ".gitlab-ci.yml runners/*.toml"
    );
}

/// The example's one job, as the interpreter reads it with the component of this checkout.
fn job(block: &Block) -> Job {
    job_of(&of_this_checkout(block))
}

fn job_of(pipeline: &str) -> Job {
    let preview = Project::of(pipeline).preview();
    let preview = preview.unwrap_or_else(|why| panic!("{pipeline}: {why}"));
    let Value::Mapping(mut jobs) = preview else {
        panic!("no jobs: {preview:?}");
    };
    jobs.retain(|name, job| {
        let is_hidden = name.as_str().is_none_or(|name| name.starts_with('.'));
        !is_hidden && job.get("script").is_some()
    });
    for job in jobs.values_mut() {
        // Where the interpreter has found it.
        job.as_mapping_mut().unwrap().remove("gclOrigin");
    }
    let text = serde_yaml_ng::to_string(&jobs).unwrap();
    Job::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The example with the components of this checkout instead of the released ones.
fn of_this_checkout(block: &Block) -> String {
    let mut text = block.text.clone();
    for component in template::COMPONENTS {
        text = text.replace(
            &format!("$CI_SERVER_FQDN/dind-init/dind-init/{component}@~latest"),
            &format!("$CI_SERVER_FQDN/$CI_PROJECT_PATH/{component}@$CI_COMMIT_SHA"),
        );
    }
    assert_ne!(text, block.text, "{block:?}");
    text
}

fn privileged() -> Runner {
    Runner::parse("[[runners]]\n[runners.kubernetes]\nprivileged = true").unwrap()
}
