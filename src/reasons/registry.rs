//! Reasons on the side of the registries: what dockerd says when it pulls and pushes.
//!
//! None of them stops dockerd.

use super::Sample;

catalogue! { Registry:

UNTRUSTED = Error "REGISTRY-UNTRUSTED" {
    summary: "dockerd does not trust the registry's TLS certificate",
    advice: "\
Mount the CA that signed it where this image looks for it, in the runner's config.toml:
    [[runners.kubernetes.volumes.secret]]
    name = \"registry-ca\"
    mount_path = \"/etc/dind/registry-ca\"
    [runners.kubernetes.volumes.secret.items]
    \"ca.crt\" = \"registry.example.com.crt\"
The file is named after the registry's host; registry.example.com_5000.crt is for port 5000.",
    patterns: &[&["x509: certificate signed by unknown authority"]],
    samples: &[
        Sample {
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/images/create returned error: Get \\\"https://registry.example.com/v2/\\\": tls: failed to verify certificate: x509: certificate signed by unknown authority\"",
            source: "after Docker 26",
        },
        Sample {
            text: "Error response from daemon: Get \"https://registry.example.com:5000/v2/\": x509: certificate signed by unknown authority",
            source: "after Docker 20.10",
        },
        Sample {
            text: "error pulling image configuration: download failed after attempts=6: tls: failed to verify certificate: x509: certificate signed by unknown authority",
            source: "GitLab docs, docker_build_troubleshooting",
        },
    ],
}

NOT_YET_VALID = Error "REGISTRY-NOT-YET-VALID" {
    summary: "the registry's TLS certificate is not valid yet by this node's clock",
    advice: "Set the node's clock right, or wait until the certificate is valid.",
    retryable: true,
    patterns: &[&["x509: certificate has expired or is not yet valid", " is before "]],
    samples: &[Sample {
        text: "Error response from daemon: Get \"https://registry.example.com/v2/\": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-23T10:00:00Z is before 2027-01-01T00:00:00Z",
        source: "after Go crypto/x509, verify.go",
    }],
}

EXPIRED = Error "REGISTRY-EXPIRED" {
    summary: "the registry's TLS certificate has expired",
    advice: "Have the registry's certificate renewed: nothing in the job can make up for it.",
    patterns: &[&["x509: certificate has expired or is not yet valid"]],
    samples: &[Sample {
        text: "Error response from daemon: Get \"https://registry.example.com/v2/\": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-23T10:00:00Z is after 2026-11-01T00:00:00Z",
        source: "after Go crypto/x509, verify.go",
    }],
}

NAME = Error "REGISTRY-NAME" {
    summary: "the registry's TLS certificate is not made for the name that the job uses",
    advice: "\
Use one of the names that the cause lists, in .gitlab-ci.yml, or have the registry's certificate
issued with this one as a subject alternative name.",
    patterns: &[
        &["x509: certificate is valid for ", ", not "],
        &["x509: cannot validate certificate for ", "ip sans"],
        &["x509: certificate relies on legacy common name"],
        &["x509: certificate is not valid for any names"],
    ],
    samples: &[
        Sample {
            text: "Error response from daemon: Get \"https://10.0.0.5/v2/\": tls: failed to verify certificate: x509: cannot validate certificate for 10.0.0.5 because it doesn't contain any IP SANs",
            source: "after Go crypto/x509, verify.go",
        },
        Sample {
            text: "Error response from daemon: Get \"https://reg/v2/\": x509: certificate is valid for registry.example.com, not reg",
            source: "after Go crypto/x509, verify.go",
        },
        Sample {
            text: "Error response from daemon: Get \"https://registry.example.com/v2/\": x509: certificate relies on legacy Common Name field, use SANs instead",
            source: "after Go crypto/x509 from 1.15",
        },
        Sample {
            text: "Error response from daemon: Get \"https://registry.example.com/v2/\": x509: certificate is not valid for any names, but wanted to match registry.example.com",
            source: "after Go crypto/x509, verify.go",
        },
    ],
}

PLAIN_HTTP = Error "REGISTRY-PLAIN-HTTP" {
    summary: "the registry speaks plain HTTP, and dockerd insists on TLS",
    advice: "\
If that is meant, say so, in .gitlab-ci.yml:
    services:
      - name: docker:dind
        alias: docker
        command: [\"--insecure-registry\", \"registry.example.com:5000\"]",
    patterns: &[&["http: server gave http response to https client"]],
    samples: &[Sample {
        text: "Error response from daemon: Get \"https://registry.example.com:5000/v2/\": http: server gave HTTP response to HTTPS client",
        source: "after Go net/http, Docker 20.10 to 29",
    }],
}

RATE_LIMIT = Error "REGISTRY-RATE-LIMIT" {
    summary: "Docker Hub lets this network pull no more images for now",
    advice: "\
Pull through a mirror, in .gitlab-ci.yml (or for all jobs in the runner's [[services]]):
    services:
      - name: docker:dind
        alias: docker
        command: [\"--registry-mirror\", \"https://mirror.example.com\"]
Or log in before the first pull, in .gitlab-ci.yml:
    before_script:
      - echo \"$HUB_TOKEN\" | docker login -u \"$HUB_USER\" --password-stdin",
    retryable: true,
    patterns: &[&["toomanyrequests: "]],
    samples: &[
        Sample {
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=error msg=\"Not continuing with pull after error: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit\"",
            source: "after Docker 20.10 to 27",
        },
        Sample {
            text: "Error response from daemon: error from registry: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit\ntoomanyrequests: You have reached your unauthenticated pull rate limit.",
            source: "after Docker 28 and newer, Docker Hub since 2025",
        },
    ],
}
}
