//! What others have to do with the certificates: further daemons, a CA of the user's own, the
//! runner, and the clients that are to trust and read them.

use crate::reasons::{
    Ignoring,
    advice::{
        Advice,
        Executor::{Docker, Kubernetes},
        job, runner, say,
    },
    snippets,
};

catalogue! { Certs:

IN_USE = Fatal "CERTS-IN-USE" {
    summary: "another running dind uses the same TLS certificate directory",
    advice: &[
        job("Give each job a directory of its own", snippets::OWN_DIRECTORY),
    ],
    in_short: "give each job a directory of its own",
    retryable: true,
    ignoring: Ignoring::Impossible("each daemon's clients would get the certificates of the other"),
}

ISSUE = Fatal "CERTS-ISSUE" {
    summary: "a TLS certificate cannot be made",
    advice: &[say("If you keep a CA of your own in {certificates_root}/ca, it must be a CA certificate with its key, both in PEM.")],
    in_short: "mend the CA in certs-ca",
    ignoring: Ignoring::Impossible("there are no certificates to serve with"),
}

OVERWRITTEN = Error "CERTS-OVERWRITTEN" {
    summary: "somebody else has replaced the TLS certificates while this daemon runs",
    advice: &[
        say("Two dinds write to one volume. If the job has two dind services (one may be the runner's own), keep one."),
        job("If other jobs share the volume, give each job a directory of its own", snippets::OWN_DIRECTORY),
    ],
    retryable: true,
}

CLEANED = Error "CERTS-CLEANED" {
    summary: "the runner removes the TLS certificates when it fetches the project's sources",
    advice: &[job("Keep them beside the project and not in it", snippets::OWN_DIRECTORY)],
}

UNSHARED = Error "CERTS-UNSHARED" {
    summary: "the job cannot see the TLS certificates",
    advice: &[
        runner("Share the directory by a volume", snippets::CERTIFICATES_VOLUME).on(Kubernetes),
        runner("Share the directory: add it to `volumes`", "[runners.docker]\n  volumes = [\"{directory}\", \"/cache\"]").on(Docker),
    ],
}

NAME = Error "CERTS-NAME" {
    summary: "the server's TLS certificate is not made for the name that clients use",
    advice: &[
        say("Have the certificate issued for {uncovered} as well."),
        job("Or call the service by a name that it has. Give the service the alias {covered}, and", "variables:\n  DOCKER_HOST: tcp://{covered}:{port}"),
    ],
}

/// In a Secret with `defaultMode = 0400`; official's and our own are 0644 on purpose.
UNREADABLE_KEY = Warning "CERTS-UNREADABLE-KEY" {
    summary: "only root may read the client's private key, and jobs run as other users too",
    advice: &[
        say("Let everybody in the job read client/key.pem: mode 0644, which `defaultMode` of a Secret can set where the pod is made. A job that runs as root can read it anyway."),
    ],
}

UNVERIFIED = Warning "CERTS-UNVERIFIED" {
    summary: "a TLS certificate uses an algorithm that cannot be checked here",
    advice: &[say("Nothing has to be changed as long as clients accept it. ECDSA P-256 and RSA from 2048 bits are safe choices.")],
}

NO_LOCK = Note "CERTS-NO-LOCK" {
    summary: "the TLS certificate directory is on a file system without locks",
    advice: &[say("Make sure that no two dinds use it at the same time.")],
}
}

/// The name is one that a script of the job sets.
pub const NAME_OF_A_SCRIPT: Advice = &[
    job(
        "Name it there too: in the place of DNS:dind the name that the client uses, or IP: and its \
         address",
        "variables:\n  DOCKER_TLS_SAN: {names}",
    ),
    say("Or set DOCKER_HOST there and not in the script."),
];

/// Nor does the job say where the daemon is: with the volume alone it would only meet the next.
pub const UNSHARED_AND_UNSET: Advice = &[
    runner(
        "Share the directory by a volume",
        snippets::CERTIFICATES_VOLUME,
    ),
    job("And say where the daemon is", snippets::TLS_CLIENT),
];

/// No other name that could be used is in the certificate.
pub const NAME_ALONE: Advice = &[say(
    "Have the certificate issued with the subject alternative name {uncovered}.",
)];
