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
    let plan = || {
        Pod::new(Suite::Trixie)
            .plain()
            .command(&["dockerd", "-H", "tcp://0.0.0.0:2375"])
    };
    let told = is_explained(
        plan(),
        "docker info",
        &[
            "error CLIENT-LATE-PORT",
            "waits 15 seconds before it opens this port",
        ],
    );
    is_cured(
        plan(),
        "docker info",
        &told,
        "CLIENT-LATE-PORT",
        PastedAfter(
            "Take `dockerd` and where it listens out of `command` at the service",
            |pod| pod.command(&[]),
        ),
    );
}

/// The same by daemon.json.
#[test]
fn hosts_of_a_file_without_a_word_on_tls() {
    let plan = || {
        Pod::new(Suite::Trixie)
            .plain()
            .configuration(r#"{"hosts": ["tcp://0.0.0.0:2375"]}"#)
    };
    let told = is_explained(plan(), "docker info", &["error CLIENT-LATE-PORT"]);
    is_cured(
        plan(),
        "docker info",
        &told,
        "CLIENT-LATE-PORT",
        PastedAfter("Take `hosts` out of daemon.json", |pod| {
            pod.configuration_replaced("{}")
        }),
    );
}

/// github-developer/self-hosted-runners-anthos#16: `dockerd` alone, to be rid of TLS.
#[test]
fn a_command_that_was_to_turn_tls_off() {
    let plan = || Pod::new(Suite::Trixie).plain().command(&["dockerd"]);
    let told = is_explained(
        plan(),
        "docker info",
        &[
            "error CLIENT-PORT",
            "listens on unix:///var/run/docker.sock alone",
        ],
    );
    is_cured(
        plan(),
        "docker info",
        &told,
        "CLIENT-PORT",
        Done("Take `command` out of the service", |pod| pod.command(&[])),
    );
}

/// LordGaav/dind-options#3, and whoever puts dockerd's flags where Ubuntu's init scripts had them.
#[test]
fn flags_in_a_variable_that_nobody_reads() {
    let flags = "--insecure-registry=172.30.0.0/16 --debug";
    let plan = || usual().variable("DOCKER_OPTS", flags);
    let asked = "docker info --format '{{.RegistryConfig.InsecureRegistryCIDRs}}' | grep 172.30";
    let pod = plan().gitlab_job(&Volume::disk()).start();
    pod.job(asked).expect_failure();
    let told = pod.service_log();
    drop(pod);
    is_cured(
        plan(),
        asked,
        &told,
        "SETTINGS-UNREAD",
        PastedAfter("Take DOCKER_OPTS out", |pod| pod.without("DOCKER_OPTS")),
    );
}

/// Clients in other languages take `https://`; the docker command does not.
#[test]
fn a_scheme_that_the_docker_command_does_not_take() {
    let plan = || usual().variable("DOCKER_HOST", "https://docker:2376");
    let told = is_explained(
        plan(),
        "docker info",
        &["error CLIENT-HOST", "invalid bind address format"],
    );
    is_cured(plan(), "docker info", &told, "CLIENT-HOST", Pasted);
}

/// `expand: false`, or a shell's variable where no shell is.
#[test]
fn a_host_that_was_never_expanded() {
    for docker_host in ["$DAEMON", "tcp://${DIND_HOST}:2376"] {
        let plan = || usual().variable("DOCKER_HOST", docker_host);
        let told = is_explained(
            plan(),
            "docker info",
            &["error CLIENT-HOST", "was never expanded"],
        );
        is_cured(plan(), "docker info", &told, "CLIENT-HOST", Pasted);
    }
}

/// catthehacker/docker_images#114: the variables of an example with TLS, and a socket in a volume.
#[test]
fn tls_on_a_socket() {
    let plan = || {
        usual()
            .volume(&Volume::memory(), "/run/shared")
            .variable("DOCKER_HOST", "unix:///run/shared/docker.sock")
    };
    let told = is_explained(plan(), "docker info", &["error CLIENT-TLS-VERIFY"]);
    is_cured(plan(), "docker info", &told, "CLIENT-TLS-VERIFY", Pasted);
    works(
        plan()
            .without("DOCKER_TLS_VERIFY")
            .without("DOCKER_CERT_PATH"),
        "docker info",
    );
}

/// A flag and its value, as one would type them, in one word of a list.
#[test]
fn a_flag_and_its_value_in_one_word() {
    let plan = || usual().command(&["--mtu 1400"]);
    let told = is_explained(
        plan(),
        "docker info",
        &["fatal DAEMON-FLAG", "\"--mtu 1400\" is one word"],
    );
    let mtu = "docker network inspect bridge | grep 1400";
    is_cured(plan(), mtu, &told, "DAEMON-FLAG", Pasted);
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
