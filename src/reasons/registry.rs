//! Reasons on the side of the registries: what dockerd says when it pulls and pushes.
//!
//! None of them stops dockerd.

use super::Sample;

catalogue! { Registry:

UNTRUSTED = Error "REGISTRY-UNTRUSTED" {
    summary: "dockerd does not trust the registry's TLS certificate",
    advice: "\
Mount the CA that signed it where dockerd looks for it, in the runner's config.toml:
    [[runners.kubernetes.volumes.secret]]
    name = \"registry-ca\"
    mount_path = \"/etc/docker/certs.d/registry.example.com\"
    [runners.kubernetes.volumes.secret.items]
    \"ca.crt\" = \"ca.crt\"
The directory is named after the registry's host, and the file must end in .crt.",
    patterns: &[&["x509: certificate signed by unknown authority"]],
    samples: &[
        Sample {
            text: "time=\"2026-11-23T16:04:42.581711598Z\" level=warning msg=\"Error getting v2 registry: Get \\\"https://reg.test:5001/v2/\\\": tls: failed to verify certificate: x509: certificate signed by unknown authority\"",
            source: "Docker 28.5.2, run; 26.1.5 says the same",
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
    samples: &[
        Sample {
            text: "time=\"2026-11-23T16:04:42.581711598Z\" level=warning msg=\"Error getting v2 registry: Get \\\"https://reg.test:5004/v2/\\\": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-23T16:04:42Z is before 2040-01-01T00:00:00Z\"",
            source: "Docker 28.5.2, run; 26.1.5 says the same",
        },
    ],
}

EXPIRED = Error "REGISTRY-EXPIRED" {
    summary: "the registry's TLS certificate has expired",
    advice: "Have the registry's certificate renewed: nothing in the job can make up for it.",
    patterns: &[&["x509: certificate has expired or is not yet valid"]],
    samples: &[
        Sample {
            text: "time=\"2026-11-23T16:04:42.581711598Z\" level=warning msg=\"Error getting v2 registry: Get \\\"https://reg.test:5003/v2/\\\": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-23T16:04:42Z is after 2021-01-01T00:00:00Z\"",
            source: "Docker 28.5.2, run; 26.1.5 says the same",
        },
    ],
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
            text: "time=\"2026-11-23T16:04:42.581711598Z\" level=warning msg=\"Error getting v2 registry: Get \\\"https://reg.test:5002/v2/\\\": tls: failed to verify certificate: x509: certificate is valid for other.test, not reg.test\"",
            source: "Docker 28.5.2, run; 26.1.5 says the same",
        },
        Sample {
            text: "time=\"2026-11-23T16:04:42.581711598Z\" level=warning msg=\"Error getting v2 registry: Get \\\"https://10.88.3.191:5001/v2/\\\": tls: failed to verify certificate: x509: cannot validate certificate for 10.88.3.191 because it doesn't contain any IP SANs\"",
            source: "Docker 28.5.2, run; 26.1.5 says the same",
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
    samples: &[
        Sample {
            text: "time=\"2026-11-23T16:04:42.581711598Z\" level=warning msg=\"Error getting v2 registry: Get \\\"https://reg.test:2375/v2/\\\": http: server gave HTTP response to HTTPS client\"",
            source: "Docker 28.5.2, run; 26.1.5 says the same",
        },
    ],
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
