//! Each rule: a file that has the mistake, one that nearly has it.

use super::super::*;
use crate::lint::{
    model::Surroundings,
    pipeline::{Pipeline, is_pipeline},
    yaml,
};

/// What is found, as `ID: underlined text`.
fn found(text: &str, surroundings: Surroundings) -> Vec<String> {
    let documents = yaml::parse(text).unwrap_or_else(|error| panic!("{text}\n{error:?}"));
    assert!(is_pipeline(&documents), "{text}");
    let judgement = judged(&Pipeline::read(&documents), &surroundings);
    let shown = judgement.problems.iter().map(|problem| {
        assert!(!problem.finding.cause.is_empty(), "{problem:?}");
        let underlined = &text[problem.place.span.clone()];
        format!("{}: {underlined}", problem.finding.reason.id)
    });
    shown.collect()
}

fn judged(pipeline: &Pipeline, surroundings: &Surroundings) -> Judgement {
    let jobs = pipeline.jobs.iter();
    let scene = Scene {
        jobs: jobs.map(|job| OneJob::new(job, surroundings)).collect(),
        ..Scene::default()
    };
    let mut judgement = judge(&scene);
    judgement.remarks.extend(pipeline.remarks.clone());
    judgement.sort();
    judgement
}

/// A job with docker:dind as `docker`, and these variables.
fn job(variables: &str) -> String {
    format!(
        "build:\n  services: ['docker:dind']\n  script: docker info\n  variables: {{{variables}}}\n"
    )
}

#[track_caller]
fn assert_found(text: &str, expected: &[&str]) {
    assert_eq!(found(text, Surroundings::default()), expected, "{text}");
}

const TLS: &str = "DOCKER_HOST: 'tcp://docker:2376', DOCKER_TLS_CERTDIR: /certs, \
                   DOCKER_TLS_VERIFY: 1, DOCKER_CERT_PATH: /certs/client";
const PLAIN: &str = "DOCKER_HOST: 'tcp://docker:2375', DOCKER_TLS_CERTDIR: ''";

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

/// The Kubernetes executor, or Docker's.
fn on(in_kubernetes: bool) -> Surroundings {
    Surroundings {
        in_kubernetes: Some(in_kubernetes),
        has_own_network: true,
        ..Surroundings::default()
    }
}

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
fn options_that_dockerd_does_not_take_are_found() {
    let with = |command: &str| {
        format!("build:\n  services: [{{name: 'docker:dind', command: {command}}}]\n  script: x\n")
    };
    for (command, is_found) in [
        ("['--registry-mirror=mirror.example.com']", true),
        ("[--registry-mirror, 'https://mirror.example.com']", false),
        ("['--insecure-registry=']", true),
        ("['--insecure-registry=registry.example.com/group']", true),
        ("['--insecure-registry=my_registry:5000']", true),
        (
            "['--registry-mirror=https://mirror.example.com/hub/']",
            false,
        ),
        ("['--insecure-registry=10.0.0.0/8']", false),
        // The runner expands no variable there.
        ("['--insecure-registry=$REGISTRY']", true),
        ("[--registry-mirror, 'https://$MIRROR']", true),
        ("['--mtu=$MTU']", true),
        ("[--mtu, '${MTU}', --debug]", true),
        ("['--label=cost=5$']", false),
        ("[sh, -c, 'dockerd-entrypoint.sh --mtu=$MTU']", false),
        (
            "[sh, -c, 'dockerd-entrypoint.sh --insecure-registry=$REGISTRY']",
            false,
        ),
    ] {
        let expected = format!("DAEMON-FLAG: {command}");
        let expected = if is_found {
            vec![expected.as_str()]
        } else {
            vec![]
        };
        assert_found(&with(command), &expected);
    }
    let old = with("['--registry-mirror=https://mirror.example.com/hub/']");
    let old = old.replace("docker:dind", "docker:23-dind");
    let underlined = "['--registry-mirror=https://mirror.example.com/hub/']";
    assert_found(&old, &[&format!("DAEMON-FLAG: {underlined}")]);
    let variable = "'--insecure-registry=registry.example.com/group'";
    assert_found(
        &job(&format!("DIND_DOCKERD_ARGS: {variable}")),
        &[&format!("DAEMON-FLAG: {variable}")],
    );
    assert_found(
        &job("DIND_INSECURE_REGISTRIES: registry.example.com/group"),
        &["SETTINGS-INVALID: registry.example.com/group"],
    );
    assert_found(
        &job("DOCKER_DRIVER: overlay"),
        &["STORAGE-DRIVER-CONFLICT: overlay"],
    );
    let old = job("DOCKER_DRIVER: overlay").replace("docker:dind", "docker:20.10-dind");
    assert_found(&old, &[]);
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

#[test]
fn a_variable_s_name_is_told_where_it_is_almost_ours() {
    assert_found(&job("DIND_ON_FAILUR: exit"), &["SETTINGS-MISSPELT: exit"]);
    for own in [
        "DIND_ON_FAILURE: exit",
        "DIND_VERSION: '28'",
        "DIND_IMAGE: x",
    ] {
        assert_found(&job(own), &[]);
    }
}

#[test]
fn what_is_said_elsewhere_is_not_guessed() {
    let wrong = "DOCKER_HOST: 'tcp://docker:2375'";
    for (text, is_found) in [
        (
            format!("variables: {{{wrong}}}\nbuild: {{services: ['docker:dind'], script: x}}"),
            true,
        ),
        (
            format!(
                "variables: {{{wrong}}}\ndefault: {{services: ['docker:dind']}}\nbuild: {{script: x}}"
            ),
            true,
        ),
        (
            format!("variables: {{{wrong}}}\nservices: ['docker:dind']\nbuild: {{script: x}}"),
            true,
        ),
        (
            format!(
                "include: a.yml\nbuild: {{services: ['docker:dind'], script: x, variables: {{{wrong}}}}}"
            ),
            false,
        ),
        (
            format!(
                "build: {{extends: .a, services: ['docker:dind'], script: x, variables: {{{wrong}}}}}"
            ),
            false,
        ),
        (
            format!(".build: {{services: ['docker:dind'], variables: {{{wrong}}}}}"),
            false,
        ),
        (
            format!(
                "variables: {{{wrong}}}\nbuild: {{inherit: {{variables: false}}, services: ['docker:dind'], script: x}}"
            ),
            false,
        ),
        (
            format!(
                "variables: {{{wrong}}}\ndefault: {{services: ['docker:dind']}}\nbuild: {{inherit: {{default: [image]}}, script: x}}"
            ),
            false,
        ),
        (
            format!(
                "build: {{services: ['docker:dind'], script: x, variables: {{{wrong}}}, rules: [{{variables: {{DOCKER_TLS_CERTDIR: ''}}}}]}}"
            ),
            false,
        ),
        (
            format!(
                "build: {{services: ['docker:dind'], script: x, variables: {{{wrong}}}, parallel: {{matrix: [{{DOCKER_HOST: [a, b]}}]}}}}"
            ),
            false,
        ),
        (
            format!("build: {{services: ['postgres:16'], script: x, variables: {{{wrong}}}}}"),
            false,
        ),
        (
            format!(
                "build: {{services: !reference [.a, services], script: x, variables: {{{wrong}}}}}"
            ),
            false,
        ),
    ] {
        let expected: &[&str] = match is_found {
            true => &["CLIENT-PORT: 'tcp://docker:2375'"],
            false => &[],
        };
        assert_found(&text, expected);
    }
    // Both are written in one place, whatever else there is.
    assert_found(
        "include: a.yml\n.build:\n  extends: .a\n  services: ['docker:dind']\n  variables:\n    \
         DOCKER_HOST: tcp://docker:2376\n    DOCKER_TLS_VERIFY: 1\n    DOCKER_TLS_CERTDIR: ''\n",
        &["CLIENT-PORT: tcp://docker:2376", "CLIENT-TLS-VERIFY: 1"],
    );
}

#[test]
fn what_a_workflow_s_rules_set_is_known_where_they_agree() {
    let with = |rules: &str, global: &str| {
        format!(
            "workflow: {{rules: [{rules}]}}\nvariables: {{{global}}}\n{}",
            job("DOCKER_HOST: 'tcp://docker:2375'")
        )
    };
    let plain = "{if: a, variables: {DOCKER_TLS_CERTDIR: ''}}";
    let tls = "{if: b, variables: {DOCKER_TLS_CERTDIR: /certs}}";
    let port = ["CLIENT-PORT: 'tcp://docker:2375'"];
    for (rules, global, expected) in [
        // They win over what is global.
        (plain.to_owned(), "DOCKER_TLS_CERTDIR: /certs", &[][..]),
        (tls.to_owned(), "DOCKER_TLS_CERTDIR: ''", &port),
        // Some pipelines are right.
        (format!("{plain}, {tls}"), "", &[]),
        (format!("{plain}, {{when: always}}"), "", &[]),
        (
            format!("{tls}, {{when: always}}"),
            "DOCKER_TLS_CERTDIR: ''",
            &[],
        ),
        (
            format!("{tls}, {{when: always}}"),
            "DOCKER_TLS_CERTDIR: /certs",
            &port,
        ),
        // And these are none.
        (
            format!("{tls}, {{when: never}}"),
            "DOCKER_TLS_CERTDIR: ''",
            &port,
        ),
    ] {
        assert_found(&with(&rules, global), expected);
    }
    // A job's own win over them.
    let own = with(tls, "").replace("2375'", "2375', DOCKER_TLS_CERTDIR: ''");
    assert_found(&own, &[]);
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
fn two_daemons_share_a_pod_s_ports() {
    let with =
        |second: &str| format!("build:\n  services: ['docker:dind', {second}]\n  script: x\n");
    let in_kubernetes = |known| Surroundings {
        in_kubernetes: Some(known),
        ..Surroundings::default()
    };
    let two = with("{name: 'docker:24-dind', alias: other}");
    let expected = ["NETWORK-PORT-IN-USE: 'docker:24-dind'"];
    assert_found(&two, &expected);
    assert!(found(&two, in_kubernetes(true)).contains(&expected[0].to_owned()));
    assert!(found(&two, in_kubernetes(false)).is_empty());
    assert_found(
        &with("{name: 'docker:24-dind', alias: other, variables: {DOCKER_TLS_CERTDIR: ''}}"),
        &[],
    );
    assert_found(&with("'postgres:16'"), &[]);
}

#[test]
fn the_runner_waits_for_a_number_that_is_served() {
    let with = |port: &str| {
        format!(
            "build:\n  services:\n    - name: docker:dind\n      variables:\n        \
             HEALTHCHECK_TCP_PORT: {port}\n  script: x\n  variables: {{PORT: 2376, {TLS}}}\n"
        )
    };
    for port in ["2375", "$PORT", "'two'", "''"] {
        assert_found(&with(port), &[&format!("NETWORK-HEALTH-CHECK: {port}")]);
    }
    assert_found(&with("2376"), &[]);
    assert_found(&with("'2376'"), &[]);
}

#[test]
fn a_command_that_is_dropped_is_noticed() {
    let with = |flag: &str, command: &str| {
        format!(
            "build:\n  services:\n    - name: docker:dind\n      command: {command}\n  script: x\n  \
             variables: {{FF_KUBERNETES_HONOR_ENTRYPOINT: {flag}}}\n"
        )
    };
    assert_found(
        &with("true", "['--mtu=1400']"),
        &["DAEMON-COMMAND-DROPPED: ['--mtu=1400']"],
    );
    assert_found(
        &with("'1'", "[sh, -c, x]"),
        &["DAEMON-COMMAND-DROPPED: [sh, -c, x]"],
    );
    assert_found(&with("false", "['--mtu=1400']"), &[]);
    assert_found(&with("true", "[]"), &[]);
}

#[test]
fn a_slow_storage_driver_is_noticed() {
    assert_found(&job("DOCKER_DRIVER: vfs"), &["STORAGE-SLOW-DRIVER: vfs"]);
    assert_found(&job("DOCKER_DRIVER: overlay2"), &[]);
    let with = |command: &str| {
        format!("build:\n  services: [{{name: 'docker:dind', command: {command}}}]\n  script: x\n")
    };
    assert_found(&with("[-s, vfs]"), &["STORAGE-SLOW-DRIVER: [-s, vfs]"]);
    assert_found(&with("['--storage-driver=overlay2']"), &[]);
}

#[test]
fn a_value_that_the_init_refuses_is_found_before() {
    for (variable, place) in [
        ("DIND_MTU: small", "small"),
        ("DIND_CLIENT_KEY: rsa-1024", "rsa-1024"),
        ("DIND_CERT_DAYS: soon", "soon"),
        ("DIND_IGNORE: NO-SUCH-ID", "NO-SUCH-ID"),
        ("DIND_REGISTRY_CA: 'no path'", "'no path'"),
    ] {
        assert_found(&job(variable), &[&format!("SETTINGS-INVALID: {place}")]);
    }
    assert_found(
        &job("DIND_MTU: small, DIND_LOG: xml"),
        &["SETTINGS-INVALID: small", "SETTINGS-INVALID: xml"],
    );
    for variable in [
        "DIND_MTU: 1400",
        "DIND_MTU: $MTU",
        "DIND_REGISTRY_CA: 'registry.example.com=/ca.crt'",
        "DIND_REGISTRY_CA: $CORPORATE_CA",
        "DOCKER_TLS_CERTDIR: $CI_BUILDS_DIR/x",
    ] {
        assert_found(&job(variable), &[]);
    }
}

#[test]
fn a_chain_of_variables_may_stay_as_it_is() {
    let chained = "DOCKER_HOST: 'tcp://docker:2376', DOCKER_TLS_VERIFY: 1, \
                   DOCKER_CERT_PATH: $DOCKER_TLS_CERTDIR/client, DOCKER_TLS_CERTDIR: ";
    assert_found(
        &job(&format!("{chained} $CI_BUILDS_DIR/x")),
        &["CLIENT-CERT-PATH: $DOCKER_TLS_CERTDIR/client"],
    );
    assert_found(&job(&format!("{chained} /x")), &[]);
}

#[test]
fn one_line_that_many_jobs_get_is_told_once() {
    let jobs: String = (0..50)
        .map(|n| format!("job{n}: {{services: ['docker:dind'], script: x}}\n"))
        .collect();
    assert_found(
        &format!("variables:\n  DOCKER_HOST: tcp://docker:2375\n{jobs}"),
        &["CLIENT-PORT: tcp://docker:2375"],
    );
}

#[test]
fn services_for_every_job_are_not_multiplied_without_end() {
    let services = vec!["'docker:dind'"; 1000].join(", ");
    let jobs: String = (0..1000)
        .map(|n| format!("job{n}: {{script: x}}\n"))
        .collect();
    let text = format!("default: {{services: [{services}]}}\n{jobs}");
    let pipeline = Pipeline::read(&yaml::parse(&text).unwrap());
    assert!(pipeline.jobs.len() < 100, "{}", pipeline.jobs.len());
    let [remark] = pipeline.remarks.as_slice() else {
        panic!("{:?}", pipeline.remarks);
    };
    assert_eq!(&text[remark.place.span.clone()], "job50");
}

#[test]
fn what_is_not_followed_is_said_once_for_each_kind() {
    let text = "include: a.yml\na: {extends: .x, script: y}\nb: {extends: .x, script: y}\n\
                c: {services: [!reference [.x, services]], script: [!reference [.x, script]]}\n";
    let pipeline = Pipeline::read(&yaml::parse(text).unwrap());
    let said: Vec<_> = pipeline
        .remarks
        .iter()
        .map(|remark| (&text[remark.place.span.clone()], remark.label.as_str()))
        .collect();
    let expected = [
        ("include", ""),
        ("extends", "and 1 more"),
        ("!reference [.x, services]", ""),
    ];
    assert_eq!(said, expected);
    let plain = "a: {script: x}\n";
    assert!(
        Pipeline::read(&yaml::parse(plain).unwrap())
            .remarks
            .is_empty()
    );
}

#[test]
fn what_the_runner_sets_counts_where_the_job_says_nothing() {
    let text = "build:\n  services: [{name: 'docker:dind', command: ['--mtu=1400']}]\n  script: x\n  \
                variables: {DOCKER_HOST: 'tcp://docker:2375'}\n";
    let with = |variables: &[(&str, Option<&str>)]| {
        let owned =
            |(name, value): &(&str, Option<&str>)| ((*name).to_owned(), value.map(str::to_owned));
        let runner = variables.iter().map(owned).collect();
        let pipeline = Pipeline::read(&yaml::parse(text).unwrap()).run_with(&runner, &[]);
        let problems = judged(&pipeline, &Surroundings::default()).problems;
        let ids = problems.iter().map(|problem| problem.finding.reason.id);
        ids.collect::<Vec<_>>()
    };
    assert_eq!(with(&[]), ["CLIENT-PORT"]);
    assert!(with(&[("DOCKER_TLS_CERTDIR", Some(""))]).is_empty());
    assert!(
        with(&[("DOCKER_TLS_CERTDIR", None)]).is_empty(),
        "runners differ"
    );
    // The job's own wins.
    let other = ("DOCKER_HOST", Some("tcp://docker:2376"));
    assert_eq!(with(&[other]), ["CLIENT-PORT"]);
    let tls = ("DOCKER_TLS_VERIFY", Some("1"));
    assert_eq!(with(&[tls]), ["CLIENT-CERT-PATH", "CLIENT-PORT"]);
    let plain = ("DOCKER_TLS_CERTDIR", Some(""));
    let flag = ("FF_KUBERNETES_HONOR_ENTRYPOINT", Some("true"));
    assert_eq!(with(&[plain, flag]), ["DAEMON-COMMAND-DROPPED"]);
}

#[test]
fn other_yaml_is_no_pipeline() {
    for (text, expected) in [
        ("stages: [build]\n", true),
        ("build: {script: make}\n", true),
        (
            "spec: {inputs: {x: {}}}\n---\nbuild: {script: make}\n",
            true,
        ),
        ("apiVersion: v1\nkind: Pod\nspec: {containers: []}\n", false),
        ("runners: {config: x}\n", false),
        ("- a\n", false),
        ("", false),
    ] {
        assert_eq!(is_pipeline(&yaml::parse(text).unwrap()), expected, "{text}");
    }
}
