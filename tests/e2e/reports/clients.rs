//! How jobs look for their daemon.

use super::*;

/// cattle-ops/terraform-aws-gitlab-runner#197, in a pod: what is dialled so is the pod itself.
#[test]
fn a_host_of_zeros() {
    works(
        usual().variable("DOCKER_HOST", "tcp://0.0.0.0:2376"),
        "docker info",
    );
}

/// pypa/cibuildwheel#1269 and its examples: the service is not to see the job's `DOCKER_HOST`. That
/// leaves it to guess, so it says of both what holds.
#[test]
fn a_service_without_the_job_s_docker_host() {
    let log = RunnerLog::new();
    let pod = Pod::new(Suite::Trixie)
        .plain()
        .variable("DOCKER_HOST", "tcp://docker:2375/")
        .service_option("--entrypoint=[\"env\",\"-u\",\"DOCKER_HOST\"]")
        .command(&["dockerd-entrypoint.sh"])
        .gitlab_job(&Volume::disk())
        .runner_log(&log)
        .start();
    pod.job("docker info").expect_success();
    let told = log.text().unwrap();
    for part in [
        "not among the variables that this service gets",
        "If the job lacks it as well",
        "the service's `entrypoint` takes it",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

/// docker-library/docker#396: dockerd opens the port that the job dials, a quarter of a minute late.
#[test]
fn a_command_that_starts_dockerd_without_a_word_on_tls() {
    is_explained(
        Pod::new(Suite::Trixie)
            .plain()
            .command(&["dockerd", "-H", "tcp://0.0.0.0:2375"]),
        "docker info",
        &[
            "error CLIENT-LATE-PORT",
            "waits 15 seconds before it opens this port",
            "DOCKER_TLS_CERTDIR: \"\"",
        ],
    );
}

/// The same with what is printed: the port is open before the job's first command.
#[test]
fn the_same_without_the_command() {
    works(Pod::new(Suite::Trixie).plain(), "docker info");
}

/// docker-library/docker#11, ekino/docker-buildbox#143: an image behind a registry gives the service
/// other aliases than `docker`.
#[test]
fn a_service_that_is_called_after_its_registry() {
    let name = "registry.example.com-my-dind";
    is_explained(
        usual().called(name),
        "docker info",
        &[
            "error CLIENT-HOST",
            name,
            "DOCKER_HOST: tcp://localhost:2376",
            "give it the alias docker",
        ],
    );
    works(
        usual()
            .called(name)
            .variable("DOCKER_HOST", "tcp://localhost:2376"),
        "docker info",
    );
}

/// docker-library/docker#312, jackin-project/jackin#60: another alias, in the script alone. The
/// client itself refuses, and with Docker's executor only the service can say more.
#[test]
fn a_name_that_only_the_script_knows() {
    let named = || {
        usual()
            .with_docker_executor()
            .service_option("--network-alias=dind")
            .variable("CI_JOB_ID", "7")
    };
    let script = "export DOCKER_HOST=tcp://dind:2376; docker info";
    let pod = named().start();
    pod.job(script).expect_failure().expect("not dind");
    while !pod.service_log().contains("error CERTS-NAME") {
        assert!(!pod.service_has_ended(), "{pod}");
    }
    assert!(pod.service_log().contains("DOCKER_TLS_SAN"), "{pod}");
    drop(pod);
    let cured = named()
        .variable("DOCKER_TLS_SAN", "DNS:docker,DNS:dind")
        .start();
    cured.job(script).expect_success();
}

/// jansauer/dockercli-plus-awscli#35: `--tls=false` turns nothing off, so the other port answers.
#[test]
fn tls_that_a_flag_was_to_turn_off() {
    let plan = usual()
        .with_docker_executor()
        .command(&["dockerd-entrypoint.sh", "--tls=false"])
        .variable("CI_JOB_ID", "7")
        .variable("DOCKER_HOST", "tcp://docker:2375")
        .without("DOCKER_TLS_VERIFY")
        .without("DOCKER_CERT_PATH");
    let pod = plan.start();
    pod.job("until (exec 3<>/dev/tcp/docker/2375) 2>/dev/null; do sleep 0.1; done; docker info")
        .expect_failure()
        .expect("CLIENT-PORT")
        .expect("DOCKER_HOST: tcp://docker:2376");
}

/// firecow/gitlab-ci-local#861, #1461: whoever waits for the ports of the image waits for both.
#[test]
fn a_runner_that_waits_for_every_port_of_the_image() {
    let pod = usual()
        .with_docker_executor()
        .variable("CI_JOB_ID", "7")
        .without("DOCKER_HOST")
        .start();
    let open =
        |port| format!("until (exec 3<>/dev/tcp/docker/{port}) 2>/dev/null; do sleep 0.1; done");
    pod.job(&format!("{}; {}", open(2375), open(2376)))
        .expect_success();
}
