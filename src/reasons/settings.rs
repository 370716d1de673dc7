//! Reasons in what the service was told by variables.

use super::Ignoring;

catalogue! { Settings:

/// A variable whose value is not accepted. dockerd is not started: it would not be the one that was
/// asked for.
INVALID = Fatal "SETTINGS-INVALID" {
    summary: "a variable has a value that the service does not take",
    advice: "\
Correct the variable that the cause names where it is set: in .gitlab-ci.yml, or in `environment` of
the runner's config.toml. What each takes, in a shell of the image:
    dind-init --help",
    ignoring: Ignoring::Impossible("nobody knows what was meant"),
}

}
