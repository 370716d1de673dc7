//! Reasons on the side of the job: its variables, and how its clients knock.
//!
//! None of them stops dockerd: another user of the daemon may be right.

#[cfg(test)]
use super::Sample;
use super::{
    advice::{Advice, Passage, job, say},
    snippets,
};

catalogue! { Client:

PORT = Error "CLIENT-PORT" {
    summary: "the job's DOCKER_HOST names a port on which this daemon does not serve",
    advice: &[
        job("With TLS", snippets::TLS),
        job("Or without TLS", snippets::PLAIN),
    ],
}

LATE = Error "CLIENT-LATE-PORT" {
    summary: "dockerd opens the port that the job's DOCKER_HOST names only long after its start",
    advice: LATE_COMMAND,
}

TLS_VERIFY = Error "CLIENT-TLS-VERIFY" {
    summary: "the job's DOCKER_TLS_VERIFY does not fit the daemon",
    advice: &[
        say("Take DOCKER_TLS_VERIFY and DOCKER_CERT_PATH out: any value turns TLS on, 0 too."),
        job("Or turn TLS on", snippets::TLS),
    ],
}

CERT_PATH = Error "CLIENT-CERT-PATH" {
    summary: "the job's clients look for their certificates where there are none",
    advice: &[
        job("Write the path out in full: a variable that refers to another one of the job is not expanded by every version of the runner", "variables:\n  DOCKER_CERT_PATH: {certificates}"),
    ],
}

HOST = Error "CLIENT-HOST" {
    summary: "the job's DOCKER_HOST does not lead to this daemon",
    advice: &[
        job("Call the service by a name that it has", snippets::TLS_CLIENT),
        say("A unix socket needs a volume that the job has as well: `volumes` in the runner's config.toml."),
    ],
}

PROXY = Error "CLIENT-PROXY" {
    summary: "the job's clients send what is for this daemon to a proxy",
    advice: &[
        job("Exclude the service from the proxy; `environment` in the runner's config.toml does it for all jobs", "variables:\n  NO_PROXY: \"{no_proxy}\"\n  no_proxy: \"{no_proxy}\""),
    ],
}

HTTP_ON_TLS = Error "CLIENT-HTTP-ON-TLS" {
    summary: "a client speaks plain HTTP to this daemon's TLS port",
    advice: &[job("Tell the job's clients to use TLS", snippets::TLS_CLIENT)],
    patterns: &[
        &["http: tls handshake error", "client sent an http request to an https server"],
        &["http: tls handshake error", "first record does not look like a tls handshake"],
    ],
    #[cfg(test)]
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
    advice: &[job("Tell the job's clients where theirs is", "variables:\n  DOCKER_TLS_VERIFY: 1\n  DOCKER_CERT_PATH: {certificates}")],
    patterns: &[&["http: tls handshake error", "client didn't provide a certificate"]],
    #[cfg(test)]
    samples: &[Sample {
        text: "2026/11/23 15:35:16 http: TLS handshake error from 127.0.0.1:43026: tls: client didn't provide a certificate",
        source: "Docker 26.1.5, run",
    }],
}

/// Either side may refuse the other: they hold certificates of two different daemons.
WRONG_CA = Error "CLIENT-WRONG-CA" {
    summary: "a client holds the certificates of another daemon",
    advice: &[
        say("If the job has two dind services (one may be the runner's own), keep one. If it sets DOCKER_CERT_PATH, that must be {certificates}."),
        job("If jobs share a directory, give each its own", snippets::OWN_DIRECTORY),
    ],
    patterns: &[
        &["http: tls handshake error", "remote error: tls: bad certificate"],
        &["http: tls handshake error", "remote error: tls: unknown certificate"],
        &["http: tls handshake error", "failed to verify certificate: x509: "],
        &["http: tls handshake error", "failed to verify client", "certificate: x509: "],
    ],
    #[cfg(test)]
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

/// The job dials the other port of a daemon with TLS.
pub const PORT_OF_TLS: Advice = &[
    job("", snippets::TLS_CLIENT_AT_PORT),
    job(
        "Or turn TLS off, if that is meant",
        "variables:\n  DOCKER_TLS_CERTDIR: \"\"",
    ),
];

/// The job dials some port of a daemon with TLS.
pub const PORT_OF_TLS_ALONE: Advice = &[job("", snippets::TLS_CLIENT_AT_PORT)];

/// The job dials another port than that of a daemon without TLS.
pub const PORT_WITHOUT_TLS: Advice = &[job("", snippets::PLAIN_CLIENT_AT_PORT)];

/// No name by which the job calls the service is its own, with TLS or without.
pub const HOST_WITH_TLS: Advice = &[
    job(
        "Call the service by a name that it has",
        snippets::TLS_CLIENT_AT_PORT,
    ),
    say("Or give it the alias {alias} at `services`."),
];
pub const HOST_WITHOUT_TLS: Advice = &[
    job(
        "Call the service by a name that it has",
        snippets::PLAIN_CLIENT_AT_PORT,
    ),
    say("Or give it the alias {alias} at `services`."),
];

/// What is written there leads nowhere, with TLS or without.
pub const HOST_IN_FULL_WITH_TLS: Advice =
    &[job("Write it out in full", snippets::TLS_CLIENT_AT_PORT)];
pub const HOST_IN_FULL_WITHOUT_TLS: Advice =
    &[job("Write it out in full", snippets::PLAIN_CLIENT_AT_PORT)];

/// A socket that only this container has.
pub const SOCKET_WITH_TLS: Advice = &[job(
    "Call the service by its name",
    snippets::TLS_CLIENT_AT_PORT,
)];
pub const SOCKET_WITHOUT_TLS: Advice = &[job(
    "Call the service by its name",
    snippets::PLAIN_CLIENT_AT_PORT,
)];

/// TLS on both sides, and only the client does not know it.
pub const TLS_VERIFY_UNSET: Advice = &[job("", snippets::TLS_CLIENT_AT_PORT)];

/// Nothing says where the daemon is, with TLS or without.
pub const UNSET_WITH_TLS: Advice = &[job("Say where it is", snippets::TLS_CLIENT_AT_PORT)];
pub const UNSET_WITHOUT_TLS: Advice = &[job("Say where it is", snippets::PLAIN_CLIENT_AT_PORT)];

/// The same, and the script takes away whatever says it.
pub const TAKEN_AWAY_WITH_TLS: Advice = &[
    WITHOUT_UNSET,
    job("And say where it is", snippets::TLS_CLIENT_AT_PORT),
];
pub const TAKEN_AWAY_WITHOUT_TLS: Advice = &[
    WITHOUT_UNSET,
    job("And say where it is", snippets::PLAIN_CLIENT_AT_PORT),
];

const WITHOUT_UNSET: Passage = say("Take `unset DOCKER_HOST` out of the job's script.");

/// The service opens its port at once where it is left to it.
pub const LATE_COMMAND: Advice = &[job(
    "Take `dockerd` and where it listens out of `command` at the service, and say that there is no \
     TLS",
    snippets::PLAIN,
)];
pub const LATE_FILE: Advice = &[job(
    "Take `hosts` out of daemon.json (`volumes` of the runner's config.toml mounts it, or it is in \
     the image), and say that there is no TLS",
    snippets::PLAIN,
)];

/// dockerd listens where its user says, and not where the job dials.
pub const HOSTS_OF_A_FILE: Advice = &[WITHOUT_HOSTS];
pub const HOSTS_OF_A_COMMAND: Advice = &[WITHOUT_COMMAND];
pub const HOSTS_OF_A_COMMAND_WITH_FLAGS: Advice = &[WITHOUT_DOCKERD];

/// The same, and the job dials nobody.
pub const UNSET_AND_HOSTS_OF_A_FILE: Advice = &[WITHOUT_HOSTS, AND_WHERE_IT_IS];
pub const UNSET_AND_HOSTS_OF_A_COMMAND: Advice = &[WITHOUT_COMMAND, AND_WHERE_IT_IS];
pub const UNSET_AND_HOSTS_OF_A_COMMAND_WITH_FLAGS: Advice = &[WITHOUT_DOCKERD, AND_WHERE_IT_IS];

const WITHOUT_HOSTS: Passage = say(
    "Take `hosts` out of daemon.json: `volumes` of the runner's config.toml mounts it, or it is in \
     the image. What jobs need is opened without it.",
);
const WITHOUT_COMMAND: Passage = say(
    "Take `command` out of the service in .gitlab-ci.yml: dockerd is started without it, with \
     certificates and on the right port.",
);
const WITHOUT_DOCKERD: Passage = job(
    "Take the word `dockerd` out of the service's command, and leave what else dockerd is to be told",
    "{corrected}",
);
const AND_WHERE_IT_IS: Passage = job("And say where it is", snippets::TLS_CLIENT);
