//! The variables.

use super::{Accepted, Unset, Variable};

/// In the order in which people look for them.
pub const TABLE: [&Variable; 17] = [
    &DOCKERD_ARGS,
    &REGISTRY_CA,
    &REGISTRY_CA_DIR,
    &REGISTRY_PROBE,
    &REGISTRY_MIRRORS,
    &INSECURE_REGISTRIES,
    &MTU,
    &ADDRESS_POOLS,
    &CGROUP_NAMESPACE,
    &CLIENT_KEY,
    &CERT_DAYS,
    &ON_FAILURE,
    &JOB_LOG,
    &START_TIMEOUT,
    &IGNORE,
    &LOG,
    &INIT,
];

/// Further variables of the component: inputs that are flags of dockerd's, and what its own scripts
/// read.
pub const OF_THE_COMPONENT: [&str; 4] = [
    STORAGE_DRIVER,
    DEBUG,
    "DIND_WAIT_TIMEOUT",
    // The component's tests alone.
    "DIND_WAIT_ROOT",
];
pub const STORAGE_DRIVER: &str = "DIND_INPUT_STORAGE_DRIVER";
pub const DEBUG: &str = "DIND_INPUT_DEBUG";

const AUTO_OR_OFF: Accepted = Accepted::OneOf(&["auto", "off"]);

pub const DOCKERD_ARGS: Variable = Variable {
    name: "DIND_DOCKERD_ARGS",
    input: Some("DIND_INPUT_DOCKERD_ARGS"),
    unset: Unset::Nothing,
    accepted: Accepted::Text("words as in a shell, with every quote closed"),
    meaning: "More flags for dockerd, split as a shell splits words",
};

pub const REGISTRY_CA: Variable = Variable {
    name: "DIND_REGISTRY_CA",
    input: Some("DIND_INPUT_REGISTRY_CA"),
    unset: Unset::Nothing,
    accepted: Accepted::Text(
        "certificates in PEM, or a list, with commas, of absolute paths for every registry and \
         host=path for one, such as registry.example.com:5000=/builds/ca.crt",
    ),
    meaning: "CAs of registries: PEM text, or a list of paths and `host=path`, with commas",
};

pub const REGISTRY_CA_DIR: Variable = Variable {
    name: "DIND_REGISTRY_CA_DIR",
    input: None,
    unset: Unset::Is("/etc/dind/registry-ca"),
    accepted: Accepted::Text("an absolute path such as /etc/dind/registry-ca"),
    meaning: "Where the CAs of registries are mounted: `ca.crt` for every registry, `HOST.crt`, \
              `HOST_PORT.crt` or `HOST/ca.crt` for one",
};

pub const REGISTRY_PROBE: Variable = Variable {
    name: "DIND_REGISTRY_PROBE",
    input: None,
    unset: Unset::Is("0"),
    accepted: Accepted::OneOf(&["1", "0"]),
    meaning: "`1`: ask `CI_REGISTRY` for its certificate at the start, and say whether it is trusted",
};

pub const REGISTRY_MIRRORS: Variable = Variable {
    name: "DIND_REGISTRY_MIRRORS",
    input: Some("DIND_INPUT_REGISTRY_MIRRORS"),
    unset: Unset::Nothing,
    accepted: Accepted::Text("URLs such as https://mirror.example.com"),
    meaning: "Mirrors of Docker Hub: URLs with commas, added to those of flags and daemon.json",
};

pub const INSECURE_REGISTRIES: Variable = Variable {
    name: "DIND_INSECURE_REGISTRIES",
    input: Some("DIND_INPUT_INSECURE_REGISTRIES"),
    unset: Unset::Nothing,
    accepted: Accepted::Text(
        "hosts without a path, with a port where they have one, or address ranges: \
         registry.example.com:5000",
    ),
    meaning: "Registries without TLS, or with any certificate: hosts with commas, added to those of \
              flags and daemon.json",
};

pub const MTU: Variable = Variable {
    name: "DIND_MTU",
    input: Some("DIND_INPUT_MTU"),
    unset: Unset::Is("auto"),
    accepted: Accepted::Number {
        words: &["auto", "off"],
        unit: "bytes",
        range: 68..=u16::MAX,
    },
    meaning: "MTU of Docker's networks. `auto` takes over this container's own if that is below 1500 \
              and dockerd was given none; `off` leaves dockerd's",
};

pub const ADDRESS_POOLS: Variable = Variable {
    name: "DIND_ADDRESS_POOLS",
    input: None,
    unset: Unset::Is("auto"),
    accepted: AUTO_OR_OFF,
    meaning: "`auto` moves Docker's networks away from addresses that are in use around the job: the \
              pod's, its routes' and name servers', `CI_SERVER_HOST`'s and `CI_REGISTRY`'s",
};

pub const CGROUP_NAMESPACE: Variable = Variable {
    name: "DIND_CGROUP_NAMESPACE",
    input: None,
    unset: Unset::Is("auto"),
    accepted: AUTO_OR_OFF,
    meaning: "`auto` keeps inner containers within this container's limits by a cgroup namespace for \
              dockerd, where it has none",
};

pub const CLIENT_KEY: Variable = Variable {
    name: "DIND_CLIENT_KEY",
    input: None,
    unset: Unset::Is("ecdsa-p256"),
    accepted: Accepted::OneOf(&["ecdsa-p256", "rsa-2048"]),
    meaning: "The clients' key. `rsa-2048` takes longer to make, and old clients read it",
};

pub const CERT_DAYS: Variable = Variable {
    name: "DIND_CERT_DAYS",
    input: None,
    unset: Unset::Is("825"),
    accepted: Accepted::Number {
        words: &[],
        unit: "days",
        range: 1..=3650,
    },
    meaning: "How long certificates are valid",
};

pub const ON_FAILURE: Variable = Variable {
    name: "DIND_ON_FAILURE",
    input: None,
    unset: Unset::Means("`explain` in a GitLab job, else `exit`"),
    accepted: Accepted::OneOf(&["explain", "exit"]),
    meaning: "When Docker cannot work: stay and answer docker commands with the reason, or end with \
              a status that is not 0",
};

pub const JOB_LOG: Variable = Variable {
    name: "DIND_JOB_LOG",
    input: None,
    unset: Unset::Is("auto"),
    accepted: AUTO_OR_OFF,
    meaning: "`auto`: on Kubernetes, what breaks docker commands is written to the job's log",
};

pub const START_TIMEOUT: Variable = Variable {
    name: "DIND_START_TIMEOUT",
    input: None,
    unset: Unset::Is("60"),
    accepted: Accepted::Number {
        words: &[],
        unit: "seconds",
        range: 1..=3600,
    },
    meaning: "Report a failed start after so many seconds without output from dockerd, or three \
              times as many in all",
};

pub const IGNORE: Variable = Variable {
    name: "DIND_IGNORE",
    input: None,
    unset: Unset::Nothing,
    accepted: Accepted::Text("ids that dind-init prints, such as NETWORK-NAT-MISSING"),
    meaning: "Ids of findings, with commas, that become warnings",
};

pub const LOG: Variable = Variable {
    name: "DIND_LOG",
    input: None,
    unset: Unset::Is("text"),
    accepted: Accepted::OneOf(&["text", "json"]),
    meaning: "How the service's own log lines are written",
};

pub const INIT: Variable = Variable {
    name: "DIND_INIT",
    input: None,
    unset: Unset::Nothing,
    accepted: Accepted::OneOf(&["official"]),
    meaning: "`official`: run the image's original entrypoint instead",
};
