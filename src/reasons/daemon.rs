//! Reasons about dockerd itself.

use std::io;

use super::{Finding, Layer, Reason, Severity};

pub static MISSING: Reason = Reason {
    id: "DAEMON-MISSING",
    layer: Layer::Daemon,
    severity: Severity::Fatal,
    summary: "dockerd could not be started",
};

pub static INIT: Reason = Reason {
    id: "DAEMON-INIT",
    layer: Layer::Daemon,
    severity: Severity::Fatal,
    summary: "the init could not prepare itself",
};

pub static IPTABLES: Reason = Reason {
    id: "DAEMON-IPTABLES",
    layer: Layer::Daemon,
    severity: Severity::Warning,
    summary: "iptables does not work, and dockerd needs it for its networks",
};

pub fn missing(error: &io::Error) -> Finding {
    MISSING.found(
        format!("{error}."),
        "use an image that holds dockerd, such as docker:dind, as the base.",
    )
}

/// `what` the init needed from the kernel.
pub fn init(what: &str, error: &io::Error) -> Finding {
    INIT.found(format!("{what}: {error}."), "")
}

/// `said`: what iptables wrote last.
pub fn iptables(said: &str) -> Finding {
    IPTABLES.found(format!("iptables -nL: {said}"), "")
}
