//! Whether the job's clients find their daemon.

use super::*;

#[test]
fn nothing_leads_to_the_service_where_docker_host_is_not_set() {
    let with = |image: &str, script: &str| {
        format!("build:\n  image: {image}\n  services: ['docker:dind']\n  script: [{script}]\n")
    };
    let expected = ["CLIENT-HOST: build"];
    let text = with("docker:28-cli", "docker info");
    assert_eq!(found(&text, on(true)), expected);
    assert!(found(&text, on(false)).is_empty());
    assert_found(&text, &[]);
    // The job may find another way.
    for script in [
        "'export DOCKER_HOST=tcp://docker:2375'",
        "'docker -H tcp://docker:2375 info'",
        "'source setup.sh'",
        "!reference [.elsewhere, script]",
    ] {
        let text = with("docker:28-cli", script);
        assert!(found(&text, on(true)).is_empty(), "{script}");
    }
    let honoured = format!("{text}  variables: {{FF_KUBERNETES_HONOR_ENTRYPOINT: 'true'}}\n");
    assert!(found(&honoured, on(true)).is_empty());
    let with_socket = Surroundings {
        has_node_socket: true,
        ..on(true)
    };
    assert!(found(&text, with_socket).is_empty());
    // With Docker it depends on the image.
    for (image, is_found) in [
        ("gradle:8", true),
        ("{name: 'docker:28-cli', entrypoint: ['']}", true),
        ("registry.example.com/builder", false),
        ("$IMAGE", false),
    ] {
        let count = found(&with(image, "make docker"), on(false)).len();
        assert_eq!(count, usize::from(is_found), "{image}");
    }
    // A job that everybody's service is given to, and that does not want it.
    let given = "default: {services: ['docker:dind']}\nbuild: {image: node, script: npm test}\n";
    assert!(found(given, on(true)).is_empty());
}

#[test]
fn the_docker_image_looks_for_a_service_called_docker() {
    let with = |service: &str| {
        format!("build:\n  image: docker\n  services: [{service}]\n  script: docker info\n")
    };
    let mirrored = "registry.example.com/mirror/docker:28-dind";
    let expected = format!("CLIENT-HOST: {mirrored}");
    assert_eq!(found(&with(mirrored), on(false)), [expected]);
    for service in [
        &format!("{{name: {mirrored}, alias: docker}}"),
        "docker:dind",
        "$SERVICE",
    ] {
        assert!(found(&with(service), on(false)).is_empty(), "{service}");
    }
}

#[test]
fn docker_commands_need_a_daemon_of_some_kind() {
    let nowhere = || Surroundings {
        is_without_docker: true,
        ..on(false)
    };
    let with = |more: &str| format!("build:\n  image: docker\n  {more}\n");
    for (more, place) in [
        ("script: docker build .", "build"),
        (
            "services: ['docker:28-cli']\n  script: docker ps",
            "'docker:28-cli'",
        ),
        (
            "variables: {DOCKER_HOST: 'tcp://docker:2375'}\n  script: docker ps",
            "build",
        ),
    ] {
        assert_eq!(
            found(&with(more), nowhere()),
            [format!("CLIENT-HOST: {place}")],
            "{more}"
        );
        assert_found(&with(more), &[]);
    }
    for more in [
        "script: docker login",
        "script: make",
        "script: [dockerd &, docker ps]",
        "services: [$DIND]\n  script: docker ps",
        "variables: {DOCKER_HOST: 'tcp://docker.example.com:2376'}\n  script: docker ps",
        "extends: .elsewhere\n  script: docker ps",
    ] {
        assert!(found(&with(more), nowhere()).is_empty(), "{more}");
    }
}

#[test]
fn the_host_must_be_a_service() {
    let with = |services: &str, host: &str| {
        format!(
            "build:\n  services: [{services}]\n  script: x\n  variables:\n    DOCKER_HOST: {host}\n    \
             DOCKER_TLS_CERTDIR: ''\n"
        )
    };
    for (services, host, place) in [
        (
            "'registry.example.com/my/dind'",
            "tcp://docker:2375",
            "'registry.example.com/my/dind'",
        ),
        (
            "'registry.example.com:5000/docker:24-dind'",
            "tcp://docker:2375",
            "'registry.example.com:5000/docker:24-dind'",
        ),
        (
            "{name: 'docker:dind', alias: dind}",
            "tcp://dokcer:2375",
            "'docker:dind'",
        ),
        ("'postgres:16', 'my/dind'", "tcp://docker:2375", "'my/dind'"),
    ] {
        assert_found(&with(services, host), &[&format!("CLIENT-HOST: {place}")]);
    }
    for (services, host) in [
        (
            "{name: registry.example.com/my/dind, alias: docker}",
            "tcp://docker:2375",
        ),
        ("{name: my/dind, alias: 'x, docker'}", "tcp://docker:2375"),
        ("my/dind", "tcp://my-dind:2375"),
        ("'docker:dind'", "tcp://localhost:2375"),
        ("'docker:dind'", "tcp://docker.example.com:2375"),
        ("'docker:dind'", "tcp://10.0.0.5:2375"),
        ("my/dind, !reference [.a, b]", "tcp://docker:2375"),
        ("my/dind, [postgres, mysql]", "tcp://mysql:2375"),
        ("{name: my/dind, alias: $ALIAS}", "tcp://docker:2375"),
        ("$DIND_IMAGE", "tcp://docker:2375"),
        (
            "'docker:dind'",
            "unix:///runner/services/docker/docker.sock",
        ),
        ("'docker:dind'", "ssh://docker@host"),
    ] {
        assert_found(&with(services, host), &[]);
    }
    assert_found(
        &with("'docker:dind'", "unix:///var/run/docker.sock"),
        &["CLIENT-HOST: unix:///var/run/docker.sock"],
    );
}

#[test]
fn a_scheme_that_the_docker_command_does_not_take_is_told() {
    assert_found(
        &job("DOCKER_HOST: 'https://docker:2376'"),
        &["CLIENT-HOST: 'https://docker:2376'"],
    );
    assert_found(&job("DOCKER_HOST: 'https://buildfarm.example:4243'"), &[]);
    assert_found(&job("DOCKER_HOST: '$DAEMON'"), &[]);
}

#[test]
fn a_script_that_takes_docker_host_away_is_lost_whatever_sets_it() {
    let with = |script: &str| job(PLAIN).replace("docker info", script);
    let lost = with("[unset DOCKER_HOST, docker info]");
    for surroundings in [on(true), on(false)] {
        assert_eq!(found(&lost, surroundings), ["CLIENT-HOST: build"]);
    }
    // The node's socket may be there, for all that is known.
    assert_found(&lost, &[]);
    let at_the_end = with("[docker info, unset DOCKER_HOST]");
    let conditional = with("['test -S /s && unset DOCKER_HOST', docker info]");
    for text in [at_the_end, conditional] {
        assert_eq!(found(&text, on(true)), [""; 0], "{text}");
    }
    let socket = Surroundings {
        has_node_socket: true,
        ..on(true)
    };
    assert!(!found(&lost, socket).contains(&"CLIENT-HOST: build".to_owned()));
}
