//! The CAs of registries, and clients' certificates for them, as they are mounted.

use crate::reasons::advice::{
    Executor::{Docker, Kubernetes},
    Place::Shell,
    job, paste, runner, say,
};

catalogue! { Registry:

UNREADABLE = Error "REGISTRY-UNREADABLE" {
    summary: "a file with a registry's CA cannot be read",
    advice: &[say("Put a regular file of at most 1 MiB there, which this container's user may read, or take it away.")],
}

NOT_PEM = Error "REGISTRY-NOT-PEM" {
    summary: "a file that is to hold a registry's CA holds no certificate in PEM",
    advice: &[
        say("Put the CA's certificate there as plain text that begins with -----BEGIN CERTIFICATE-----, or take the file away."),
        paste("To turn PKCS#7 into PEM", Shell, "openssl pkcs7 -print_certs -in ca.p7b -out ca.crt"),
    ],
}

NOT_CA = Warning "REGISTRY-NOT-CA" {
    summary: "a file that is to hold a registry's CA holds the certificate of a server",
    advice: &[
        say("Put the certificate of the CA there, which the cause names as issuer. Whoever runs the registry has it."),
        paste("If the registry sends its whole chain, it is the last one", Shell, "openssl s_client -showcerts -connect registry.example.com:443 </dev/null"),
    ],
}

PRIVATE_KEY = Warning "REGISTRY-PRIVATE-KEY" {
    summary: "a private key lies where CA certificates are mounted, and every job can read it",
    advice: &[
        runner("Mount the CA's certificate alone", "[[runners.kubernetes.volumes.secret]]\n  name = \"registry-ca\"\n  mount_path = \"/etc/dind/registry-ca\"\n  [runners.kubernetes.volumes.secret.items]\n    \"ca.crt\" = \"ca.crt\"").on(Kubernetes),
        say("Mount the CA's certificate alone, in `volumes` of the runner's config.toml.").on(Docker),
        say("The key for a registry that asks clients for a certificate lies beside that one: HOST/client.cert and HOST/client.key."),
    ],
}

CLIENT_PAIR = Error "REGISTRY-CLIENT-PAIR" {
    summary: "a client's certificate for a registry comes without its key",
    advice: &[say("Docker takes them in pairs: HOST/client.cert and HOST/client.key, in PEM. A CA's certificate must end in .crt or .pem instead.")],
}

HOST = Error "REGISTRY-HOST" {
    summary: "a directory with CA certificates is not named after a registry",
    advice: &[
        runner("Name it as image names do, with the port after an underscore", "[[runners.kubernetes.volumes.secret]]\n  name = \"registry-ca\"\n  mount_path = \"/etc/dind/registry-ca/registry.example.com_5000\"").on(Kubernetes),
        say("Name it as image names do, with the port after an underscore: /etc/dind/registry-ca/registry.example.com_5000.").on(Docker),
        say("Or put the file directly into /etc/dind/registry-ca: then it counts for every registry."),
    ],
}

NOT_INSTALLED = Error "REGISTRY-NOT-INSTALLED" {
    summary: "a registry's CA cannot be put where dockerd reads it",
    advice: &[
        say("Let this container's user write there: mount nothing read-only at or above /etc/docker/certs.d (a daemon.json by itself, with sub_path), and do not make the service's root file system read-only."),
    ],
}

DUPLICATE = Note "REGISTRY-DUPLICATE" {
    summary: "the CAs of one registry come from two places",
    advice: &[say("Keep the one that is right.")],
}

KEPT = Note "REGISTRY-KEPT" {
    summary: "a directory of Docker's own for a registry is there already, and stays as it is",
    advice: &[say("Put the CA into that directory as a file that ends in .crt, or take the directory away.")],
}

LATE = Warning "REGISTRY-LATE" {
    summary: "a CA for every registry came too late for dockerd to read it",
    advice: &[
        job("Name the registry that it is for; such a file may come at any time", "variables:\n  DIND_REGISTRY_CA: registry.example.com=$CI_PROJECT_DIR/ca.crt"),
    ],
}
}
