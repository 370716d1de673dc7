use crate::{
    lint::{
        lint,
        source::{Files, Source},
    },
    reasons::Severity::{self, Error, Fatal, Note, Warning},
};

const JOB: &str = "build:\n  services:\n    - name: docker:28-dind\n      alias: docker\n  \
                   variables:\n    DOCKER_HOST: tcp://docker:2376\n    DOCKER_TLS_CERTDIR: /certs\n    \
                   DOCKER_TLS_VERIFY: 1\n    DOCKER_CERT_PATH: /certs/client\n  script: docker info\n";
const PLAIN_JOB: &str = "build:\n  services: [{name: 'docker:28-dind', alias: docker}]\n  \
                         variables:\n    DOCKER_HOST: tcp://docker:2375\n    \
                         DOCKER_TLS_CERTDIR: ''\n  script: docker info\n";
const RUNNER: &str = "concurrent = 1\n[[runners]]\n[runners.kubernetes]\nprivileged = true\n";
const EMPTY: &str = "[[runners.kubernetes.volumes.empty_dir]]\nname = \"c\"\n\
                     mount_path = \"/certs/client\"\n";
const SECRET: &str = "[[runners.kubernetes.volumes.secret]]\nname = \"c\"\n\
                      mount_path = \"/certs/client\"\n";
const SERVICE: &str = "[[runners.kubernetes.services]]\nname = \"docker:dind\"\n";

#[track_caller]
fn expect(texts: &[&str], expected: &[(&str, Severity, &str)]) {
    let mut files = Files::default();
    for (index, text) in texts.iter().enumerate() {
        files.add(Source::new(format!("file {index}"), *text));
    }
    let judgement = lint(&mut files);
    assert!(judgement.errors.is_empty(), "{judgement:#?}");
    let found: Vec<_> = judgement
        .problems
        .iter()
        .map(|problem| {
            let text = files.get(problem.place.file).text();
            (
                problem.finding.reason.id,
                problem.finding.severity,
                &text[problem.place.span.clone()],
            )
        })
        .collect();
    assert_eq!(found, expected, "in {texts:#?}\n{judgement:#?}");
}

#[test]
fn a_job_and_a_runner_that_fit() {
    expect(&[JOB, &format!("{RUNNER}{EMPTY}")], &[]);
    expect(&[PLAIN_JOB, RUNNER], &[]);
    expect(&[RUNNER], &[]);
}

#[test]
fn a_job_that_no_runner_lets_be_privileged() {
    let bare = "[[runners]]\n[runners.kubernetes]\n";
    let expected = [("NOT-PRIVILEGED", Fatal, "[runners.kubernetes]")];
    expect(&[PLAIN_JOB, bare], &expected);
    // One that does, whichever the job's tags name.
    expect(
        &[
            PLAIN_JOB,
            &format!("{bare}{RUNNER}").replace("concurrent = 1\n", ""),
        ],
        &[],
    );
    expect(&[bare], &[]);
    let postgres = PLAIN_JOB
        .replace("docker:28-dind", "postgres:16")
        .replace("docker}", "db}");
    expect(&[&postgres, bare], &[("CLIENT-HOST", Error, "build")]);
    // A sign becomes a proof.
    let with_volume = format!("{bare}{EMPTY}");
    expect(
        &[&with_volume],
        &[("NOT-PRIVILEGED", Warning, "[runners.kubernetes]")],
    );
    expect(&[JOB, &with_volume], &expected);
}

#[test]
fn certificates_that_no_runner_shares() {
    expect(
        &[JOB, RUNNER],
        &[("CERTS-UNSHARED", Error, "docker:28-dind")],
    );
    let in_builds = JOB
        .replace(
            "DOCKER_TLS_CERTDIR: /certs",
            "DOCKER_TLS_CERTDIR: $CI_BUILDS_DIR/c",
        )
        .replace(
            "DOCKER_CERT_PATH: /certs",
            "DOCKER_CERT_PATH: $CI_BUILDS_DIR/c",
        );
    expect(&[&in_builds, RUNNER], &[]);
    let elsewhere = JOB.replace("/certs", "/tls");
    let at_certs = format!("{RUNNER}{EMPTY}");
    expect(
        &[&elsewhere, &at_certs],
        &[("CERTS-UNSHARED", Error, "docker:28-dind")],
    );
    expect(&[&elsewhere, &at_certs.replace("/certs", "/tls")], &[]);
}

#[test]
fn where_the_jobs_keep_their_certificates_decides_what_a_volume_is() {
    let secret = format!("{RUNNER}{SECRET}");
    let at = "\"/certs/client\"";
    expect(&[&secret], &[("CERTS-READONLY", Fatal, at)]);
    expect(&[JOB, &secret], &[("CERTS-READONLY", Fatal, at)]);
    expect(&[PLAIN_JOB, &secret], &[]);
    let elsewhere = JOB.replace("/certs", "/tls");
    expect(
        &[
            &elsewhere,
            &format!("{secret}{}", EMPTY.replace("/certs", "/tls")),
        ],
        &[],
    );
    let at = "\"/tls/client\"";
    let secret = secret.replace("/certs", "/tls");
    expect(&[&elsewhere, &secret], &[("CERTS-READONLY", Fatal, at)]);
}

#[test]
fn a_job_s_daemon_beside_the_runner_s_own() {
    let runner = format!("{RUNNER}{EMPTY}{SERVICE}");
    let on_none = ("STORAGE-ON-OVERLAY", Note, "[runners.kubernetes]");
    let second = |severity| ("NETWORK-PORT-IN-USE", severity, "docker:28-dind");
    expect(&[JOB, &runner], &[second(Fatal), on_none]);
    let two = format!("{runner}{}{EMPTY}", RUNNER.replace("concurrent = 1\n", ""));
    expect(&[JOB, &two], &[second(Warning), on_none]);
    let elsewhere = format!("{runner}command = [\"dockerd\", \"--host=tcp://0.0.0.0:1234\"]\n");
    expect(&[JOB, &elsewhere], &[on_none]);
    let further = elsewhere.replace("\"dockerd\", ", "");
    expect(&[JOB, &further], &[second(Fatal), on_none]);
    let on_docker = runner.replace("kubernetes", "docker").replace(
        "[[runners.docker.volumes.empty_dir]]\nname = \"c\"\nmount_path = \"/certs/client\"\n",
        "volumes = [\"/certs/client\"]\n",
    );
    expect(&[JOB, &on_docker], &[]);
}
