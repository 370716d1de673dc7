//! Reasons on the side of the job: its variables, and how its clients knock.
//!
//! None of them stops dockerd: another user of the daemon may be right.

use super::Sample;

catalogue! { Client:

PORT = Error "CLIENT-PORT" {
    summary: "the job's DOCKER_HOST names a port on which this daemon does not serve",
    advice: "\
With TLS, in .gitlab-ci.yml:
    variables:
      DOCKER_TLS_CERTDIR: /certs
      DOCKER_HOST: tcp://docker:2376
      DOCKER_TLS_VERIFY: 1
      DOCKER_CERT_PATH: /certs/client
Or without TLS, in .gitlab-ci.yml:
    variables: { DOCKER_TLS_CERTDIR: \"\", DOCKER_HOST: \"tcp://docker:2375\" }",
}

TLS_VERIFY = Error "CLIENT-TLS-VERIFY" {
    summary: "the job's DOCKER_TLS_VERIFY does not fit the daemon",
    advice: "\
Where DOCKER_TLS_CERTDIR is empty, take DOCKER_TLS_VERIFY out (any value turns TLS on, 0 too). With
TLS, in .gitlab-ci.yml:
    variables:
      DOCKER_TLS_CERTDIR: /certs
      DOCKER_HOST: tcp://docker:2376
      DOCKER_TLS_VERIFY: 1
      DOCKER_CERT_PATH: /certs/client",
}

CERT_PATH = Error "CLIENT-CERT-PATH" {
    summary: "the job's clients look for their certificates where there are none",
    advice: "\
DOCKER_CERT_PATH is `client` below DOCKER_TLS_CERTDIR, spelled out: a variable that refers to
another one of the job stays as it is in some versions of the runner. In .gitlab-ci.yml:
    variables:
      DOCKER_TLS_CERTDIR: /certs
      DOCKER_CERT_PATH: /certs/client",
}

HOST = Error "CLIENT-HOST" {
    summary: "the job's DOCKER_HOST does not lead to this daemon",
    advice: "\
Call the service by its alias, in .gitlab-ci.yml:
    services:
      - name: docker:dind
        alias: docker
    variables:
      DOCKER_HOST: tcp://docker:2376
A unix socket needs a volume that the job has as well: `volumes` in the runner's config.toml.",
}

PROXY = Error "CLIENT-PROXY" {
    summary: "the job's clients send what is for this daemon to a proxy",
    advice: "\
Except the service from the proxy, in .gitlab-ci.yml or the runner's `environment`:
    variables:
      NO_PROXY: docker,localhost,127.0.0.1
      no_proxy: docker,localhost,127.0.0.1",
}

HTTP_ON_TLS = Error "CLIENT-HTTP-ON-TLS" {
    summary: "a client speaks plain HTTP to this daemon's TLS port",
    advice: "\
Tell the job's clients to use TLS, in .gitlab-ci.yml:
    variables:
      DOCKER_HOST: tcp://docker:2376
      DOCKER_TLS_VERIFY: 1
      DOCKER_CERT_PATH: /certs/client",
    patterns: &[
        &["http: tls handshake error", "client sent an http request to an https server"],
        &["http: tls handshake error", "first record does not look like a tls handshake"],
    ],
    samples: &[
        Sample {
            text: "2026/11/23 15:35:16 http: TLS handshake error from 127.0.0.1:42942: client sent an HTTP request to an HTTPS server",
            source: "Docker 26.1.5, run",
        },
        Sample {
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=info msg=\"http: TLS handshake error from 127.0.0.1:40932: tls: first record does not look like a TLS handshake\"",
            source: "after Docker 20.10; Go crypto/tls",
        },
    ],
}

NO_CERTIFICATE = Error "CLIENT-NO-CERTIFICATE" {
    summary: "a client shows no certificate, and this daemon asks for one",
    advice: "\
Tell the job's clients where theirs is, in .gitlab-ci.yml:
    variables:
      DOCKER_TLS_VERIFY: 1
      DOCKER_CERT_PATH: /certs/client",
    patterns: &[&["http: tls handshake error", "client didn't provide a certificate"]],
    samples: &[Sample {
        text: "2026/11/23 15:35:16 http: TLS handshake error from 127.0.0.1:43026: tls: client didn't provide a certificate",
        source: "Docker 26.1.5, run",
    }],
}

/// Either side may refuse the other: they hold certificates of two different daemons.
WRONG_CA = Error "CLIENT-WRONG-CA" {
    summary: "a client holds the certificates of another daemon",
    advice: "\
Two daemons write to one directory, or the job reads another one than this daemon writes. Give each
job its own, in .gitlab-ci.yml:
    variables:
      DOCKER_TLS_CERTDIR: $CI_BUILDS_DIR/.dind/$CI_JOB_ID
      DOCKER_CERT_PATH: $CI_BUILDS_DIR/.dind/$CI_JOB_ID/client",
    patterns: &[
        &["http: tls handshake error", "remote error: tls: bad certificate"],
        &["http: tls handshake error", "remote error: tls: unknown certificate"],
        &["http: tls handshake error", "failed to verify certificate: x509: "],
        &["http: tls handshake error", "failed to verify client", "certificate: x509: "],
    ],
    samples: &[
        Sample {
            text: "2026/11/23 15:35:16 http: TLS handshake error from 127.0.0.1:42966: remote error: tls: bad certificate",
            source: "Docker 26.1.5, run with a client of another CA",
        },
        Sample {
            text: "2026/11/23 10:00:00 http: TLS handshake error from 10.0.0.7:41234: remote error: tls: unknown certificate authority",
            source: "after OpenSSL clients",
        },
        Sample {
            text: "2026/11/23 15:35:16 http: TLS handshake error from 127.0.0.1:42986: tls: failed to verify certificate: x509: certificate signed by unknown authority (possibly because of \"x509: ECDSA verification failure\" while trying to verify candidate authority certificate \"dind-init CA\")",
            source: "Docker 26.1.5, run with a client that does not verify",
        },
        Sample {
            text: "2026/11/23 10:00:00 http: TLS handshake error from 10.0.0.7:41234: tls: failed to verify client's certificate: x509: certificate signed by unknown authority",
            source: "after Go crypto/tls before 1.20, Docker 20.10",
        },
    ],
}
}
