//! What is wrong with a set of certificates that is there.

#[cfg(test)]
use crate::reasons::Sample;
use crate::reasons::{
    Ignoring,
    advice::{Advice, Place::Shell, job, paste, say},
    hole::{Data, Hole},
};

/// For certificates that dockerd or every client would refuse.
pub(super) const REFUSED: Ignoring =
    Ignoring::Impossible("dockerd or its clients refuse such certificates themselves");

catalogue! { Certs:

MISMATCH = Fatal "CERTS-MISMATCH" {
    summary: "TLS certificates and keys do not belong together",
    advice: &[
        say("Put a ca.pem, cert.pem and key.pem that were made together into {directory}, or take all of them away so that new ones are made."),
    ],
    in_short: "put files that were made together there",
    ignoring: REFUSED,
    data_in: file_in,
    patterns: &[&["private key does not match public key"]],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "failed to create API server: Error reading X509 key pair (cert: \"/certs/server/cert.pem\", key: \"/certs/server/key.pem\"): tls: private key does not match public key",
            source: "Docker 20.10.24, run",
        },
        Sample {
            text: "invalid TLS configuration: could not load X509 key pair (cert: \"/certs/server/cert.pem\", key: \"/certs/server/key.pem\"): tls: private key does not match public key",
            source: "after docker/go-connections tlsconfig, Docker 29",
        },
    ],
}

/// dockerd takes `DOCKER_TLS_VERIFY` for its own `--tlsverify` (moby `daemon/command/options.go`); the
/// init takes it out, but not for a command that begins with `dockerd`.
NOT_NAMED = Fatal "CERTS-NOT-NAMED" {
    summary: "dockerd is to speak TLS, and is not told with which certificates",
    advice: &[
        say("DOCKER_TLS_VERIFY, which jobs set for their clients, turns TLS on in a dockerd of the service's own command as well. Take the word `dockerd` out of the service's command in .gitlab-ci.yml, and it gets certificates."),
        job("Or, for a dockerd without TLS, empty the variable at the service", "variables:\n  DOCKER_TLS_VERIFY: \"\""),
    ],
    in_short: "take the word dockerd out of the command of the service",
    ignoring: REFUSED,
    patterns: &[&["could not load x509 key pair (cert: \"\", key: \"\")"]],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "invalid TLS configuration: Could not load X509 key pair (cert: \"\", key: \"\"): open : no such file or directory",
            source: "after docker/go-connections tlsconfig, as in Docker 26.1.5",
        },
        Sample {
            text: "invalid TLS configuration: could not load X509 key pair (cert: \"\", key: \"\"): open : no such file or directory",
            source: "after Docker 29.7.2, run with DOCKER_TLS_VERIFY and `dockerd --tls=false`",
        },
    ],
}

INCOMPLETE = Fatal "CERTS-INCOMPLETE" {
    summary: "a set of TLS certificates is incomplete",
    advice: &[
        say("Add {missing} to {directory}, or take {there} away so that certificates are made."),
    ],
    in_short: "add the missing file or take the others away",
    ignoring: REFUSED,
    data_in: file_in,
    patterns: &[
        &["could not load x509 key pair", "no such file or directory"],
        &["could not read ca certificate", "no such file or directory"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "invalid TLS configuration: Could not load X509 key pair (cert: \"/y\", key: \"/z\"): open /y: no such file or directory",
            source: "Docker 26.1.5 and 28.5.2, run with such paths",
        },
        Sample {
            text: "invalid TLS configuration: could not read CA certificate \"/certs/server/ca.pem\": open /certs/server/ca.pem: no such file or directory",
            source: "after docker/go-connections tlsconfig, Docker 29",
        },
    ],
}

UNREADABLE = Fatal "CERTS-UNREADABLE" {
    summary: "a file holds no TLS certificate or key that can be read",
    advice: &[
        say("Put certificates in PEM there, and an unencrypted private key in PEM (PKCS#8, RSA or ECDSA): {directory}/{file}."),
        paste("To turn DER into PEM", Shell, "openssl x509 -inform der -in cert.der -out cert.pem"),
    ],
    in_short: "put certificates and keys in PEM there",
    ignoring: REFUSED,
    data_in: file_in,
    patterns: &[
        &["could not load x509 key pair"],
        &["error reading x509 key pair"],
        &["could not read ca certificate"],
        &["failed to append certificates from pem file"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "failed to create API server: Could not load X509 key pair (cert: \"/certs/server/cert.pem\", key: \"/certs/server/key.pem\"): tls: failed to find any PEM data in certificate input",
            source: "Docker 20.10.24, run",
        },
        Sample {
            text: "failed to create API server: Error reading X509 key pair (cert: \"/certs/server/cert.pem\", key: \"/certs/server/key.pem\"): tls: failed to parse private key",
            source: "after docker/go-connections tlsconfig",
        },
        Sample {
            text: "invalid TLS configuration: could not read CA certificate \"/certs/server/ca.pem\": is a directory",
            source: "after docker/go-connections tlsconfig, Docker 29",
        },
        Sample {
            text: "invalid TLS configuration: failed to append certificates from PEM file: \"/certs/server/ca.pem\"",
            source: "after docker/go-connections tlsconfig, Docker 29",
        },
    ],
}

EXPIRED = Fatal "CERTS-EXPIRED" {
    summary: "a TLS certificate has expired",
    advice: &[say("Renew {file} in {directory}, or take the whole set away so that a new one is made.")],
    in_short: "renew the certificate",
    ignoring: REFUSED,
}

NOT_YET_VALID = Fatal "CERTS-NOT-YET-VALID" {
    summary: "a TLS certificate is not valid yet",
    advice: &[say("Set the node's clock right, or wait until the certificate is valid.")],
    in_short: "set the clock of the node right",
    retryable: true,
    ignoring: REFUSED,
}

USAGE = Fatal "CERTS-USAGE" {
    summary: "a TLS certificate is not made for this use",
    advice: &[say("Have {file} in {directory} issued again with the usages that Docker needs: serverAuth for the server, clientAuth for clients, keyCertSign for the CA.")],
    in_short: "issue the certificate again for this use",
    ignoring: REFUSED,
}
}

/// The user's own server has no clients.
pub const INCOMPLETE_CLIENT: Advice = &[say(
    "Put a client's ca.pem, cert.pem and key.pem into {directory}, or set DOCKER_CERT_PATH in the \
     job to where they are.",
)];

/// The file that dockerd's words are about, in the set that it serves with.
pub(super) fn file_in(words: &str) -> Data {
    let after_open = words.rsplit_once("open ").map(|(_, path)| path);
    let quoted = words.split('"').find(|part| part.starts_with('/'));
    let path = after_open.or(quoted).unwrap_or_default();
    let path = path.split([':', '"']).next().unwrap_or_default();
    match path.rsplit_once('/') {
        Some((directory, file)) if path.starts_with('/') => [
            (Hole::Directory, directory.to_owned()),
            (Hole::File, file.to_owned()),
            (Hole::Missing, file.to_owned()),
            (Hole::There, "the others".to_owned()),
        ]
        .into(),
        _ => Data::default(),
    }
}
