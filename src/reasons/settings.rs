//! Reasons in what the service was told by variables.

use super::{
    Ignoring,
    advice::{Advice, Place::Image, job, paste, say},
    snippets::dockerd_flags,
};

catalogue! { Settings:

/// A variable whose value is not accepted. dockerd is not started: it would not be the one that was
/// asked for.
INVALID = Fatal "SETTINGS-INVALID" {
    summary: "a variable has a value that the service does not take",
    advice: &[
        say("Correct it where it is set: in .gitlab-ci.yml, or in `environment` of the runner's config.toml."),
        paste("What each variable takes is printed", Image, "dind-init --help"),
    ],
    in_short: "correct the variable",
    ignoring: Ignoring::Impossible("nobody knows what was meant"),
}

/// A variable whose name is almost one of ours: what it says is not done.
MISSPELT = Warning "SETTINGS-MISSPELT" {
    summary: "a variable is set that dind-init does not read, under a name much like one it does",
    advice: &[
        say("Call it {variable} where it is set: in .gitlab-ci.yml, or in `environment` of the runner's config.toml."),
        paste("All variables are printed", Image, "dind-init --help"),
    ],
    in_short: "correct the variable",
}

/// Flags for dockerd where other installations of Docker read them.
UNREAD = Warning "SETTINGS-UNREAD" {
    summary: "a variable with flags for dockerd is set, and nobody reads it",
    advice: &[
        job("Take {unread} out, and say what dockerd is to be told by the variable that is read", dockerd_flags!("{unread_flags}")),
    ],
    in_short: "use DIND-DOCKERD-ARGS",
}

/// It is in the place of a dockerd that runs as root.
UNREAD_FILE = Warning "SETTINGS-UNREAD-FILE" {
    summary: "daemon.json is where dockerd does not look without root",
    advice: &[
        job("Have dockerd read it", dockerd_flags!("--config-file=/etc/docker/daemon.json")),
        say("Or mount it where dockerd looks."),
    ],
    in_short: "pass its path as --config-file",
}

/// The runner reads on, and says nothing.
MISSPELT_KEY = Warning "SETTINGS-MISSPELT-KEY" {
    summary: "the runner's configuration has a key that it does not read, much like one it does",
    advice: &[say("Call it as the runner does; its documentation has all keys.")],
    in_short: "correct the key",
    ignoring: LINT_ALONE,
}

/// GitLab reads on, and says nothing.
DUPLICATE_KEY = Warning "SETTINGS-DUPLICATE-KEY" {
    summary: "a key is written twice, and only the last one counts",
    advice: &[say("Put both together, or take one of them out.")],
    in_short: "write the key once",
    ignoring: LINT_ALONE,
}

}

const LINT_ALONE: Ignoring =
    Ignoring::Impossible("`dind-init lint` finds it, before there is a service");

/// The value came by way of the component.
pub const OF_INPUT: Advice = &[say(
    "Correct the component's input {input} in .gitlab-ci.yml, at its `inputs:`.",
)];
