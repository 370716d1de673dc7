//! What dockerd says of a registry when it logs in, pulls and pushes.

#[cfg(test)]
use crate::reasons::Sample;
use crate::reasons::{
    advice::{
        Advice,
        Executor::{Docker, Kubernetes},
        job, runner, say,
    },
    hole::{Data, Hole},
};

catalogue! { Registry:

UNTRUSTED = Error "REGISTRY-UNTRUSTED" {
    summary: "dockerd does not trust the registry's TLS certificate",
    advice: &[
        runner("Mount the certificate of the CA that signed it, from a Secret", "[[runners.kubernetes.volumes.secret]]\n  name = \"registry-ca\"\n  mount_path = \"/etc/dind/registry-ca\"\n  [runners.kubernetes.volumes.secret.items]\n    \"ca.crt\" = \"{registry_file}.crt\"").on(Kubernetes),
        runner("Add the certificate of the CA that signed it to `volumes`", "[runners.docker]\n  volumes = [\n    \"/srv/ca.crt:/etc/dind/registry-ca/{registry_file}.crt:ro\",\n    \"/certs/client\", \"/cache\",\n  ]").on(Docker),
    ],
    data_in: registry_in,
    patterns: &[&["x509: certificate signed by unknown authority"]],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-23T16:04:42.581711598Z\" level=warning msg=\"Error getting v2 registry: Get \\\"https://reg.test:5001/v2/\\\": tls: failed to verify certificate: x509: certificate signed by unknown authority\"",
            source: "Docker 28.5.2, run; 26.1.5 says the same",
        },
        Sample {
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.41/auth returned error: Get \\\"https://registry.example.com:5000/v2/\\\": x509: certificate signed by unknown authority\"",
            source: "after moby v20.10.24 registry/service.go; docker login, status 500",
        },
        Sample {
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=error msg=\"Not continuing with pull after error: error pulling image configuration: download failed after attempts=6: tls: failed to verify certificate: x509: certificate signed by unknown authority\"",
            source: "after GitLab docs, docker_build_troubleshooting; moby v26.1.5 distribution/pull.go",
        },
    ],
}

NOT_YET_VALID = Error "REGISTRY-NOT-YET-VALID" {
    summary: "a TLS certificate of the registry, or of its CA, is not valid yet by this node's clock",
    advice: &[say("Set the node's clock right, or wait until the certificate is valid.")],
    retryable: true,
    patterns: &[&["x509: certificate has expired or is not yet valid", " is before "]],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-23T16:04:42.581711598Z\" level=warning msg=\"Error getting v2 registry: Get \\\"https://reg.test:5004/v2/\\\": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-23T16:04:42Z is before 2040-01-01T00:00:00Z\"",
            source: "Docker 28.5.2, run; 26.1.5 says the same",
        },
    ],
}

EXPIRED = Error "REGISTRY-EXPIRED" {
    summary: "a TLS certificate of the registry, or of its CA, has expired",
    advice: &[say("Have the registry's certificate renewed: nothing in the job can make up for it.")],
    patterns: &[&["x509: certificate has expired or is not yet valid"]],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-23T16:04:42.581711598Z\" level=warning msg=\"Error getting v2 registry: Get \\\"https://reg.test:5003/v2/\\\": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-23T16:04:42Z is after 2021-01-01T00:00:00Z\"",
            source: "Docker 28.5.2, run; 26.1.5 says the same",
        },
    ],
}

NAME = Error "REGISTRY-NAME" {
    summary: "the registry's TLS certificate is not made for the name that the job uses",
    advice: &[say("Use one of the names that the cause lists, in .gitlab-ci.yml, or have the registry's certificate issued with this one as a subject alternative name.")],
    patterns: &[
        &["x509: certificate is valid for ", ", not "],
        &["x509: cannot validate certificate for ", "ip sans"],
        &["x509: certificate relies on legacy common name"],
        &["x509: certificate is not valid for any names"],
    ],
    #[cfg(test)]
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
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.41/auth returned error: Get \\\"https://registry.example.com:5000/v2/\\\": x509: certificate relies on legacy Common Name field, use SANs instead\"",
            source: "after Go crypto/x509 from 1.15; docker login, status 500",
        },
        Sample {
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.41/auth returned error: Get \\\"https://registry.example.com:5000/v2/\\\": x509: certificate is not valid for any names, but wanted to match registry.example.com\"",
            source: "after Go crypto/x509, verify.go; docker login, status 500",
        },
    ],
}

PLAIN_HTTP = Error "REGISTRY-PLAIN-HTTP" {
    summary: "the registry speaks plain HTTP, and dockerd insists on TLS",
    advice: &[
        job("If that is meant, say so", "variables:\n  DIND_INSECURE_REGISTRIES: \"{insecure}{registry}\""),
    ],
    data_in: registry_in,
    patterns: &[&["http: server gave http response to https client"]],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/images/create returned error: Get \\\"https://reg.test:2375/v2/\\\": http: server gave HTTP response to HTTPS client\"",
            source: "after moby v26.1.5 distribution/pull.go; status 500",
        },
        Sample {
            text: "time=\"2026-11-23T16:04:42.581711598Z\" level=warning msg=\"Error getting v2 registry: Get \\\"https://reg.test:2375/v2/\\\": http: server gave HTTP response to HTTPS client\"",
            source: "Docker 28.5.2, run; 26.1.5 says the same",
        },
    ],
}

PROXY = Error "REGISTRY-PROXY" {
    summary: "the proxy that should lead dockerd to the registry is not reached, or refuses",
    advice: &[
        say("It is dockerd that connects, from the service's container, by its own HTTPS_PROXY (with user and password, if the proxy wants them): correct that in .gitlab-ci.yml, or for all jobs in `environment` of the runner's config.toml."),
        job("Or, if the registry can be reached without a proxy, except it", "variables:\n  NO_PROXY: \"{excepted}{registry}\""),
    ],
    retryable: true,
    data_in: registry_in,
    patterns: &[
        &["returned error", "/v2/", "proxyconnect tcp: "],
        &["returned error", "/v2/", "proxy authentication required"],
        &["returned error", "/v2/\": forbidden"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/images/create returned error: Get \\\"https://registry-1.docker.io/v2/\\\": Forbidden\"",
            source: "after moby/moby#40507",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/images/create returned error: Get \\\"https://registry-1.docker.io/v2/\\\": Proxy Authentication Required\"",
            source: "after docker/hub-feedback#826",
        },
        Sample {
        text: "time=\"2026-11-26T07:34:35.901331571Z\" level=error msg=\"Handler for POST /v1.45/images/create returned error: Get \\\"https://registry.nowhere.test/v2/\\\": proxyconnect tcp: dial tcp: lookup proxy.nowhere.test on 10.255.255.53:53: no such host\"",
        source: "Docker 26.1.5, docker pull by a proxy that nobody knows; 28.5.2 says the same",
    }
    ],
}

UNREACHABLE = Error "REGISTRY-UNREACHABLE" {
    summary: "dockerd does not reach the registry",
    advice: &[
        say("The name may be misspelt. If it is right: it is dockerd that connects, from the service's container, so the service's name servers, network and proxy count, and not the job's image. dockerd takes a proxy from its own HTTPS_PROXY and NO_PROXY: in .gitlab-ci.yml, or for all jobs in `environment` of the runner's config.toml."),
    ],
    retryable: true,
    patterns: &[
        &["returned error", "/v2/", "dial tcp: lookup "],
        &["returned error", "/v2/", "dial tcp ", "connection refused"],
        &["returned error", "/v2/", "dial tcp ", "no route to host"],
        &["returned error", "/v2/", "dial tcp ", "i/o timeout"],
        &["returned error", "/v2/", "request canceled while waiting for connection"],
        &["returned error", "/v2/", "request canceled (client.timeout"],
        &["returned error", "/v2/", "context deadline exceeded"],
        &["returned error", "/v2/", "tls handshake timeout"],
        &["returned error", "/v2/", "connection reset by peer"],
        &["returned error", "/v2/", "network is unreachable"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-26T07:34:30.435669843Z\" level=error msg=\"Handler for POST /v1.45/auth returned error: Get \\\"https://registry.nowhere.test/v2/\\\": dial tcp: lookup registry.nowhere.test on 10.255.255.53:53: no such host\"",
            source: "Docker 26.1.5, docker login; 28.5.2 says the same",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/images/create returned error: Get \\\"https://registry-1.docker.io/v2/\\\": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)\"",
            source: "after docker-library/docker#132 and Go net/http",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.41/images/create returned error: Get \\\"https://reg.test:5000/v2/\\\": net/http: request canceled (Client.Timeout exceeded while awaiting headers)\"",
            source: "kestra-io/kestra#377",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/images/create returned error: Get \\\"https://reg.test:5000/v2/\\\": dial tcp 10.0.0.7:5000: connect: connection refused\"",
            source: "after Go net",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/images/create returned error: Get \\\"https://reg.test:5000/v2/\\\": dial tcp 10.0.0.7:5000: connect: no route to host\"",
            source: "after Go net",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/images/create returned error: Get \\\"https://reg.test:5000/v2/\\\": dial tcp 10.0.0.7:5000: i/o timeout\"",
            source: "after Go net",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/images/create returned error: Get \\\"https://registry-1.docker.io/v2/\\\": context deadline exceeded\"",
            source: "after Go context",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/images/create returned error: Get \\\"https://registry-1.docker.io/v2/\\\": net/http: TLS handshake timeout\"",
            source: "after docker/hub-feedback#1195",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/images/create returned error: Get \\\"https://registry-1.docker.io/v2/\\\": read tcp 10.0.0.2:39574->10.0.0.7:443: read: connection reset by peer\"",
            source: "after Go net",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/images/create returned error: Get \\\"https://registry-1.docker.io/v2/\\\": dial tcp [2600:1f18::1]:443: connect: network is unreachable\"",
            source: "after Go net",
        },
    ],
}

/// It is reached, and answers.
FAILING = Error "REGISTRY-FAILING" {
    summary: "the registry answers with an error of its own, or hangs up",
    advice: &[
        say("Usually it is overloaded or being updated, or the proxy before it is: its status page or its log knows. For GitLab's own registry ask whoever runs GitLab."),
        job("GitLab tries the job again with", "retry: 2"),
    ],
    retryable: true,
    patterns: &[
        &["returned error", "/v2/", "received unexpected http status: 5"],
        &["returned error", "/v2/", "\": eof"],
        &["returned error", "unexpected status from ", "/v2/", ": 50"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.41/images/create returned error: Head \\\"https://ghcr.io/v2/user/image/manifests/v1\\\": received unexpected HTTP status: 503 Service Unavailable\"",
            source: "wangyoucao577/go-release-action#115, docker/setup-qemu-action#94",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/images/create returned error: Head \\\"https://registry-1.docker.io/v2/tonistiigi/binfmt/manifests/latest\\\": EOF\"",
            source: "docker/setup-qemu-action#110",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"/moby.buildkit.v1.Control/Solve returned error: rpc error: code = Unknown desc = failed to copy: httpReadSeeker: failed open: unexpected status from GET request to https://reg.test/v2/base/blobs/sha256:1: 502 Bad Gateway\"",
            source: "after containerd core/remotes/docker; Docker 28.5.2 has the words",
        },
    ],
}

RATE_LIMIT = Error "REGISTRY-RATE-LIMIT" {
    summary: "Docker Hub lets this network pull no more images for now",
    advice: &[
        job("Log in before the first pull", "before_script:\n  - echo \"$HUB_TOKEN\" | docker login -u \"$HUB_USER\" --password-stdin"),
        say("Or pull through a mirror that you have: DIND_REGISTRY_MIRRORS is a list of their URLs, in .gitlab-ci.yml or for all jobs in `environment` of the runner's config.toml."),
    ],
    retryable: true,
    patterns: &[&["toomanyrequests: "]],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=error msg=\"Not continuing with pull after error: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit\"",
            source: "after Docker 20.10 to 27",
        },
        Sample {
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=error msg=\"Not continuing with pull after error\" error=\"toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit\"",
            source: "after moby v28.5.2 distribution/pull.go, Docker Hub since 2025",
        },
    ],
}
}

/// The CA that was mounted has expired, not the registry's certificate.
pub const EXPIRED_CA: Advice = &[say(
    "Put the CA's current certificate there. Whoever runs the registry has it.",
)];

/// The registry that dockerd's words are about: the host of the first URL.
fn registry_in(words: &str) -> Data {
    let Some((_, rest)) = words.split_once("https://") else {
        return Data::default();
    };
    let end = rest.find(['/', '"', '\\', ' ']).unwrap_or(rest.len());
    match &rest[..end] {
        "" => Data::default(),
        host => registry(host).into(),
    }
}

/// What tells a registry, `HOST` or `HOST:PORT`, in advice.
pub fn registry(host: &str) -> [(Hole, String); 2] {
    [
        (Hole::Registry, host.to_owned()),
        (Hole::RegistryFile, host.replace(':', "_")),
    ]
}
