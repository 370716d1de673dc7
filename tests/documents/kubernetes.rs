//! What docs/kubernetes.md shows, in the pods that a runner would make of it.

use std::process::Command;

use crate::job::Job;
use crate::page::{Block, blocks, text};
use crate::pods::pod::{Plan, Pod};
use crate::pods::registry::{Access, Registry};
use crate::pods::suite::Suite;
use crate::pods::volume::Volume;
use crate::runner::{Cluster, Runner};
use crate::scenarios::scenarios;

const KUBERNETES: &str = "docs/kubernetes.md";

scenarios! {
    a_job_needs_no_more_than_two_empty_volumes(
        KUBERNETES "The runner" 1,
        KUBERNETES "The job" 1,
        KUBERNETES "Mirrors" 1,
        KUBERNETES "Troubleshooting" 2,
    );
    certificates_in_the_builds_directory_need_no_volume(
        KUBERNETES "The job" 2,
        KUBERNETES "Security" 2,
    );
    a_secret_in_the_certificates_place_is_explained_and_moved(
        KUBERNETES "A Secret in the certificates' place" 1,
        KUBERNETES "A Secret in the certificates' place" 2,
        KUBERNETES "The job" 1,
    );
    a_job_gets_the_memory_that_it_asks_for(
        KUBERNETES "Sizing" 1,
        KUBERNETES "Sizing" 2,
        KUBERNETES "The job" 1,
    );
    a_variable_of_the_user_interface_is_passed_on(
        KUBERNETES "The runner" 1,
        KUBERNETES "Where a variable must be set" 1,
    );
    a_service_that_the_node_cannot_run_ends_before_its_port_is_open(
        KUBERNETES "Retry where the node was at fault" 1,
        KUBERNETES "Security" 1,
    );
    the_image_s_own_entrypoint_is_one_variable_away(
        KUBERNETES "The runner" 1,
        KUBERNETES "The way back" 1,
        KUBERNETES "The job" 1,
    );
}

fn a_job_needs_no_more_than_two_empty_volumes(
    values: Block,
    job: Block,
    mirrors: Block,
    commands: Block,
) {
    let runner = runner(&values).with_environment_of(runner(&mirrors));
    let job = job_of(&job).plan(Suite::Trixie, &runner, &Cluster::default());
    let job = job.start();
    job.succeeds();
    job.has_built("job");
    let configuration = "docker info --format '{{json .RegistryConfig}}'";
    job.pod
        .job(configuration)
        .expect("https://mirror.example.com/")
        .expect("registry.lab.example.com:5000");
    // Its other line shows the service's log.
    let (_, explain) = commands.text.trim_end().rsplit_once(" -- ").unwrap();
    job.pod
        .in_service(explain)
        .expect_success()
        .expect("KUBERNETES_SERVICE_EPHEMERAL_STORAGE_REQUEST");
}

fn certificates_in_the_builds_directory_need_no_volume(job: Block, user_namespace: Block) {
    // The namespace itself is the kubelet's; the directories move either way.
    let runner = runner(&user_namespace);
    assert_eq!(runner.builds_dir(), "/tmp/builds");
    let job = job_of(&job);
    let pod = |runner: &Runner| job.plan(Suite::Trixie, runner, &Cluster::default()).start();
    pod(&runner).succeeds();

    // The control of this whole file: an example that lacks a line fails. What there is to say about
    // it is found in the log's new place.
    let without = user_namespace.text.replace("    privileged = true\n", "");
    assert_ne!(without, user_namespace.text);
    let broken = pod(&Runner::parse(&without).unwrap());
    broken.run().expect_failure().expect("NOT-PRIVILEGED");
    assert!(
        broken.told().contains("NOT-PRIVILEGED"),
        "{}",
        broken.told()
    );
}

fn a_secret_in_the_certificates_place_is_explained_and_moved(
    before: Block,
    after: Block,
    job: Block,
) {
    let (status, said) = lint(&before);
    assert!(
        status == Some(1) && said.contains("fatal[CERTS-READONLY]"),
        "{said}"
    );
    let (status, said) = lint(&after);
    assert!(status == Some(0) && !said.contains("["), "{said}");

    let registry = Registry::start(Access::Password);
    let cluster = Cluster::default().secret("registry-ca", &[("ca.pem", &registry.ca())]);
    let job = job_of(&job).with_script(LOG_IN);

    let broken = job.plan(Suite::Trixie, &runner(&before), &cluster);
    let broken = broken.with(|plan| plan.knowing(&registry)).start();
    broken
        .run()
        .expect_failure()
        .expect("x509: certificate is valid for CERTS-READONLY.");
    let told = broken.told();
    let first_page = blocks(&text("README.md")).into_iter();
    let mut quoted = first_page.filter(|block| block.text.contains("fatal CERTS-READONLY"));
    for line in quoted.next().expect("README's quotation").text.lines() {
        let line = line.trim_end_matches(" …");
        assert!(told.contains(line), "README has `{line}`, and not:\n{told}");
    }
    // What it says to change and to paste makes of the one what the page shows as the other.
    let place = "/etc/dind/registry-ca";
    let change = format!("Change the `mount_path` of that Secret to {place}");
    assert!(told.contains(&change), "{told}");
    let changed = before.text.replace("/certs/client", place);
    let pasted = told.lines().skip_while(|line| !line.contains("empty_dir"));
    let pasted = pasted.take_while(|line| !line.trim().is_empty());
    let sorted = |lines: &mut dyn Iterator<Item = &str>| {
        let mut lines: Vec<_> = lines.map(|line| line.trim().to_owned()).collect();
        lines.sort();
        lines
    };
    assert_eq!(
        sorted(&mut changed.lines().chain(pasted)),
        sorted(&mut after.text.lines()),
        "{told}"
    );

    let mended = job.plan(Suite::Trixie, &runner(&after), &cluster);
    let mended = mended.with(|plan| plan.knowing(&registry)).start();
    mended.succeeds().expect("Login Succeeded");
}

fn a_job_gets_the_memory_that_it_asks_for(sizes: Block, larger: Block, job: Block) {
    let runner = runner(&sizes);
    assert_eq!(runner.memory_limit(None), Some(2 << 30));
    let job = job_of(&job).with_global(&larger.text);
    let job = job
        .plan(Suite::Trixie, &runner, &Cluster::default())
        .start();
    job.succeeds();
    let limit = "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>&-";
    let four_gi = (4_u64 << 30).to_string();
    job.pod.in_service(limit).expect(&four_gi);
}

fn a_variable_of_the_user_interface_is_passed_on(values: Block, job: Block) {
    let registry = Registry::start(Access::Password);
    let job = job_of(&job).with_secret("CORPORATE_CA", &registry.ca());
    let runner = runner(&values);
    let run = |job: Job| {
        let job = job.plan(Suite::Trixie, &runner, &Cluster::default());
        job.with(|plan| plan.knowing(&registry)).start()
    };
    run(job.clone()).succeeds().expect("Login Succeeded");
    // The control: set there under the right name, and not passed on.
    let not_passed_on = job
        .without_variable("DIND_REGISTRY_CA")
        .with_secret("DIND_REGISTRY_CA", &registry.ca());
    run(not_passed_on)
        .run()
        .expect_failure()
        .expect("x509: certificate signed by unknown authority");
}

fn a_service_that_the_node_cannot_run_ends_before_its_port_is_open(job: Block, config: Block) {
    // Stands for the runner's helper: once the port is open, it says so by a port of its own.
    const HELPER: &str = "exec bash -c 'until (: < /dev/tcp/127.0.0.1/2376) 2>&-; do sleep 0.02; \
                          done; exec busybox httpd -f -p 9999'";
    const SAYS_SO: &str = "curl --silent --output /dev/null http://127.0.0.1:9999/";
    let job = job_of(&job);
    // Services alone are privileged in it, and of those that it allows.
    let runner = runner(&config);
    assert!(!runner.allows_service("docker:dind"));
    let plan = || {
        let job = job.plan(Suite::Trixie, &runner, &Cluster::default());
        job.with(|plan| plan.other_service(HELPER))
    };
    // A full disk is what another node may not have.
    let full = "--mount=type=tmpfs,destination=/var/lib/docker,tmpfs-size=100k";
    let broken = plan().with(|plan| plan.service_option(full)).start();
    broken
        .pod
        .service_end()
        .expect_status(74)
        .expect("STORAGE-FULL");
    broken.pod.job(SAYS_SO).expect_failure();

    // The same where the service waits before it ends: for another to let go of the directory.
    let data = Volume::disk();
    let on_data = |plan: Plan| plan.volume(&data, "/var/lib/docker");
    let holder = on_data(Pod::new(Suite::Trixie).plain()).start();
    holder.job("docker version").expect_success();
    let waiting = plan().with(on_data).start();
    let end = waiting.pod.service_end().expect_status(74);
    end.expect("STORAGE-IN-USE");
    waiting.pod.job(SAYS_SO).expect_failure();

    // The control, where all is well; and the page's own reservation: what comes later finds the
    // port open, and nobody behind it.
    let late = plan().start();
    late.succeeds();
    late.pod.job(SAYS_SO).expect_success();
    late.pod
        .in_service("kill -KILL $(pidof dockerd)")
        .expect_success();
    late.pod
        .service_end()
        .expect_failure()
        .expect("DAEMON-KILLED");
    late.run().expect_failure().expect("Cannot connect");
    assert!(text(KUBERNETES).contains("exit code: 74"));
}

fn the_image_s_own_entrypoint_is_one_variable_away(values: Block, back: Block, job: Block) {
    let runner = runner(&values).with_environment_of(runner(&back));
    let job = job_of(&job).plan(Suite::Trixie, &runner, &Cluster::default());
    // Debian's Docker has no such entrypoint; where there is one, it lies here (images/Dockerfile).
    let original = "/usr/local/bin/dockerd-entrypoint.official.sh";
    let job = job
        .with(|plan| plan.program(original, "echo this is the original"))
        .start();
    job.pod
        .service_end()
        .expect_success()
        .expect("this is the original");
}

/// What `dind-init lint values.yaml` ends with and prints.
fn lint(values: &Block) -> (Option<i32>, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("values.yaml");
    std::fs::write(&path, &values.text).unwrap();
    let mut lint = Command::new(env!("CARGO_BIN_EXE_dind-init"));
    let done = lint.arg("lint").arg(path).output().unwrap();
    let said = [done.stdout, done.stderr].concat();
    (
        done.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

const LOG_IN: &str = "docker login --username \"$CI_REGISTRY_USER\" \
                      --password \"$CI_REGISTRY_PASSWORD\" \"$CI_REGISTRY\"";

fn runner(block: &Block) -> Runner {
    Runner::parse(&block.text).unwrap_or_else(|error| panic!("{block:?}: {error}"))
}

fn job_of(block: &Block) -> Job {
    Job::parse(&block.text).unwrap_or_else(|error| panic!("{block:?}: {error}"))
}
