//! What `dind-init lint` must not complain of: the configurations that GitLab's documentation
//! recommends, in our own words, one directory each, whose files are judged together; and our own
//! examples, as they stand in the documentation.
#![allow(clippy::unwrap_used)]

mod examples;
mod faults;

use std::{fs, path::Path};

use dind_init::testing::lint::{
    self,
    problem::Judgement,
    source::{Files, Source},
};

#[test]
fn what_gitlab_recommends_is_clean() {
    let mut cases = 0;
    for case in fs::read_dir(directory()).unwrap() {
        let path = case.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        let judgement = judge(read(&path));
        assert_clean(&judgement, &path.display().to_string());
        cases += 1;
    }
    assert!(cases > 25, "only {cases}");
}

/// Each of them with one mistake: what is not complained of above is looked at.
#[test]
fn the_same_with_a_mistake_is_not() {
    for (case, file, right, wrong, id) in [
        (
            "docker-tls",
            "gitlab-ci.yml",
            "DOCKER_TLS_CERTDIR: \"/certs\"",
            "DOCKER_HOST: tcp://docker:2375",
            "CLIENT-PORT",
        ),
        (
            "docker-plain",
            "gitlab-ci.yml",
            "2375",
            "2376",
            "CLIENT-PORT",
        ),
        (
            "docker-socket",
            "gitlab-ci.yml",
            "/runner/services/docker/",
            "/var/run/",
            "CLIENT-HOST",
        ),
        (
            "kubernetes-tls",
            "gitlab-ci.yml",
            "\"2376\"",
            "\"2375\"",
            "NETWORK-HEALTH-CHECK",
        ),
        (
            "kubernetes-tls",
            "gitlab-ci.yml",
            "DOCKER_TLS_VERIFY: 1",
            "UNUSED: 1",
            "CLIENT-TLS-VERIFY",
        ),
        (
            "kubernetes-tls",
            "gitlab-ci.yml",
            "CERTDIR/client",
            "CERTDIR",
            "CLIENT-CERT-PATH",
        ),
        (
            "kubernetes-tls",
            "values.yaml",
            "empty_dir",
            "secret",
            "CERTS-READONLY",
        ),
        (
            "kubernetes-plain",
            "gitlab-ci.yml",
            "DOCKER_TLS_CERTDIR: \"\"",
            "DOCKER_TLS_CERTDIR: /certs",
            "CLIENT-PORT",
        ),
        (
            "registry-mirror",
            "gitlab-ci.yml",
            "name: docker:27-dind",
            "name: registry.example.com/docker:27-dind\n      variables: {DIND_MTU: small}",
            "SETTINGS-INVALID",
        ),
        (
            "rootless",
            "gitlab-ci.yml",
            "/certs/client",
            "/certs",
            "CLIENT-CERT-PATH",
        ),
        (
            "docker-tls",
            "config.toml",
            "\"/certs/client\", ",
            "",
            "CERTS-UNSHARED",
        ),
        (
            "docker-plain",
            "config.toml",
            "privileged = true",
            "",
            "NOT-PRIVILEGED",
        ),
        (
            "runner-environment",
            "config.toml",
            "\"DOCKER_TLS_CERTDIR=\", ",
            "",
            "CLIENT-PORT",
        ),
        ("mtu", "gitlab-ci.yml", "2375", "2376", "CLIENT-PORT"),
        (
            "private-registry",
            "gitlab-ci.yml",
            "alias: docker",
            "alias: dind",
            "CLIENT-HOST",
        ),
        (
            "eks",
            "config.toml",
            "privileged",
            "priviledged",
            "SETTINGS-MISSPELT-KEY",
        ),
        (
            "helm-full",
            "values.yaml",
            "mount_path = \"/certs/client\"",
            "mountPath = \"/certs/client\"",
            "SETTINGS-MISSPELT-KEY",
        ),
        (
            "runner-services",
            "values.yaml",
            "--mtu=1400",
            "--registry-mirror=mirror.example.com",
            "DAEMON-FLAG",
        ),
        (
            "two-hosts",
            "gitlab-ci.yml",
            "DOCKER_TLS_CERTDIR: \"\"",
            "DOCKER_TLS_VERIFY: \"\"",
            "CLIENT-TLS-VERIFY",
        ),
        (
            "dockerd-itself",
            "gitlab-ci.yml",
            ", \"--host=tcp://0.0.0.0:2375\", \"--tls=false\"",
            "",
            "CLIENT-PORT",
        ),
        (
            "autoscaler",
            "gitlab-ci.yml",
            "DOCKER_TLS_CERTDIR: \"/certs\"",
            "DOCKER_TLS_CERTDIR: $CI_PROJECT_DIR/certs",
            "CERTS-CLEANED",
        ),
        (
            "databases",
            "gitlab-ci.yml",
            "- tox",
            "- docker build .",
            "CLIENT-HOST",
        ),
        (
            "two-executors",
            "config.toml",
            "\"/certs/client\", ",
            "",
            "CERTS-UNSHARED",
        ),
        (
            "testcontainers",
            "gitlab-ci.yml",
            "DOCKER_TLS_CERTDIR: \"\"",
            "TESTCONTAINERS_RYUK_DISABLED: \"true\"",
            "CLIENT-PORT",
        ),
        (
            "cibuildwheel",
            "gitlab-ci.yml",
            "DOCKER_DRIVER: overlay2",
            "DOCKER_DRIVER: devicemapper",
            "STORAGE-DRIVER-CONFLICT",
        ),
        (
            "buildx",
            "gitlab-ci.yml",
            "tcp://docker:",
            "tcp://buildkit:",
            "CLIENT-HOST",
        ),
        (
            "overlay",
            "gitlab-ci.yml",
            "overlay2",
            "vfs",
            "STORAGE-SLOW-DRIVER",
        ),
    ] {
        let mut sources = read(&directory().join(case));
        let (_, text) = sources.iter_mut().find(|(name, _)| name == file).unwrap();
        assert!(text.contains(right), "{case}: no {right:?} in\n{text}");
        *text = text.replace(right, wrong);
        let judgement = judge(sources);
        let found: Vec<_> = judgement
            .problems
            .iter()
            .map(|it| it.finding.reason.id)
            .collect();
        assert!(found.contains(&id), "{case}, {wrong:?}: {found:?}");
    }
}

fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recommended"))
}

/// Names and texts of all files there.
fn read(directory: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn judge(sources: Vec<(String, String)>) -> Judgement {
    let mut files = Files::default();
    for (name, text) in sources {
        files.add(Source::new(name, text));
    }
    lint::lint(&mut files)
}

#[track_caller]
fn assert_clean(judgement: &Judgement, what: &str) {
    let (problems, errors) = (&judgement.problems, &judgement.errors);
    assert!(problems.is_empty(), "{what}: {problems:#?}");
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}
