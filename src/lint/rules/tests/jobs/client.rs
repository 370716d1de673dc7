//! Whether the job's clients can speak with the daemon that they find.

use super::*;

#[test]
fn the_port_must_be_the_one_that_is_served() {
    assert_found(&job(TLS), &[]);
    assert_found(&job(PLAIN), &[]);
    for variables in [
        "DOCKER_HOST: 'tcp://docker:2375', DOCKER_TLS_CERTDIR: /certs",
        // The classic: nobody turned TLS off.
        "DOCKER_HOST: 'tcp://docker:2375'",
        "DOCKER_HOST: 'tcp://$HOST:2375', HOST: docker",
    ] {
        let host = if variables.contains("$") {
            "$HOST"
        } else {
            "docker"
        };
        let place = format!("CLIENT-PORT: 'tcp://{host}:2375'");
        assert_found(&job(variables), &[&place]);
    }
    assert_found(
        &job("DOCKER_HOST: 'tcp://docker:2376', DOCKER_TLS_CERTDIR: ''"),
        &["CLIENT-PORT: 'tcp://docker:2376'"],
    );
    // What the file does not say, and what it says about some cases only.
    assert_found(
        "build:\n  services: ['docker:dind']\n  script: x\n  variables:\n    DOCKER_HOST: \
         tcp://docker:2375\n    DOCKER_TLS_CERTDIR: $[[ inputs.directory ]]\n",
        &[],
    );
    for variables in [
        "DOCKER_HOST: 'tcp://docker:2375', DOCKER_TLS_CERTDIR: !reference [.a, b]",
        "DOCKER_HOST: 'tcp://docker:2375', DOCKER_TLS_CERTDIR: $DIRECTORY",
        "DOCKER_HOST: 'tcp://docker:$PORT'",
    ] {
        assert_found(&job(variables), &[]);
    }
}

#[test]
fn a_command_may_change_what_is_served() {
    let with = |service: &str, variables: &str| {
        format!(
            "build:\n  services:\n    - {{name: 'docker:dind', {service}}}\n  script: x\n  \
             variables: {{{variables}}}\n"
        )
    };
    let dialled = "DOCKER_HOST: 'tcp://docker:2375'";
    assert_found(
        &with("command: [--mtu=1400]", dialled),
        &["CLIENT-PORT: 'tcp://docker:2375'"],
    );
    for service in [
        "command: ['--tls=false', '--host=tcp://0.0.0.0:2375']",
        "command: ['--host=tcp://0.0.0.0:2375']",
        "command: [dockerd, '--host=tcp://0.0.0.0:2375']",
        "command: [sh, -c, 'exec dockerd-entrypoint.sh --tlsverify=false']",
        "command: [sh, -c, 'export DOCKER_TLS_CERTDIR=; exec dockerd-entrypoint.sh']",
        "entrypoint: [sh, -c, 'exec dockerd --host=tcp://0.0.0.0:2375']",
        "command: !reference [.a, b]",
        "variables: {DOCKER_TLS_CERTDIR: ''}",
        "variables: {DIND_DOCKERD_ARGS: '-H tcp://0.0.0.0:2375'}",
    ] {
        assert_found(&with(service, dialled), &[]);
    }
    // dockerd has --tlsverify as well, whichever way its entrypoint is called.
    for command in [
        "['--tls=false']",
        "[dockerd-entrypoint.sh, '--tls=false']",
        "[/usr/local/bin/dockerd-entrypoint.sh, '--mtu=1400']",
        "[sh, -c, 'sleep 1; exec dockerd-entrypoint.sh --tls=false']",
    ] {
        assert_found(
            &with(&format!("command: {command}"), dialled),
            &["CLIENT-PORT: 'tcp://docker:2375'"],
        );
    }
    let own_entrypoint = "entrypoint: [env, -u, DOCKER_HOST], command: [dockerd-entrypoint.sh]";
    assert_found(
        &with(own_entrypoint, dialled),
        &["CLIENT-PORT: 'tcp://docker:2375'"],
    );
    // A port of its own, which speaks TLS as well.
    let further = with("command: ['--host=tcp://0.0.0.0:2375']", dialled);
    let expected = ["CLIENT-TLS-VERIFY: 'tcp://docker:2375'"];
    assert_eq!(found(&further, on(true)), expected);
    // One that listens there, after a quarter of a minute; Docker's executor waits for it.
    let late = with("command: [dockerd, -H, 'tcp://0.0.0.0:2375']", dialled);
    let expected = ["CLIENT-LATE-PORT: [dockerd, -H, 'tcp://0.0.0.0:2375']"];
    assert_eq!(found(&late, on(true)), expected);
    assert!(found(&late, on(false)).is_empty());
    let at_once = late.replace("]}", ", '--tls=false']}");
    assert!(found(&at_once, on(true)).is_empty());
    for command in ["[dockerd]", "[dockerd, '--insecure-registry=r:5000']"] {
        assert_found(
            &with(&format!("command: {command}"), dialled),
            &[&format!("CLIENT-PORT: {command}")],
        );
    }
}

#[test]
fn verification_and_certificates_must_fit_the_daemon() {
    assert_found(
        &job(&format!("{PLAIN}, DOCKER_TLS_VERIFY: 0")),
        &["CLIENT-TLS-VERIFY: 0"],
    );
    assert_found(&job(&format!("{PLAIN}, DOCKER_TLS_VERIFY: ''")), &[]);
    for (variables, place) in [
        ("DOCKER_TLS_VERIFY: 1", "1"),
        ("DOCKER_TLS_VERIFY: 1, DOCKER_CERT_PATH: /certs", "/certs"),
        (
            "DOCKER_TLS_VERIFY: 1, DOCKER_CERT_PATH: $DOCKER_TLS_CERTDIR, DOCKER_TLS_CERTDIR: /x",
            "$DOCKER_TLS_CERTDIR",
        ),
    ] {
        let text = job(&format!("DOCKER_HOST: 'tcp://docker:2376', {variables}"));
        assert_found(&text, &[&format!("CLIENT-CERT-PATH: {place}")]);
    }
    for variables in [
        "DOCKER_CERT_PATH: /certs/client/",
        "DOCKER_CERT_PATH: $DOCKER_TLS_CERTDIR/client, DOCKER_TLS_CERTDIR: /x",
        "DOCKER_CERT_PATH: $CI_BUILDS_DIR/x/client, DOCKER_TLS_CERTDIR: '${CI_BUILDS_DIR}/x'",
        "DOCKER_CERT_PATH: $CERTIFICATES",
    ] {
        assert_found(&job(&format!("DOCKER_TLS_VERIFY: 1, {variables}")), &[]);
    }
}

#[test]
fn on_kubernetes_no_image_s_entrypoint_turns_tls_on() {
    let text = job("DOCKER_HOST: 'tcp://docker:2376'");
    let in_kubernetes = |known| Surroundings {
        in_kubernetes: Some(known),
        ..Surroundings::default()
    };
    let expected = ["CLIENT-TLS-VERIFY: 'tcp://docker:2376'"];
    assert_eq!(found(&text, in_kubernetes(true)), expected);
    assert!(found(&text, in_kubernetes(false)).is_empty());
    assert_found(&text, &[]);
}

#[test]
fn the_proxy_must_not_get_what_is_for_the_service() {
    let proxies = "HTTP_PROXY: 'http://user:MARKER@proxy:3128'";
    for (more, place) in [
        (
            "NO_PROXY: 'localhost,.example.com'",
            "'localhost,.example.com'",
        ),
        ("no_proxy: ''", "''"),
        ("A: b", "'tcp://docker:2375'"),
    ] {
        let text = job(&format!("{PLAIN}, {proxies}, {more}"));
        assert_found(&text, &[&format!("CLIENT-PROXY: {place}")]);
    }
    for more in [
        "NO_PROXY: 'docker'",
        "no_proxy: 'docker:2375,docker:2376'",
        "NO_PROXY: '*'",
        "NO_PROXY: $MORE",
    ] {
        assert_found(&job(&format!("{PLAIN}, {proxies}, {more}")), &[]);
    }
    // It is for the other scheme.
    assert_found(&job(&format!("{TLS}, {proxies}")), &[]);
}

#[test]
fn a_password_is_not_repeated() {
    let text = job(&format!(
        "{PLAIN}, HTTP_PROXY: 'http://user:MARKER@proxy:3128'"
    ));
    let documents = yaml::parse(&text).unwrap();
    let judgement = judged(&Pipeline::read(&documents), &Surroundings::default());
    assert_eq!(judgement.problems.len(), 1);
    assert!(!format!("{:?}", judgement.problems).contains("MARKER"));
}

#[test]
fn certificates_in_the_project_s_directory_are_cleaned_away() {
    let with = |more: &str| job(&format!("DOCKER_TLS_CERTDIR: $CI_PROJECT_DIR/certs{more}"));
    let place = "CERTS-CLEANED: $CI_PROJECT_DIR/certs";
    assert_found(&with(""), &[place]);
    for kept in ["GIT_STRATEGY: none", "GIT_CLEAN_FLAGS: '-ffdx -e certs/'"] {
        assert_found(&with(&format!(", {kept}")), &[]);
    }
    assert_found(&job("DOCKER_TLS_CERTDIR: $CI_BUILDS_DIR/certs"), &[]);
}
