//! A reason met in a container: how bad it is, and how it is told.

use std::fmt;

use super::{
    Reason,
    advice::{self, Advice},
    hole::{Data, Surroundings},
    printable,
};

/// A reason met in this container.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    pub reason: &'static Reason,
    /// The reason's own severity, unless the case is milder.
    pub severity: Severity,
    /// What was seen: paths, names, numbers. May have several lines.
    pub cause: String,
    /// What to change and in which file, ready to paste. May have several lines, may be empty.
    pub fix: String,
    /// What the fix is told from.
    advice: Advice,
    data: Data,
}

impl Finding {
    /// With the advice told as far as `data` goes.
    pub(super) fn advised(
        reason: &'static Reason,
        cause: String,
        advice: Advice,
        data: Data,
    ) -> Self {
        let finding = Self {
            reason,
            severity: reason.severity,
            cause: printable::explanation(&cause),
            fix: String::new(),
            advice,
            data,
        };
        finding.told_in(&Surroundings::default())
    }

    /// With its fix for the service that is run like this.
    pub fn told_in(mut self, surroundings: &Surroundings) -> Self {
        if !self.advice.is_empty() {
            let (own, known) = (&self.data, &surroundings.data);
            let fix = advice::text(self.advice, surroundings.executor, |hole| {
                let value = own.get(hole).or_else(|| known.get(hole));
                value.unwrap_or(hole.example()).to_owned()
            });
            self.fix = printable::explanation(&fix);
        }
        self
    }

    pub fn with_cause(mut self, cause: String) -> Self {
        self.cause = printable::explanation(&cause);
        self
    }

    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }
}

/// The explanation as the user reads it: the cause before the fix, continuation lines indented.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.id, self.reason.summary)?;
        for (label, text) in [("Cause", &self.cause), ("Fix", &self.fix)] {
            if !text.is_empty() {
                write!(f, "\n  {label}: {}", text.replace('\n', "\n    "))?;
            }
        }
        Ok(())
    }
}

/// What stops working, from worst to mildest.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// dockerd cannot start, or is gone.
    Fatal,
    /// dockerd runs, but this job's docker commands will fail.
    Error,
    /// Works, slowly or dangerously.
    Warning,
    /// What was done, or left alone.
    Note,
}

impl Severity {
    /// Whether this job's docker commands fail.
    pub fn breaks(self) -> bool {
        self <= Self::Error
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fatal => "fatal",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// Where a reason belongs; each layer has an exit status of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Layer {
    Settings,
    Privilege,
    Cgroup,
    Storage,
    Network,
    Certs,
    Daemon,
    Client,
    Registry,
}

impl Layer {
    pub const ALL: [Self; 9] = [
        Self::Settings,
        Self::Privilege,
        Self::Cgroup,
        Self::Storage,
        Self::Network,
        Self::Certs,
        Self::Daemon,
        Self::Client,
        Self::Registry,
    ];

    /// What it is called in docs and help.
    pub fn title(self) -> &'static str {
        match self {
            Self::Settings => "settings and arguments",
            Self::Privilege => "privileges",
            Self::Cgroup => "control groups",
            Self::Storage => "storage",
            Self::Network => "ports, sockets and networks",
            Self::Certs => "certificates",
            Self::Daemon => "dockerd",
            Self::Client => "the job's clients",
            Self::Registry => "registries",
        }
    }

    /// The exit status of dind-init when a fatal finding of this layer stops it.
    ///
    /// 64 (sysexits' EX_USAGE) is that of bad arguments as well.
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Settings => 64,
            Self::Certs => 70,
            Self::Privilege => 71,
            Self::Network => 72,
            Self::Cgroup => 73,
            Self::Storage => 74,
            Self::Registry => 75,
            Self::Daemon => 76,
            Self::Client => 77,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reasons::{advice::Executor, certs, hole::Hole};

    #[test]
    fn an_explanation_tells_the_cause_before_the_fix_and_indents_what_follows() {
        static REASON: Reason = Reason {
            summary: "the directory is read-only",
            ..Reason::new("CERTS-READONLY", Layer::Certs, Severity::Fatal)
        };
        assert_eq!(
            REASON.found("a Secret", "move it:\n[[x]]").to_string(),
            "CERTS-READONLY: the directory is read-only\n  Cause: a Secret\n  Fix: move it:\n    [[x]]"
        );
        assert_eq!(
            REASON.noted("a Secret").to_string(),
            "CERTS-READONLY: the directory is read-only\n  Cause: a Secret"
        );
    }

    #[test]
    fn a_service_that_is_known_gets_its_own_values() {
        let finding = certs::UNSHARED.met_with("x", [(Hole::Directory, "/tls/client".into())]);
        let surroundings = Surroundings {
            executor: Some(Executor::Docker),
            ..Surroundings::default()
        };
        let told = finding.clone().told_in(&surroundings);
        assert!(
            finding.fix.contains("[[runners.kubernetes.volumes"),
            "{finding}"
        );
        assert!(!told.fix.contains("kubernetes"), "{told}");
        assert!(told.fix.contains("\"/tls/client\""), "{told}");
    }
}
