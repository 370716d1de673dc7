//! A container whose first process was gone before it could begin: runc sees that, and not why.

use crate::{
    facts::process_limits::ProcessLimits,
    reasons::{Finding, daemon, privilege},
};

/// The finding, or the limit that explains it, if that was met since dockerd was started.
pub fn judge(finding: Finding, before: &ProcessLimits, now: &ProcessLimits) -> Finding {
    if *finding.reason != daemon::LOST_START || !now.are_met_since(before) {
        return finding;
    }
    let limit = now
        .limit
        .map_or(String::new(), |limit| format!(", {limit} (pids.max)"));
    let cause = format!(
        "{}\nSince dockerd was started, this container has met its limit of processes{limit}.",
        finding.cause
    );
    privilege::PROCESSES
        .met(cause)
        .with_severity(finding.severity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_count_decides() {
        let before = ProcessLimits::default();
        let now = ProcessLimits {
            limit: Some(60),
            peak: Some(60),
            refused: 0,
        };
        let lost = || daemon::LOST_START.shown_in("runc says so", "");
        assert_eq!(judge(lost(), &before, &before), lost());
        let found = judge(lost(), &before, &now);
        assert_eq!(found.reason.id, "PRIVILEGE-PROCESSES");
        assert_eq!(found.severity, daemon::LOST_START.severity);
        for part in ["runc says so", "its limit of processes, 60 (pids.max)"] {
            assert!(found.cause.contains(part), "{found}");
        }
        let other = daemon::INIT.met("x");
        assert_eq!(judge(other.clone(), &before, &now), other);
    }
}
