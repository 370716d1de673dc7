//! Reasons about the TLS certificate directory.

#[cfg(test)]
use super::Sample;
use super::{
    Ignoring,
    advice::{
        Advice,
        Executor::{Docker, Kubernetes},
        Place::Shell,
        job, paste, runner, say,
    },
    hole::{Data, Hole},
    snippets,
};

/// For what would overwrite a file that is not ours.
const NOT_OURS: Ignoring = Ignoring::Impossible("a file that is not ours is never overwritten");
/// For certificates that dockerd or every client would refuse.
const REFUSED: Ignoring =
    Ignoring::Impossible("dockerd or its clients refuse such certificates themselves");

catalogue! { Certs:

READONLY = Fatal "CERTS-READONLY" {
    summary: "the directory for the TLS certificates is read-only and holds no set that can be used",
    advice: &[
        runner("Mount an empty volume for the certificates", snippets::CERTIFICATES_VOLUME).on(Kubernetes),
        say("Take `:ro` off the volume at {directory} in `volumes` of the runner's config.toml, or mount a plain \"{directory}\".").on(Docker),
        say("A registry's CA belongs at /etc/dind/registry-ca. To use your own certificates read-only, mount the server's ca.pem, cert.pem and key.pem as well."),
    ],
    in_short: "mount an empty volume at certs-client",
    ignoring: Ignoring::Impossible("there are no certificates to serve with"),
}

/// Also on a directory that belongs to another user.
DENIED = Fatal "CERTS-DENIED" {
    summary: "this container's user may not read or write the TLS certificates",
    advice: &[
        say("Let the user of this container write there: chown, or the pod's fsGroup.").on(Kubernetes),
        say("Let the user of this container write there.").on(Docker),
        runner("Or mount an empty volume", snippets::CERTIFICATES_VOLUME).on(Kubernetes),
    ],
    in_short: "let the service write to certs-client",
    ignoring: Ignoring::Impossible("there are no certificates to serve with"),
    data_in: file_in,
    patterns: &[&["could not load x509 key pair", "permission denied"]],
    #[cfg(test)]
    samples: &[Sample {
        text: "invalid TLS configuration: Could not load X509 key pair (cert: \"/certs/server/cert.pem\", key: \"/certs/server/key.pem\"): open /certs/server/key.pem: permission denied",
        source: "after docker/go-connections tlsconfig",
    }],
}

FULL = Fatal "CERTS-FULL" {
    summary: "there is no room to write the TLS certificates",
    advice: &[
        runner("Give the volume more room (some 20 KiB are needed), or mount one without `size_limit`", snippets::CERTIFICATES_VOLUME).on(Kubernetes),
        say("If it has none, free the node's disk."),
    ],
    in_short: "make room on the volume at certs-client",
    retryable: true,
    ignoring: Ignoring::Impossible("there are no certificates to serve with"),
}

IO = Fatal "CERTS-IO" {
    summary: "the TLS certificates cannot be read or written",
    advice: &[
        say("The volume that the cause names is damaged, or holds something else than files."),
        job("Use another place", snippets::OWN_DIRECTORY),
    ],
    in_short: "use another directory for the certificates",
    retryable: true,
    ignoring: Ignoring::Impossible("there are no certificates to serve with"),
}

NAMING = Fatal "CERTS-NAMING" {
    summary: "the TLS files have names that Docker does not read",
    advice: &[
        say("Kubernetes and cert-manager have names of their own: list `items` at the Secret's volume."),
        runner(
            "Mount the server's set as well",
            "\
[[runners.kubernetes.volumes.{volume}]]
  name = \"docker-client-tls\"
  mount_path = \"{directory}\"
  items = { {items} }
[[runners.kubernetes.volumes.{volume}]]
  name = \"docker-server-tls\"
  mount_path = \"{server_directory}\"
  items = { {items} }",
        ),
    ],
    in_short: "rename the files to ca-pem cert-pem and key-pem",
    ignoring: REFUSED,
}

SUBPATH = Fatal "CERTS-SUBPATH" {
    summary: "a single file is mounted where a TLS certificate or key has to be written",
    advice: &[
        say("A file that is mounted by itself (sub_path) can be neither replaced nor removed. Take that volume out of the runner's config.toml; a registry's CA belongs at /etc/dind/registry-ca."),
        runner("Mount an empty volume for the certificates", snippets::CERTIFICATES_VOLUME).on(Kubernetes),
    ],
    in_short: "take the sub-path volume out and mount an empty one",
    ignoring: NOT_OURS,
}

FOREIGN = Fatal "CERTS-FOREIGN" {
    summary: "a file that is not ours lies where a TLS certificate or key has to be written",
    advice: &[
        say("To use certificates of your own, put the server's ca.pem, cert.pem and key.pem into {server_directory} as well."),
        runner("To have them made, mount an empty volume instead", snippets::CERTIFICATES_VOLUME).on(Kubernetes),
        say("To have them made, remove these files.").on(Docker),
    ],
    in_short: "mount an empty volume at certs-client",
    ignoring: NOT_OURS,
}

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

/// Nothing but a CA: most likely a registry's, from a volume with this noun.
pub const READONLY_LONE_CA: Advice = &[
    runner(
        "Change the `mount_path` of that {volume} to /etc/dind/registry-ca, where its {file} is \
         trusted for every registry, and mount an empty volume here",
        snippets::CERTIFICATES_VOLUME,
    )
    .on(Kubernetes),
    say(
        "In `volumes` of the runner's config.toml, mount it at /etc/dind/registry-ca instead, \
         where its {file} is trusted for every registry.",
    )
    .on(Docker),
];

/// A volume of the user's with something else in it.
pub const READONLY_VOLUME: Advice = &[
    say(
        "To use your own certificates, mount the server's ca.pem, cert.pem and key.pem at \
         {server_directory} as well.",
    ),
    runner(
        "To have them made, mount an empty volume here instead",
        snippets::CERTIFICATES_VOLUME,
    )
    .on(Kubernetes),
    say("To have them made, take `:ro` off the volume in the runner's config.toml.").on(Docker),
];

/// No volume is to blame: the container's own file system is read-only.
pub const READONLY_ROOT: Advice = &[
    runner(
        "dockerd writes to many places. Let the service do so",
        "[runners.kubernetes.service_container_security_context]\n  \
         read_only_root_filesystem = false",
    )
    .on(Kubernetes),
    say("dockerd writes to many places: run the service without `--read-only`.").on(Docker),
    say("Or mount empty volumes at /certs, /run and /tmp."),
];

/// As [`FOREIGN`], and there is nothing but a CA.
pub const FOREIGN_LONE_CA: Advice = &[
    say("If this is a registry's CA, keep it at /etc/dind/registry-ca and not at {directory}."),
    runner(
        "Then give the certificates an empty volume",
        snippets::CERTIFICATES_VOLUME,
    )
    .on(Kubernetes),
];

/// The user's own server has no clients.
pub const INCOMPLETE_CLIENT: Advice = &[say(
    "Put a client's ca.pem, cert.pem and key.pem into {directory}, or set DOCKER_CERT_PATH in the \
     job to where they are.",
)];

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

/// The file that dockerd's words are about, in the set that it serves with.
fn file_in(words: &str) -> Data {
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
