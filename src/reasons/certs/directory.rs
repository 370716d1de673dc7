//! What lies in the way of making certificates in their directory.

use super::set::{REFUSED, file_in};
#[cfg(test)]
use crate::reasons::Sample;
use crate::reasons::{
    Ignoring,
    advice::{
        Advice,
        Executor::{Docker, Kubernetes},
        job, runner, say,
    },
    snippets,
};

/// For what would overwrite a file that is not ours.
const NOT_OURS: Ignoring = Ignoring::Impossible("a file that is not ours is never overwritten");

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
