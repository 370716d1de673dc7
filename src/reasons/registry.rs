//! Reasons on the side of the registries: their CAs as they are mounted, and what dockerd says when
//! it pulls and pushes.
//!
//! None of them stops dockerd.

use super::Sample;

catalogue! { Registry:

UNREADABLE = Error "REGISTRY-UNREADABLE" {
    summary: "a file with a registry's CA cannot be read",
    advice: "\
Put a regular file of at most 1 MiB there, which this container's user may read, or take it away.",
}

NOT_PEM = Error "REGISTRY-NOT-PEM" {
    summary: "a file that is to hold a registry's CA holds no certificate in PEM",
    advice: "\
Put the CA's certificate there as plain text that begins with -----BEGIN CERTIFICATE-----, or take
the file away. PKCS#7 is put into PEM in a shell:
    openssl pkcs7 -print_certs -in ca.p7b -out ca.crt",
}

NOT_CA = Warning "REGISTRY-NOT-CA" {
    summary: "a file that is to hold a registry's CA holds the certificate of a server",
    advice: "\
Put the certificate of the CA there, which the cause names as issuer; whoever runs the registry has
it. If the registry sends its whole chain, the last one is it; in a shell:
    openssl s_client -showcerts -connect registry.example.com:443 </dev/null",
}

PRIVATE_KEY = Warning "REGISTRY-PRIVATE-KEY" {
    summary: "a private key lies where CA certificates are mounted, and every job can read it",
    advice: "\
Mount the CA's certificate alone, in the runner's config.toml:
    [[runners.kubernetes.volumes.secret]]
    name = \"registry-ca\"
    mount_path = \"/etc/dind/registry-ca\"
    [runners.kubernetes.volumes.secret.items]
    \"ca.crt\" = \"ca.crt\"
A client's key for a registry that asks for one lies beside its certificate: HOST/client.cert and
HOST/client.key.",
}

CLIENT_PAIR = Error "REGISTRY-CLIENT-PAIR" {
    summary: "a client's certificate for a registry comes without its key",
    advice: "\
Docker takes them in pairs: HOST/client.cert and HOST/client.key, in PEM. A CA's certificate must
end in .crt or .pem instead.",
}

HOST = Error "REGISTRY-HOST" {
    summary: "a directory with CA certificates is not named after a registry",
    advice: "\
Name it as image references name the registry, the port after an underscore, in the runner's
config.toml:
    [[runners.kubernetes.volumes.secret]]
    name = \"registry-ca\"
    mount_path = \"/etc/dind/registry-ca/registry.example.com_5000\"
Or put the file directly into /etc/dind/registry-ca: then it counts for every registry.",
}

NOT_INSTALLED = Error "REGISTRY-NOT-INSTALLED" {
    summary: "a registry's CA cannot be put where dockerd reads it",
    advice: "\
Let this container's user write there: mount nothing read-only at or above /etc/docker/certs.d (a
daemon.json alone, by sub_path), nor make the service's root file system read-only.",
}

DUPLICATE = Note "REGISTRY-DUPLICATE" {
    summary: "the CAs of one registry come from two places",
    advice: "Keep the one that is right.",
}

KEPT = Note "REGISTRY-KEPT" {
    summary: "a directory of Docker's own for a registry is there already, and stays as it is",
    advice: "\
Put the CA into that directory as a file that ends in .crt, or take the directory away.",
}

LATE = Warning "REGISTRY-LATE" {
    summary: "a CA for every registry came too late for dockerd to read it",
    advice: "\
Name the registry that it is for, in .gitlab-ci.yml; such a file may come at any time:
    variables:
      DIND_REGISTRY_CA: registry.example.com=$CI_PROJECT_DIR/ca.crt",
}

UNTRUSTED = Error "REGISTRY-UNTRUSTED" {
    summary: "dockerd does not trust the registry's TLS certificate",
    advice: "\
Mount the certificate of the CA that signed it, in the runner's config.toml:
    [[runners.kubernetes.volumes.secret]]
    name = \"registry-ca\"
    mount_path = \"/etc/dind/registry-ca\"
A file there counts for every registry, and one that is named like registry.example.com_5000.crt for
that one. With the Docker executor, in the runner's config.toml:
    [runners.docker]
    volumes = [\"/srv/registry-ca:/etc/dind/registry-ca:ro\", \"/certs/client\", \"/cache\"]",
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
    summary: "a TLS certificate of the registry, or of its CA, is not valid yet by this node's clock",
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
    summary: "a TLS certificate of the registry, or of its CA, has expired",
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
