//! The job's own variables lead its clients elsewhere.

use super::*;

fault!(
    the_plain_port_of_a_daemon_with_tls,
    [docker_20, docker_26, docker_28],
    Fault {
        pod: |pod| with_certs(pod)
            .variable("DOCKER_HOST", "tcp://docker:2375")
            .without("DOCKER_TLS_VERIFY"),
        id: "CLIENT-PORT",
        fact: "DOCKER_HOST is tcp://docker:2375",
        fix: "DOCKER_HOST: tcp://docker:2376",
        ..Fault::USUAL
    }
);

fault!(
    the_plain_port_by_tls,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod).variable("DOCKER_HOST", "tcp://docker:2375"),
        id: "CLIENT-PORT",
        fact: "DOCKER_HOST is tcp://docker:2375",
        fix: "DOCKER_HOST: tcp://docker:2376",
        client: Client::SeesTheNames,
        ..Fault::USUAL
    }
);

fault!(
    the_tls_port_of_a_daemon_without_tls,
    [docker_26],
    Fault {
        pod: |pod| pod.plain().variable("DOCKER_HOST", "tcp://docker:2376"),
        id: "CLIENT-PORT",
        fact: "DOCKER_HOST is tcp://docker:2376",
        fix: "DOCKER_HOST: tcp://docker:2375",
        ..Fault::USUAL
    }
);

fault!(
    tls_verify_for_a_daemon_without_tls,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod.plain())
            .variable("DOCKER_TLS_VERIFY", "1")
            .variable("DOCKER_CERT_PATH", "/certs/client"),
        id: "CLIENT-TLS-VERIFY",
        fact: "DOCKER_TLS_CERTDIR is empty",
        fix: "DOCKER_TLS_VERIFY",
        client: Client::HearsNothing,
        ..Fault::USUAL
    }
);

fault!(
    a_certificate_path_that_leads_nowhere,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod).variable("DOCKER_CERT_PATH", "/builds/certs"),
        id: "CLIENT-CERT-PATH",
        fact: "DOCKER_CERT_PATH is /builds/certs",
        fix: "DOCKER_CERT_PATH: /certs/client",
        client: Client::HearsNothing,
        ..Fault::USUAL
    }
);

fault!(
    a_host_that_is_not_this_pod,
    [docker_20, docker_26, docker_28],
    Fault {
        pod: |pod| with_certs(pod).variable("DOCKER_HOST", "tcp://dind:2376"),
        id: "CLIENT-HOST",
        fact: "DOCKER_HOST is tcp://dind:2376",
        fix: "DOCKER_HOST: tcp://docker:2376",
        client: Client::HearsNothing,
        ..Fault::USUAL
    }
);

fault!(
    a_proxy_between_the_job_and_its_own_service,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod).variable("HTTPS_PROXY", "http://docker:3128"),
        // A proxy that knows no Docker, as they are.
        job: "busybox httpd -p 3128; docker info",
        id: "CLIENT-PROXY",
        fact: "HTTPS_PROXY is http://docker:3128",
        fix: "NO_PROXY: \"docker\"",
        client: Client::HearsNothing,
        ..Fault::USUAL
    }
);

fault!(
    certificates_of_another_daemon,
    [docker_26],
    Fault {
        pod: |pod| {
            let others = Volume::disk();
            Authority::new("another daemon's CA", Profile::Strict).issue_client(others.path());
            with_certs(pod)
                .volume(&others, "/other")
                .variable("DOCKER_CERT_PATH", "/other")
        },
        id: "CLIENT-WRONG-CA",
        fact: "bad certificate",
        fix: "$CI_BUILDS_DIR/.dind/$CI_JOB_ID",
        client: Client::HearsNothing,
        check: Check::CannotKnow,
        ..Fault::USUAL
    }
);

fault!(
    plain_http_to_the_tls_port,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod).without("DOCKER_TLS_VERIFY"),
        id: "CLIENT-HTTP-ON-TLS",
        fact: "client sent an HTTP request to an HTTPS server",
        fix: "DOCKER_TLS_VERIFY: 1",
        client: Client::HearsNothing,
        check: Check::CannotKnow,
        ..Fault::USUAL
    }
);

/// Kubernetes runs no entrypoint that would set it: the client itself cannot be told.
#[test]
fn no_docker_host_on_kubernetes() {
    let log = RunnerLog::new();
    let pod = without_client_variables(with_certs(Pod::new(Suite::Trixie)))
        .gitlab_job(&Volume::disk())
        .runner_log(&log)
        .start();
    pod.job("docker info")
        .expect_failure()
        .expect(CANNOT_CONNECT);
    let written = log.text().unwrap();
    for part in [
        "error CLIENT-HOST",
        "/var/run/docker.sock in the job's own container",
        "DOCKER_HOST: tcp://docker:2376",
        "DOCKER_TLS_VERIFY: ",
        "DOCKER_CERT_PATH: /certs/client",
    ] {
        assert!(written.contains(part), "{part} in {written}");
    }
}

/// With the volume alone the job would only meet the next.
#[test]
fn no_volume_and_no_docker_host_are_told_with_all_that_cures() {
    let log = RunnerLog::new();
    let pod = without_client_variables(Pod::new(Suite::Trixie))
        .gitlab_job(&Volume::disk())
        .runner_log(&log)
        .start();
    wait_for(&log, "error CERTS-UNSHARED");
    let written = log.text().unwrap();
    let unshared = written.split("CERTS-UNSHARED").nth(1).unwrap();
    for part in [
        "mount_path = \"/certs/client\"",
        "DOCKER_HOST: tcp://docker:2376",
        "DOCKER_CERT_PATH: /certs/client",
    ] {
        assert!(unshared.contains(part), "{part} in {written}");
    }
    drop(pod);
}

/// The controls: an entrypoint that is run, and another executor, set it.
#[test]
fn no_docker_host_where_something_else_sets_it_is_no_finding() {
    for (name, value) in [
        ("FF_KUBERNETES_HONOR_ENTRYPOINT", "true"),
        ("KUBERNETES_SERVICE_HOST", ""),
    ] {
        let log = RunnerLog::new();
        let pod = without_client_variables(with_certs(Pod::new(Suite::Trixie)))
            .gitlab_job(&Volume::disk())
            .variable(name, value)
            .runner_log(&log)
            .start();
        pod.job("DOCKER_HOST=tcp://docker:2376 DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=/certs/client docker info")
            .expect_success();
        assert_eq!(log.text().unwrap(), "");
    }
}

fn without_client_variables(plan: Plan) -> Plan {
    plan.without("DOCKER_HOST")
        .without("DOCKER_TLS_VERIFY")
        .without("DOCKER_CERT_PATH")
}

fault!(
    a_command_that_starts_dockerd_itself,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod).command(&["dockerd", "--insecure-registry=registry.test:5000"]),
        id: "CLIENT-PORT",
        fact: "the service's command starts dockerd itself",
        fix: "Take the word `dockerd` out",
        client: Client::HearsNothing,
        ..Fault::USUAL
    }
);

/// Both are missing, or the variable alone; what is pasted cures either.
#[test]
fn a_command_that_starts_dockerd_itself_and_no_docker_host() {
    type Row = (fn(Plan) -> Plan, &'static [&'static str]);
    let rows: [Row; 2] = [
        (
            |pod| with_certs(pod).command(&["dockerd", "--debug"]),
            &[
                "Besides, the service's command starts dockerd itself (dockerd --debug)",
                "command: [\"--debug\"]",
                "DOCKER_HOST: tcp://docker:2376",
            ],
        ),
        (
            |pod| pod.command(&["dockerd", "--host=tcp://0.0.0.0:2375", "--tls=false"]),
            &["DOCKER_HOST: tcp://docker:2375"],
        ),
    ];
    for (change, parts) in rows {
        let plan = || {
            let pod = without_client_variables(change(Pod::new(Suite::Trixie)));
            pod.gitlab_job(&Volume::disk())
        };
        let log = RunnerLog::new();
        let pod = plan().runner_log(&log).start();
        wait_for(&log, "error CLIENT-HOST");
        pod.job("docker info")
            .expect_failure()
            .expect(CANNOT_CONNECT);
        let told = log.text().unwrap();
        for part in parts {
            assert!(told.contains(part), "{part} in {told}");
        }
        assert!(!told.contains("CLIENT-PORT"), "{told}");
        drop(pod);

        let log = RunnerLog::new();
        let plan = cured(plan(), &told, "CLIENT-HOST", Pasted).unwrap();
        let pod = plan.runner_log(&log).start();
        pod.job("for try in $(seq 100); do docker info && exit; sleep 0.2; done; exit 1")
            .expect_success();
        assert_eq!(log.text().unwrap(), "");
    }
}

fault!(
    hosts_in_daemon_json_without_the_port_that_the_job_dials,
    [docker_26, docker_28],
    Fault {
        pod: |pod| with_certs(pod).configuration(r#"{"hosts": ["unix:///var/run/docker.sock"]}"#),
        id: "CLIENT-PORT",
        fact: "`hosts` in daemon.json",
        fix: "Take `hosts` out of daemon.json",
        cure: Done("Take `hosts` out of daemon.json", |pod| pod
            .configuration_replaced("{}")),
        client: Client::SeesTheNames,
        ..Fault::USUAL
    }
);

fault!(
    hosts_in_daemon_json_that_systemd_would_hand_over,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod).configuration(r#"{"hosts": ["fd://"]}"#),
        id: "NETWORK-SOCKET",
        fact: "`hosts` in daemon.json says fd://",
        fix: "Take `hosts` out of daemon.json",
        cure: Done("Take `hosts` out of daemon.json", |pod| pod
            .configuration_replaced("{}")),
        ..Fault::USUAL
    }
);

/// The control: hosts that serve what the job dials are the user's own business.
#[test]
fn a_dockerd_that_serves_what_the_job_dials_is_no_finding() {
    let log = RunnerLog::new();
    let pod = Pod::new(Suite::Trixie)
        .plain()
        .command(&["dockerd", "--host=tcp://0.0.0.0:2375", "--tls=false"])
        .gitlab_job(&Volume::disk())
        .runner_log(&log)
        .start();
    pod.job("until docker info; do sleep 0.2; done")
        .expect_success();
    assert_eq!(log.text().unwrap(), "");
}

/// A loop that waits for the port shows no certificate, in a job that is right.
#[test]
fn a_loop_that_waits_for_the_port_is_no_error() {
    let log = RunnerLog::new();
    let pod = with_certs(Pod::new(Suite::Trixie))
        .gitlab_job(&Volume::disk())
        .runner_log(&log)
        .start();
    pod.job("docker info; curl -sk https://docker:2376/_ping; curl -s http://docker:2376/_ping; docker info")
        .expect_success();
    pod.in_service("true").expect_success();
    assert_eq!(log.text().unwrap(), "");
    let service = pod.service_log();
    assert!(service.contains("note CLIENT-NO-CERTIFICATE"), "{service}");
}

/// What it is for where the job's variables do not say.
#[test]
fn a_client_without_a_certificate_is_told_where_the_job_does_not_say_one() {
    let log = RunnerLog::new();
    let pod = with_certs(Pod::new(Suite::Trixie))
        .without("DOCKER_TLS_VERIFY")
        .without("DOCKER_CERT_PATH")
        .gitlab_job(&Volume::disk())
        .runner_log(&log)
        .start();
    pod.job("until curl -sk https://docker:2376/_ping; [ $? = 56 ]; do sleep 0.2; done")
        .expect_success();
    wait_for(&log, "error CLIENT-NO-CERTIFICATE");
}

fault!(
    a_client_that_is_told_an_api_too_old,
    [docker_28],
    Fault {
        pod: |pod| with_certs(pod).variable("DOCKER_API_VERSION", "1.23"),
        id: "DAEMON-API-TOO-OLD",
        fact: "DOCKER_API_VERSION is 1.23, and this Docker 28.5 speaks 1.24 and newer",
        fix: "Take DOCKER_API_VERSION out",
        cure: Done("Take DOCKER_API_VERSION out of the variables", |pod| pod
            .without("DOCKER_API_VERSION")),
        // dockerd answers.
        client: Client::HearsNothing,
        ..Fault::USUAL
    }
);
