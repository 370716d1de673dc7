//! What dockerd needs of this process and of the machine.

use std::{ffi::OsString, path::Path};

use nix::{sys::prctl, unistd::Pid};

use super::Service;
use crate::{
    assessment::machine::Machine,
    dockerd::{readiness::Readiness, rootless},
    facts::control_groups,
    reasons::{Finding, Severity, cgroup},
    settings::{Settings, process_environment},
    setup,
    system::background::in_time,
};

/// Orphans come to us, as they do to PID 1.
pub fn become_reaper() {
    if Pid::this() != Pid::from_raw(1) && prctl::set_child_subreaper(true).is_err() {
        tracing::warn!(
            "not PID 1 and not a subreaper: processes that dockerd orphans stay zombies"
        );
    }
}

/// Does what dockerd needs of the machine; returns the variables it gets.
pub fn prepare(
    service: &Service<'_>,
    machine: &Machine,
    readiness: &Readiness,
) -> Result<Vec<(OsString, OsString)>, Finding> {
    let removed = in_time(&[Path::new("/run")], || {
        setup::pid_files::remove_stale(Path::new("/run"))
    });
    for path in removed.unwrap_or_default() {
        tracing::info!(
            "removed {}, left by an earlier life of this container",
            path.display()
        );
    }
    let mut environment = vec![("NOTIFY_SOCKET".into(), readiness.address().into())];
    environment.extend(machine.backend.path().map(|path| ("PATH".into(), path)));
    let mut findings = Vec::new();
    if service.uid.is_root() {
        match setup::mounts::prepare(&service.mounts) {
            Ok(found) => findings.extend(found),
            Err(fatal) => findings.push(fatal),
        }
        findings.extend(prepare_control_groups(service.settings, machine));
        // Tells dockerd, as systemd's convention is, that it is in a container.
        environment.push(("container".into(), "docker".into()));
    } else {
        // dockerd knows no default for it (moby `pkg/homedir`), and its pid file lies there.
        let runtime = rootless::runtime_directory(&process_environment, service.uid.as_raw());
        environment.push(("XDG_RUNTIME_DIR".into(), runtime.into()));
    }
    // All of it is told, and the first that is fatal stands for the rest.
    let mut fatal = None;
    for finding in findings {
        let finding = service.settings.ignored.apply(finding);
        if finding.severity == Severity::Fatal && fatal.is_none() {
            fatal = Some(finding);
        } else if finding.severity == Severity::Fatal || !machine.has(finding.reason) {
            service.report.finding(&finding);
        }
    }
    fatal.map_or(Ok(environment), Err)
}

/// Lets inner containers have control groups below this container's own.
fn prepare_control_groups(settings: &Settings, machine: &Machine) -> Option<Finding> {
    let wider = &machine.facts.control_groups.wider;
    if settings.cgroup_namespace
        && let Some(tree) = wider.first()
        && let Err(refusal) = setup::cgroup_namespace::enter(wider)
    {
        // Without it, those who would have to move are other containers' processes.
        return Some(cgroup::outside(&tree.own, &refusal.to_string()));
    }
    setup::cgroup::nest(Path::new(control_groups::ROOT))
}
