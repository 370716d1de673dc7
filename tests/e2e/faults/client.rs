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
        ..Fault::USUAL
    }
);
