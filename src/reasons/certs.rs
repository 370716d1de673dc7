//! Reasons about the TLS certificate directory.

use super::{Ignoring, Sample};

/// For what would overwrite a file that is not ours.
const NOT_OURS: Ignoring = Ignoring::Impossible("a file that is not ours is never overwritten");
/// For certificates that dockerd or every client would refuse.
const REFUSED: Ignoring =
    Ignoring::Impossible("dockerd or its clients refuse such certificates themselves");

catalogue! { Certs:

READONLY = Fatal "CERTS-READONLY" {
    summary: "the directory for the TLS certificates is read-only and holds no set that can be used",
    advice: "\
Secret and ConfigMap volumes are always read-only. Mount an empty volume for the certificates, and a
registry's CA at /etc/dind/registry-ca, in the runner's config.toml:
    [[runners.kubernetes.volumes.empty_dir]]
    name = \"docker-certs\"
    mount_path = \"/certs/client\"
    medium = \"Memory\"
To use your own certificates read-only, mount the server's ca.pem, cert.pem and key.pem as well.",
    ignoring: Ignoring::Impossible("there are no certificates to serve with"),
}

/// Also on a directory that belongs to another user.
DENIED = Fatal "CERTS-DENIED" {
    summary: "this container's user may not read or write the TLS certificates",
    advice: "\
Let that user write there (chown, or the pod's fsGroup), or mount an empty volume, in the runner's
config.toml:
    [[runners.kubernetes.volumes.empty_dir]]
    name = \"docker-certs\"
    mount_path = \"/certs/client\"
    medium = \"Memory\"",
    ignoring: Ignoring::Impossible("there are no certificates to serve with"),
    patterns: &[&["could not load x509 key pair", "permission denied"]],
    samples: &[Sample {
        text: "invalid TLS configuration: Could not load X509 key pair (cert: \"/certs/server/cert.pem\", key: \"/certs/server/key.pem\"): open /certs/server/key.pem: permission denied",
        source: "after docker/go-connections tlsconfig",
    }],
}

FULL = Fatal "CERTS-FULL" {
    summary: "there is no room to write the TLS certificates",
    advice: "\
Free the node's disk, or give the volume more room (some 20 KiB are needed), in the runner's
config.toml:
    [[runners.kubernetes.volumes.empty_dir]]
    name = \"docker-certs\"
    mount_path = \"/certs/client\"
    medium = \"Memory\"",
    retryable: true,
    ignoring: Ignoring::Impossible("there are no certificates to serve with"),
}

IO = Fatal "CERTS-IO" {
    summary: "the TLS certificates cannot be read or written",
    advice: "\
See the cause for the path. If its volume is to blame, another place is, in .gitlab-ci.yml:
    variables:
      DOCKER_TLS_CERTDIR: $CI_BUILDS_DIR/.dind/$CI_JOB_ID
      DOCKER_CERT_PATH: $CI_BUILDS_DIR/.dind/$CI_JOB_ID/client",
    retryable: true,
    ignoring: Ignoring::Impossible("there are no certificates to serve with"),
}

NAMING = Fatal "CERTS-NAMING" {
    summary: "the TLS files have names that Docker does not read",
    advice: "\
Kubernetes and cert-manager have names of their own. Rename them in the runner's config.toml:
    [[runners.kubernetes.volumes.secret]]
    name = \"docker-client-tls\"
    mount_path = \"/certs/client\"
    read_only = true
    [runners.kubernetes.volumes.secret.items]
    \"ca.crt\" = \"ca.pem\"
    \"tls.crt\" = \"cert.pem\"
    \"tls.key\" = \"key.pem\"",
    ignoring: REFUSED,
}

SUBPATH = Fatal "CERTS-SUBPATH" {
    summary: "a single file is mounted where a TLS certificate or key has to be written",
    advice: "\
A file that is mounted by sub_path can be neither replaced nor removed. Take that volume away; a
registry's CA belongs at /etc/dind/registry-ca. Mount an empty one, in the runner's config.toml:
    [[runners.kubernetes.volumes.empty_dir]]
    name = \"docker-certs\"
    mount_path = \"/certs/client\"
    medium = \"Memory\"",
    ignoring: NOT_OURS,
}

FOREIGN = Fatal "CERTS-FOREIGN" {
    summary: "a file that is not ours lies where a TLS certificate or key has to be written",
    advice: "\
If it is a registry's CA, keep it at /etc/dind/registry-ca. If it is a set of your own, add the
server's ca.pem, cert.pem and key.pem in server/. To have certificates made, remove the files or
mount an empty volume, in the runner's config.toml:
    [[runners.kubernetes.volumes.empty_dir]]
    name = \"docker-certs\"
    mount_path = \"/certs/client\"
    medium = \"Memory\"",
    ignoring: NOT_OURS,
}

MISMATCH = Fatal "CERTS-MISMATCH" {
    summary: "TLS certificates and keys do not belong together",
    advice: "\
Put a ca.pem, cert.pem and key.pem that were made together into the directory, or take all of them
away so that new ones are made.",
    ignoring: REFUSED,
    patterns: &[&["private key does not match public key"]],
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

INCOMPLETE = Fatal "CERTS-INCOMPLETE" {
    summary: "a set of TLS certificates is incomplete",
    advice: "\
A set is ca.pem, cert.pem and key.pem. Add what is missing, or take away what is there so that new
ones are made.",
    ignoring: REFUSED,
    patterns: &[
        &["could not load x509 key pair", "no such file or directory"],
        &["could not read ca certificate", "no such file or directory"],
    ],
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
    advice: "\
Put certificates in PEM there, and an unencrypted private key in PEM (PKCS#8, RSA or ECDSA). What is
in DER is put into PEM in a shell:
    openssl x509 -inform der -in cert.der -out cert.pem",
    ignoring: REFUSED,
    patterns: &[
        &["could not load x509 key pair"],
        &["error reading x509 key pair"],
        &["could not read ca certificate"],
        &["failed to append certificates from pem file"],
    ],
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
    advice: "Renew it where it comes from, or take the whole set away so that a new one is made.",
    ignoring: REFUSED,
}

NOT_YET_VALID = Fatal "CERTS-NOT-YET-VALID" {
    summary: "a TLS certificate is not valid yet",
    advice: "Set the node's clock right, or wait until the certificate is valid.",
    retryable: true,
    ignoring: REFUSED,
}

USAGE = Fatal "CERTS-USAGE" {
    summary: "a TLS certificate is not made for this use",
    advice: "\
Have it issued anew with the usages that Docker needs: serverAuth for the server, clientAuth for
clients, keyCertSign for the CA.",
    ignoring: REFUSED,
}

IN_USE = Fatal "CERTS-IN-USE" {
    summary: "another running dind uses the same TLS certificate directory",
    advice: "\
Give each job a directory of its own, in .gitlab-ci.yml:
    variables:
      DOCKER_TLS_CERTDIR: $CI_BUILDS_DIR/.dind/$CI_JOB_ID
      DOCKER_CERT_PATH: $CI_BUILDS_DIR/.dind/$CI_JOB_ID/client",
    retryable: true,
    ignoring: Ignoring::Impossible("each daemon's clients would get the certificates of the other"),
}

ISSUE = Fatal "CERTS-ISSUE" {
    summary: "a TLS certificate cannot be made",
    advice: "See the cause. If a CA of your own is in ca/, it must be a CA certificate with its key in PEM.",
    ignoring: Ignoring::Impossible("there are no certificates to serve with"),
}

OVERWRITTEN = Error "CERTS-OVERWRITTEN" {
    summary: "somebody else has replaced the TLS certificates while this daemon runs",
    advice: "\
Two dinds write to one volume. Give each job a directory of its own, in .gitlab-ci.yml:
    variables:
      DOCKER_TLS_CERTDIR: $CI_BUILDS_DIR/.dind/$CI_JOB_ID
      DOCKER_CERT_PATH: $CI_BUILDS_DIR/.dind/$CI_JOB_ID/client",
    retryable: true,
}

UNSHARED = Error "CERTS-UNSHARED" {
    summary: "the job cannot see the TLS certificates",
    advice: "\
Share them by a volume, in the runner's config.toml:
    [[runners.kubernetes.volumes.empty_dir]]
    name = \"docker-certs\"
    mount_path = \"/certs/client\"
    medium = \"Memory\"
With the Docker executor, in the runner's config.toml:
    [runners.docker]
    volumes = [\"/certs/client\", \"/cache\"]",
}

NAME = Error "CERTS-NAME" {
    summary: "the server's TLS certificate is not made for the name that clients use",
    advice: "\
Call the service by a name that the certificate has, or have it issued for this one too. With
certificates that are made here, say all names in .gitlab-ci.yml:
    variables:
      DOCKER_TLS_SAN: DNS:docker,DNS:dind",
}

/// In a Secret with `defaultMode = 0400`; official's and our own are 0644 on purpose.
UNREADABLE_KEY = Warning "CERTS-UNREADABLE-KEY" {
    summary: "only root may read the client's private key, and jobs run as other users too",
    advice: "\
Let everybody in the job read client/key.pem: mode 0644, which `defaultMode` of a Secret can set
where the pod is made. A job that runs as root need not care.",
}

UNVERIFIED = Warning "CERTS-UNVERIFIED" {
    summary: "a TLS certificate uses an algorithm that cannot be checked here",
    advice: "Nothing, as long as clients accept it; ECDSA P-256 and RSA from 2048 bits are safe choices.",
}

NO_LOCK = Note "CERTS-NO-LOCK" {
    summary: "the TLS certificate directory is on a file system without locks",
    advice: "Make sure that no two dinds use it at the same time.",
}
}
