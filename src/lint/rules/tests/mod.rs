//! Each rule: files that have the mistake, and files that nearly have it.

mod jobs;
pub mod samples;
mod together;

use std::collections::BTreeSet;

use super::found;
use crate::lint::{
    lint,
    source::{Files, Source},
};

/// A job of the Docker executor's with TLS, and a runner for it.
const JOB: &str =
    "build:\n  image: docker:28-cli\n  services: ['docker:28-dind']\n  script: docker info\n";
const RUNNER: &str = "[[runners]]\nexecutor = \"docker\"\n[runners.docker]\nprivileged = true\n\
                      volumes = [\"/certs/client\"]\n";
const KUBERNETES: &str = "concurrent = 4\n[[runners]]\n[runners.kubernetes]\nprivileged = true\n";

/// The smallest files in which each reason is found.
fn examples() -> Vec<(&'static str, Vec<String>)> {
    let job = |more: &str| format!("{JOB}  variables: {{{more}}}\n");
    let command = |command: &str| {
        let service = format!("{{name: 'docker:28-dind', command: [{command}]}}");
        JOB.replace("'docker:28-dind'", &service)
    };
    let volume = |kind: &str, path: &str, more: &str| {
        format!(
            "{KUBERNETES}[[runners.kubernetes.volumes.{kind}]]\nname = \"v\"\nmount_path = \
             {path:?}\n{more}\n"
        )
    };
    let service = |more: &str| {
        format!("{KUBERNETES}[[runners.kubernetes.services]]\nname = \"docker:dind\"\n{more}\n")
    };
    let context = |line: &str| {
        service(&format!(
            "[runners.kubernetes.service_container_security_context]\nprivileged = true\n{line}"
        ))
    };
    let one = |text: String| vec![text];
    vec![
        ("SETTINGS-DUPLICATE-KEY", one(format!("{JOB}{JOB}"))),
        ("SETTINGS-INVALID", one(job("DIND_MTU: small"))),
        (
            "NOT-PRIVILEGED",
            one(volume("empty_dir", "/certs/client", "").replace("true", "false")),
        ),
        ("PRIVILEGE-ROOTLESS-KIT", one(context("run_as_user = 1000"))),
        (
            "NETWORK-SOCKET",
            one(context("read_only_root_filesystem = true")),
        ),
        ("STORAGE-IN-USE", one(volume("pvc", "/var/lib/docker", ""))),
        (
            "STORAGE-READONLY",
            one(volume("secret", "/var/lib/docker", "")),
        ),
        ("STORAGE-ON-OVERLAY", one(service(""))),
        ("STORAGE-MOUNTED-TWICE", {
            let volume = volume("empty_dir", "/x", "");
            let (_, table) = volume.split_once("true\n").unwrap();
            one(format!("{volume}{table}"))
        }),
        ("STORAGE-SLOW-DRIVER", one(job("DOCKER_DRIVER: vfs"))),
        ("STORAGE-DRIVER-CONFLICT", one(job("DOCKER_DRIVER: aufs"))),
        (
            "NETWORK-SOCKET-BUSY",
            vec![
                JOB.to_owned(),
                RUNNER.replace("/certs/client", "/var/run/docker.sock:/var/run/docker.sock"),
            ],
        ),
        ("NETWORK-PORT-IN-USE", vec![JOB.to_owned(), service("")]),
        (
            "NETWORK-HEALTH-CHECK",
            one(service("environment = [\"HEALTHCHECK_TCP_PORT=80\"]")),
        ),
        ("CERTS-IN-USE", one(volume("pvc", "/certs/client", ""))),
        ("CERTS-READONLY", one(volume("secret", "/certs/client", ""))),
        (
            "CERTS-SUBPATH",
            one(volume("secret", "/certs/client", "sub_path = \"ca.crt\"")),
        ),
        (
            "CERTS-UNSHARED",
            vec![JOB.to_owned(), RUNNER.replace("/certs/client", "/cache")],
        ),
        (
            "CERTS-CLEANED",
            one(job("DOCKER_TLS_CERTDIR: $CI_PROJECT_DIR/certs")),
        ),
        ("SETTINGS-MISSPELT", one(job("DIND_ON_FAILUR: exit"))),
        ("SETTINGS-UNREAD", one(job("DOCKER_OPTS: --debug"))),
        (
            "SETTINGS-MISSPELT-KEY",
            one(KUBERNETES.replace("privileged", "priviledged")),
        ),
        (
            "REGISTRY-HOST",
            one(volume(
                "secret",
                "/etc/docker/certs.d/r.example.com:5000",
                "",
            )),
        ),
        (
            "REGISTRY-UNTRUSTED",
            one(volume("secret", "/etc/docker/certs.d", "")),
        ),
        (
            "DAEMON-FLAG",
            one(command("'--registry-mirror=m.example.com'")),
        ),
        (
            "DAEMON-COMMAND-DROPPED",
            one(command("--debug") + "  variables: {FF_KUBERNETES_HONOR_ENTRYPOINT: 'true'}\n"),
        ),
        ("CLIENT-HOST", one(job("DOCKER_HOST: 'tcp://dind:2376'"))),
        ("CLIENT-PORT", one(job("DOCKER_HOST: 'tcp://docker:2375'"))),
        (
            "CLIENT-LATE-PORT",
            vec![
                command("dockerd, '-H', 'tcp://0.0.0.0:2375'")
                    + "  variables: {DOCKER_HOST: 'tcp://docker:2375', DOCKER_TLS_CERTDIR: ''}\n",
                KUBERNETES.to_owned(),
            ],
        ),
        (
            "CLIENT-TLS-VERIFY",
            one(job(
                "DOCKER_HOST: 'tcp://docker:2375', DOCKER_TLS_VERIFY: 1, DOCKER_TLS_CERTDIR: ''",
            )),
        ),
        (
            "CLIENT-CERT-PATH",
            one(job("DOCKER_TLS_VERIFY: 1, DOCKER_CERT_PATH: /certs")),
        ),
        (
            "CLIENT-PROXY",
            one(job(
                "DOCKER_HOST: 'tcp://docker:2375', DOCKER_TLS_CERTDIR: '', \
                 HTTP_PROXY: 'http://proxy:3128'",
            )),
        ),
    ]
}

#[test]
fn each_reason_of_the_table_is_found_in_some_file() {
    let mut seen = BTreeSet::new();
    for (id, texts) in examples() {
        let mut files = Files::default();
        for text in &texts {
            files.add(Source::new("file", text.as_str()));
        }
        // In a debug build a reason that a rule does not list is refused there.
        let judgement = lint(&mut files);
        assert!(judgement.errors.is_empty(), "{texts:#?}\n{judgement:#?}");
        let ids: Vec<_> = judgement
            .problems
            .iter()
            .map(|problem| problem.finding.reason.id)
            .collect();
        assert!(ids.contains(&id), "{id}: {ids:?} in {texts:#?}");
        seen.insert(id);
    }
    let listed: BTreeSet<_> = found().map(|reason| reason.id).collect();
    assert_eq!(seen, listed);
}
