//! What is said of single flags and settings, beside the catalogue's own words.

use crate::reasons::{
    advice::{Advice, job, say},
    hole::{Data, Hole},
};

pub const SETTING_TAKEN_OUT: Advice = &[say(
    "Take {setting} out of daemon.json (`volumes` of the runner's config.toml mounts it, or it is \
     in the image), or out of the service's `command` and DIND_DOCKERD_ARGS in .gitlab-ci.yml. A \
     daemon.json that was made for a node rarely fits a service.",
)];
/// The same where it is one of the service's own flags.
pub const SETTING_OF_FLAGS: Advice = &[job("Take --{setting} out", "{corrected}")];

/// What dockerd says of a setting, and the setting as daemon.json and as the flags call it.
const SETTINGS: &[(&str, &str, &str)] = &[
    ("default runtime", "default-runtime", "default-runtime"),
    ("-runtime version", "default-runtime", "default-runtime"),
    ("bridge device", "bridge", "bridge"),
    ("overlay2.", "storage-opts", "storage-opt"),
    ("log opts", "log-opts", "log-opt"),
    ("uid lookup", "userns-remap", "userns-remap"),
    ("dockremap", "userns-remap", "userns-remap"),
    ("seccomp profile", "seccomp-profile", "seccomp-profile"),
    (
        "pools size",
        "default-address-pools",
        "default-address-pool",
    ),
    (
        "size of that pool",
        "default-address-pools",
        "default-address-pool",
    ),
    ("ipv6 is enabled", "ipv6", "ipv6"),
    ("logging driver", "log-driver", "log-driver"),
];

/// For the holes of what dockerd says of a setting.
pub fn setting_in(words: &str) -> Data {
    match setting(words) {
        Some((key, _)) => [(Hole::Setting, format!("`{key}`"))].into(),
        None => Data::default(),
    }
}

/// The setting that dockerd's words are about, as daemon.json and as the flags call it.
pub fn setting(words: &str) -> Option<(&'static str, &'static str)> {
    let words = words.to_ascii_lowercase();
    let mut known = SETTINGS.iter();
    let (_, key, flag) = known.find(|(said, _, _)| words.contains(said))?;
    Some((key, flag))
}

/// `DOCKER_API_VERSION` says which one.
pub const API_VERSION_OF_A_VARIABLE: Advice = &[say(
    "Take DOCKER_API_VERSION out of the variables in .gitlab-ci.yml: clients ask for what the daemon \
     speaks.",
)];

/// For a value that is empty, or still a variable's name.
pub const VARIABLES_OF_SERVICES: &str = "Services get the variables of .gitlab-ci.yml, and none \
                                         that is set in GitLab's user interface.";

/// The same of a flag.
pub const VARIABLES_IN_FLAGS: &str = "GitLab Runner expands no variable in a service's `command`, \
                                      and does in DIND_DOCKERD_ARGS. Services get the variables of \
                                      .gitlab-ci.yml, and none that is set in GitLab's user \
                                      interface.";

/// As [`FLAG`](super::FLAG), where it is known what was meant, or that nothing else can be said.
pub const FLAG_MEANT: Advice = &[job("Correct {flag}", "{corrected}")];
/// The same for a value that came of a variable which the service does not get.
pub const FLAG_OF_A_VARIABLE: Advice = &[
    job("Correct {flag}", "{corrected}"),
    say(VARIABLES_IN_FLAGS),
];
pub const FLAGS_APART: Advice = &[job(
    "Write each flag as a word of its own, with `=` before its value",
    "{corrected}",
)];
pub const FLAG_TO_LEAVE_OUT: Advice = &[job(
    "Give {flag} a value that it takes, or leave it out",
    "{corrected}",
)];
