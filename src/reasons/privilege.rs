//! Reasons about what this container is allowed to do.

use std::io;

use super::{Finding, Layer, Reason, Severity};

pub static NOT_PRIVILEGED: Reason = Reason {
    id: "NOT-PRIVILEGED",
    layer: Layer::Privilege,
    severity: Severity::Fatal,
    summary: "the service container is not privileged, and dockerd cannot run without that",
};

pub static MOUNT: Reason = Reason {
    id: "PRIVILEGE-MOUNT",
    layer: Layer::Privilege,
    severity: Severity::Warning,
    summary: "a mount that dockerd likes to have could not be made",
};

pub static ROOTLESS: Reason = Reason {
    id: "PRIVILEGE-ROOTLESS",
    layer: Layer::Privilege,
    severity: Severity::Fatal,
    summary: "dockerd without root lacks something it needs",
};

/// `attempt`: what was refused, such as "mount --make-rshared /".
pub fn not_privileged(attempt: &str, error: &io::Error) -> Finding {
    NOT_PRIVILEGED.found(
        format!("{attempt}: {error}; that needs CAP_SYS_ADMIN."),
        "in the runner's config.toml, below [runners.kubernetes] or [runners.docker]:\n\
         privileged = true\n\
         or choose a runner that has it, with `tags:` of the job in .gitlab-ci.yml.",
    )
}

pub fn mount_failed(attempt: &str, error: &io::Error) -> Finding {
    MOUNT.found(format!("{attempt}: {error}."), "")
}

/// `missing`: what the check found, without the full stop.
pub fn rootless(missing: &str) -> Finding {
    ROOTLESS.found(format!("{missing}."), "")
}
