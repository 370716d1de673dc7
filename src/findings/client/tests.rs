//! One job's variables after another, beside what a daemon serves.

use super::*;
use crate::facts::client::{Because, Proxy};

pub(super) const TLS: &[(&str, &str)] = &[
    ("DOCKER_HOST", "tcp://docker:2376"),
    ("DOCKER_TLS_VERIFY", "1"),
    ("DOCKER_CERT_PATH", "/certs/client"),
];

pub(super) fn tls() -> Served {
    Served {
        tls: true,
        port: 2376,
        further_ports: Vec::new(),
        names: ["docker", "localhost", "127.0.0.1", "runner-1"]
            .into_iter()
            .filter_map(SubjectName::from_host)
            .collect(),
        client_certificates: Some("/certs/client".into()),
        unix: "/var/run/docker.sock".into(),
        unix_is_shared: false,
    }
}

pub(super) fn plain() -> Served {
    Served {
        tls: false,
        port: 2375,
        client_certificates: None,
        ..tls()
    }
}

/// A GitLab job with these variables, the later ones first.
pub(super) fn job(variables: &[(&str, &str)]) -> ClientVariables {
    ClientVariables::read(&|name| {
        let found = variables.iter().rev().find(|(key, _)| *key == name);
        let value = found.map(|(_, value)| (*value).to_owned());
        value.or_else(|| (name == "CI_JOB_ID").then(|| "7".into()))
    })
}

fn with(variables: &[(&'static str, &'static str)]) -> ClientVariables {
    job(&[TLS, variables].concat())
}

pub(super) fn in_kubernetes(job: ClientVariables) -> ClientVariables {
    ClientVariables {
        in_kubernetes: Some(true),
        entrypoint: Entrypoint::Missing(Because::Kubernetes),
        ..job
    }
}

/// `ID severity`, joined by commas.
pub(super) fn ids(job: &ClientVariables, served: &Served) -> String {
    let ids: Vec<_> = findings(job, served)
        .iter()
        .map(|finding| format!("{} {}", finding.reason.id, finding.severity))
        .collect();
    ids.join(", ")
}

/// The only finding, as it is told.
pub(super) fn told(job: &ClientVariables, served: &Served) -> String {
    let findings = findings(job, served);
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings[0].to_string()
}

#[test]
fn a_job_that_is_right_hears_nothing() {
    for job in [
        job(&[]),
        job(TLS),
        in_kubernetes(job(TLS)),
        with(&[("DOCKER_CERT_PATH", "/certs//client/")]),
        with(&[("DOCKER_HOST", "tcp://dind:2376")]), // an alias that only Docker's executor knows
        with(&[("DOCKER_HOST", "tcp://buildfarm.example:4243")]),
        with(&[("DOCKER_HOST", "ssh://builder")]),
    ] {
        assert_eq!(ids(&job, &tls()), "", "{job:?}");
    }
    let job = job(&[("DOCKER_HOST", "tcp://docker:2375")]);
    assert_eq!(ids(&job, &plain()), "");
    assert_eq!(ids(&in_kubernetes(job), &plain()), "");
}

#[test]
fn the_other_port_is_named_with_what_leads_here() {
    let text = told(&job(&[("DOCKER_HOST", "tcp://docker:2375")]), &tls());
    for part in [
        "CLIENT-PORT",
        "tcp://docker:2375",
        "speaks TLS on port 2376",
        "DOCKER_HOST: tcp://docker:2376",
        "DOCKER_CERT_PATH: /certs/client",
        "DOCKER_TLS_CERTDIR: \"\"",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    // The CLI's default, whatever DOCKER_TLS_VERIFY is.
    let text = told(&with(&[("DOCKER_HOST", "tcp://docker")]), &tls());
    let part = "DOCKER_HOST is tcp://docker, which names no port, so clients dial 2375";
    assert!(text.contains(part), "{text}");
    let reverse = job(&[("DOCKER_HOST", "tcp://docker:2376")]);
    assert!(told(&reverse, &plain()).contains("without TLS"));
    // A port that one of the service's own flags opens is right.
    let further = Served {
        further_ports: vec![2375],
        ..tls()
    };
    assert_eq!(
        ids(&job(&[("DOCKER_HOST", "tcp://docker:2375")]), &further),
        ""
    );
}

#[test]
fn tls_verify_has_to_fit() {
    let job = job(&[
        ("DOCKER_HOST", "tcp://docker:2375"),
        ("DOCKER_TLS_VERIFY", "0"),
    ]);
    let text = told(&job, &plain());
    assert!(
        text.contains("CLIENT-TLS-VERIFY") && text.contains("\"0\""),
        "{text}"
    );
    // Kubernetes runs no entrypoint that would set it; elsewhere the image's own does.
    let unset = with(&[("DOCKER_TLS_VERIFY", "")]);
    assert_eq!(ids(&unset, &tls()), "");
    assert_eq!(
        ids(&in_kubernetes(unset), &tls()),
        "CLIENT-TLS-VERIFY warning"
    );
    // A port of one of its own flags speaks TLS as well.
    let further = Served {
        further_ports: vec![2375],
        ..tls()
    };
    let plain_port = self::job(&[("DOCKER_HOST", "tcp://docker:2375")]);
    let text = told(&in_kubernetes(plain_port), &further);
    assert!(text.contains("speaks TLS there as well"), "{text}");
}

#[test]
fn the_certificates_have_to_be_where_clients_look() {
    for (path, part) in [
        ("", "~/.docker"),
        ("/certs", "DOCKER_CERT_PATH is /certs, where there are none"),
        ("$DOCKER_TLS_CERTDIR/client", "was never expanded"),
    ] {
        let text = told(&with(&[("DOCKER_CERT_PATH", path)]), &tls());
        for part in ["CLIENT-CERT-PATH", part, "DOCKER_CERT_PATH: /certs/client"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
    let own = ClientVariables {
        certificates_are_there: true,
        ..with(&[("DOCKER_CERT_PATH", "/own")])
    };
    assert_eq!(ids(&own, &tls()), "");
}

#[test]
fn the_host_has_to_be_this_container() {
    let strange = with(&[("DOCKER_HOST", "tcp://dokcer:2376")]);
    let text = told(&in_kubernetes(strange.clone()), &tls());
    for part in [
        "CLIENT-HOST",
        "tcp://dokcer:2376",
        "runner-1",
        "alias dokcer",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    // Docker's executor keeps the aliases to itself, so nothing is known there.
    assert_eq!(ids(&strange, &tls()), "");

    let loopback = with(&[("DOCKER_HOST", "tcp://localhost:2376")]);
    assert_eq!(ids(&loopback, &tls()), "CLIENT-HOST warning");
    assert_eq!(ids(&in_kubernetes(loopback.clone()), &tls()), "");
    for host in [
        "tcp://0.0.0.0:2376",
        "tcp://[::]:2376",
        "tcp://127.0.0.2:2376",
    ] {
        let itself = with(&[("DOCKER_HOST", host)]);
        assert_eq!(ids(&itself, &tls()), "CLIENT-HOST warning", "{host}");
        assert_eq!(ids(&in_kubernetes(itself), &tls()), "", "{host}");
    }
    // Who sees the runner's configuration knows more.
    for (has_own_network, expected) in [(true, "CLIENT-HOST error"), (false, "")] {
        let known = ClientVariables {
            has_own_network: Some(has_own_network),
            ..loopback.clone()
        };
        assert_eq!(ids(&known, &tls()), expected);
    }
    let unknown = ClientVariables {
        in_kubernetes: None,
        ..loopback.clone()
    };
    assert_eq!(ids(&unknown, &tls()), "");
    let anywhere = ClientVariables {
        in_gitlab: false,
        ..loopback
    };
    assert_eq!(ids(&anywhere, &tls()), "");
}

#[test]
fn a_socket_has_to_be_shared() {
    let job = job(&[("DOCKER_HOST", "unix:///var/run/docker.sock")]);
    let text = told(&job, &tls());
    assert!(
        text.contains("CLIENT-HOST") && text.contains("tcp://docker:2376"),
        "{text}"
    );
    let shared = Served {
        unix_is_shared: true,
        ..tls()
    };
    assert_eq!(ids(&job, &shared), "");
    let by_tls = with(&[("DOCKER_HOST", "unix:///var/run/docker.sock")]);
    let text = told(&by_tls, &shared);
    assert!(
        text.contains("CLIENT-TLS-VERIFY") && text.contains("Take DOCKER_TLS_VERIFY"),
        "{text}"
    );
}

#[test]
fn a_proxy_has_to_let_the_daemon_alone() {
    let proxy = ("HTTPS_PROXY", "http://user:secret@proxy:3128");
    let text = told(&with(&[proxy, ("NO_PROXY", "example.com")]), &tls());
    for part in [
        "CLIENT-PROXY",
        "HTTPS_PROXY is http://…@proxy:3128",
        "NO_PROXY: \"example.com,docker\"",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("secret"), "{text}");
    assert_eq!(ids(&with(&[proxy, ("NO_PROXY", "docker")]), &tls()), "");
    assert_eq!(ids(&with(&[("HTTP_PROXY", "http://p")]), &tls()), "");
    let loopback = in_kubernetes(with(&[proxy, ("DOCKER_HOST", "tcp://127.0.0.1:2376")]));
    assert_eq!(ids(&loopback, &tls()), "");
    // Where DOCKER_HOST is not known, it is likely and no more.
    let unknown = ClientVariables {
        proxy: Some(Proxy {
            variable: "HTTP_PROXY",
            address: "http://p".into(),
        }),
        ..job(&[])
    };
    assert_eq!(ids(&unknown, &plain()), "CLIENT-PROXY warning");
}

#[test]
fn a_wrong_host_is_told_alone_and_other_faults_together() {
    let both = with(&[
        ("DOCKER_HOST", "tcp://docker:2375"),
        ("DOCKER_CERT_PATH", "/elsewhere"),
    ]);
    assert_eq!(
        ids(&both, &tls()),
        "CLIENT-PORT error, CLIENT-CERT-PATH error"
    );
    let elsewhere = with(&[
        ("DOCKER_HOST", "tcp://other:2375"),
        ("DOCKER_CERT_PATH", "/elsewhere"),
    ]);
    assert_eq!(ids(&in_kubernetes(elsewhere), &tls()), "CLIENT-HOST error");
}

#[test]
fn what_is_to_be_pasted_parses() {
    let faulty = [
        job(&[("DOCKER_HOST", "tcp://docker:2375")]),
        with(&[("DOCKER_CERT_PATH", "/elsewhere")]),
        with(&[("HTTPS_PROXY", "http://p")]),
        job(&[("DOCKER_HOST", "unix:///var/run/docker.sock")]),
        in_kubernetes(with(&[("DOCKER_HOST", "tcp://other:2376")])),
    ];
    for finding in faulty.iter().flat_map(|job| findings(job, &tls())) {
        let lines = finding.fix.lines();
        let snippets: Vec<_> = lines.map(|line| line.strip_prefix("    ")).collect();
        let snippets = snippets
            .split(Option::is_none)
            .filter(|lines| !lines.is_empty());
        let mut count = 0;
        for lines in snippets {
            let snippet = lines
                .iter()
                .flatten()
                .copied()
                .collect::<Vec<_>>()
                .join("\n");
            let yaml: serde_yaml_ng::Mapping = serde_yaml_ng::from_str(&snippet).unwrap();
            assert!(yaml["variables"].is_mapping(), "{snippet}");
            count += 1;
        }
        assert!(count > 0, "{finding}");
    }
}

#[test]
fn certificates_in_the_project_s_directory_do_not_outlive_the_clone() {
    let served = Served {
        client_certificates: Some("/builds/g/p/certs/client".into()),
        ..tls()
    };
    let in_project = |more: &[(&'static str, &'static str)]| {
        let project = [
            ("CI_PROJECT_DIR", "/builds/g/p"),
            ("DOCKER_CERT_PATH", "/builds/g/p/certs/client"),
        ];
        with(&[&project[..], more].concat())
    };
    let text = told(&in_project(&[]), &served);
    assert!(
        text.contains("CERTS-CLEANED") && text.contains("/builds/g/p,"),
        "{text}"
    );
    for kept in [
        ("GIT_STRATEGY", "none"),
        ("GIT_CLEAN_FLAGS", "-ffdx -e certs/"),
        ("CI_PROJECT_DIR", "/builds/g/p2"),
    ] {
        assert_eq!(ids(&in_project(&[kept]), &served), "", "{kept:?}");
    }
}
