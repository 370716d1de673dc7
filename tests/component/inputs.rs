//! Every input at its default, at another value and at a bad one, read by an interpreter that
//! checks the result against GitLab's own JSON schema.

use serde_yaml_ng::Value;

use crate::project::{Include, Project};

const JOB: &str = "job:\n  image: alpine\n  extends: .dind\n  script: [docker version]\n";

fn job(inputs: &str) -> Value {
    let project = Project::new(Include::Component, inputs, JOB);
    project.preview().unwrap_or_else(|why| panic!("{why}"))["job"].clone()
}

fn variable<'a>(job: &'a Value, name: &str) -> &'a str {
    job["variables"][name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} in {job:?}"))
}

#[test]
fn without_inputs_the_job_has_a_daemon_with_tls_in_a_directory_of_its_own() {
    for include in [Include::Component, Include::Local] {
        let preview = Project::new(include, "", JOB).preview().unwrap();
        let job = &preview["job"];
        for (name, value) in [
            ("DOCKER_HOST", "tcp://docker:2376"),
            ("DOCKER_TLS_VERIFY", "1"),
            ("DOCKER_TLS_CERTDIR", "$CI_BUILDS_DIR/.dind-init/$CI_JOB_ID"),
            (
                "DOCKER_CERT_PATH",
                "$CI_BUILDS_DIR/.dind-init/$CI_JOB_ID/client",
            ),
            ("TESTCONTAINERS_HOST_OVERRIDE", "docker"),
            ("DIND_WAIT_TIMEOUT", "120"),
            ("DIND_INPUT_MTU", ""),
            ("DIND_INPUT_STORAGE_DRIVER", "auto"),
            ("DIND_INPUT_DEBUG", "false"),
            ("DIND_INPUT_DOCKERD_ARGS", "[]\n"),
            ("DIND_INPUT_REGISTRY_CA", "[]\n"),
            ("DIND_INPUT_REGISTRY_MIRRORS", "[]\n"),
            ("DIND_INPUT_INSECURE_REGISTRIES", "[]\n"),
        ] {
            assert_eq!(variable(job, name), value, "{name} by {include:?}");
        }
        assert!(job["variables"].get("CI_DEBUG_SERVICES").is_none());
        let services = job["services"].as_sequence().unwrap();
        assert_eq!(services.len(), 1);
        assert_eq!(services[0]["alias"], "docker");
        let image = services[0]["name"].as_str().unwrap();
        assert!(image.ends_with(env!("CARGO_PKG_VERSION")), "{image}");
        let hook = job["hooks"]["pre_get_sources_script"][0].as_str().unwrap();
        assert!(hook.contains("status.txt"));
        assert_eq!(job["script"][0], "docker version");
        // Nothing besides: an image, tags or a stage of the component's would hide the company's.
        let keys: Vec<_> = job.as_mapping().unwrap().keys().collect();
        let of_the_interpreter = ["stage", "needs", "gclOrigin"];
        for key in keys {
            let key = key.as_str().unwrap();
            let known = ["variables", "services", "hooks", "script", "image"];
            assert!(
                known.contains(&key) || of_the_interpreter.contains(&key),
                "{key}"
            );
        }
    }
}

#[test]
fn every_input_does_what_it_says() {
    let job = job(r#"
name: .dind
image: registry.example.com:5000/mirror/dind@sha256:0123456789abcdef
transport: plain
certs: volume
wait-timeout: 300
dockerd-args: ["--label=a b", "--log-opt", "tag='x'"]
mtu: "1400"
registry-ca: ["registry.example.com=$CORPORATE_CA"]
registry-mirrors: ["https://mirror.example.com"]
insecure-registries: ["registry.example.com:5000"]
extra-services: [{name: "postgres:16", alias: db}, "redis:7"]
storage-driver: vfs
pull-policy: if-not-present
debug: true
report: true"#);
    for (name, value) in [
        ("DOCKER_HOST", "tcp://docker:2375"),
        ("DOCKER_TLS_CERTDIR", ""),
        ("DIND_WAIT_TIMEOUT", "300"),
        (
            "DIND_INPUT_DOCKERD_ARGS",
            "[\"--label=a b\",\"--log-opt\",\"tag='x'\"]\n",
        ),
        ("DIND_INPUT_MTU", "1400"),
        (
            "DIND_INPUT_REGISTRY_CA",
            "[\"registry.example.com=$CORPORATE_CA\"]\n",
        ),
        (
            "DIND_INPUT_REGISTRY_MIRRORS",
            "[\"https://mirror.example.com\"]\n",
        ),
        (
            "DIND_INPUT_INSECURE_REGISTRIES",
            "[\"registry.example.com:5000\"]\n",
        ),
        ("DIND_INPUT_STORAGE_DRIVER", "vfs"),
        ("DIND_INPUT_DEBUG", "true"),
        ("CI_DEBUG_SERVICES", "true"),
    ] {
        assert_eq!(variable(&job, name), value, "{name}");
    }
    assert!(job["variables"].get("DOCKER_TLS_VERIFY").is_none());
    let services = job["services"].as_sequence().unwrap();
    assert_eq!(
        services[0]["name"],
        "registry.example.com:5000/mirror/dind@sha256:0123456789abcdef"
    );
    assert_eq!(services[1]["alias"], "db");
    assert_eq!(services[2]["name"], "redis:7");
    assert_eq!(services.len(), 3);
    let after = job["after_script"][0].as_str().unwrap();
    assert!(
        after.contains("This was found while the job ran"),
        "{after}"
    );
}

#[test]
fn each_transport_has_its_way_to_the_daemon() {
    const JOB: &str = "$CI_BUILDS_DIR/.dind-init/$CI_JOB_ID";
    let unix = format!("unix://{JOB}/docker.sock");
    for (transport, certs, host, directory, client) in [
        (
            "tls",
            "volume",
            "tcp://docker:2376",
            "/certs",
            Some("/certs/client"),
        ),
        ("unix", "builds", unix.as_str(), JOB, None),
        ("unix", "volume", unix.as_str(), "/certs", None),
        ("plain", "builds", "tcp://docker:2375", "", None),
    ] {
        let job = job(&format!("transport: {transport}\ncerts: {certs}"));
        assert_eq!(variable(&job, "DOCKER_HOST"), host);
        assert_eq!(variable(&job, "DOCKER_TLS_CERTDIR"), directory);
        let variables = &job["variables"];
        // A Docker SDK speaks TLS wherever it finds the path, through a unix socket as well.
        assert_eq!(
            variables.get("DOCKER_CERT_PATH").and_then(Value::as_str),
            client
        );
        assert_eq!(
            variables.get("DOCKER_TLS_VERIFY").is_some(),
            client.is_some()
        );
    }
}

#[test]
fn a_bad_value_is_refused_by_the_name_of_its_input() {
    for bad in [
        "name: dind",
        "image: 'two words'",
        "transport: ssh",
        "certs: secret",
        "wait-timeout: soon",
        "dockerd-args: --debug",
        "mtu: small",
        "registry-ca: /ca.crt",
        "registry-mirrors: https://mirror.example.com",
        "insecure-registries: registry.example.com",
        "extra-services: postgres",
        "storage-driver: fast",
        "pull-policy: sometimes",
        "debug: very",
        "report: never",
    ] {
        let (name, _) = bad.split_once(':').unwrap();
        let refused = Project::new(Include::Component, bad, JOB).preview();
        let why = refused.expect_err(bad);
        assert!(why.contains(name), "{bad}: {why}");
    }
}

#[test]
fn two_includes_with_two_names_live_side_by_side() {
    let second = "  - local: templates/dind.yml\n    inputs: {name: .dind-plain, transport: plain}\n\
                  one:\n  image: alpine\n  extends: .dind\n  script: [docker version]\n\
                  two:\n  image: alpine\n  extends: .dind-plain\n  script: [docker version]\n";
    let preview = Project::new(Include::Local, "", second).preview().unwrap();
    assert_eq!(
        variable(&preview["one"], "DOCKER_HOST"),
        "tcp://docker:2376"
    );
    assert_eq!(
        variable(&preview["two"], "DOCKER_HOST"),
        "tcp://docker:2375"
    );
}

#[test]
fn a_job_with_services_of_its_own_names_the_component_s_as_well() {
    let job = "job:\n  image: alpine\n  extends: .dind\n  script: [docker version]\n  \
               services:\n    - !reference [.dind, services]\n    - postgres:16\n";
    let preview = Project::new(Include::Local, "", job).preview().unwrap();
    let services = preview["job"]["services"].as_sequence().unwrap();
    assert_eq!(services[0]["alias"], "docker");
    assert_eq!(services[1]["name"], "postgres:16");
}

/// The control: the schema is really asked.
#[test]
fn what_gitlab_s_schema_does_not_know_is_refused() {
    let bad = format!("{JOB}  retry: often\n");
    let why = Project::new(Include::Local, "", &bad)
        .preview()
        .unwrap_err();
    assert!(why.contains("schema") && why.contains("retry"), "{why}");
}
