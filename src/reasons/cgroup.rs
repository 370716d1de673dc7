//! Reasons about control groups.

use std::{io, path::Path};

use super::{Finding, Layer, Reason, Severity};

pub static READONLY: Reason = Reason {
    id: "CGROUP-READONLY",
    layer: Layer::Cgroup,
    severity: Severity::Error,
    summary: "the control groups of this container are read-only, so inner containers cannot start",
};

pub static DELEGATION: Reason = Reason {
    id: "CGROUP-DELEGATION",
    layer: Layer::Cgroup,
    severity: Severity::Warning,
    summary: "not every control group controller reaches inner containers",
};

pub static HOST_NAMESPACE: Reason = Reason {
    id: "CGROUP-HOST-NAMESPACE",
    layer: Layer::Cgroup,
    severity: Severity::Note,
    summary: "this container sees the node's own control groups; they are left as they are",
};

pub fn readonly(path: &Path, error: &io::Error) -> Finding {
    READONLY.found(
        format!("cannot create {}: {error}.", path.display()),
        "run the service privileged: `privileged = true` below [runners.kubernetes] or\n\
         [runners.docker] in the runner's config.toml.",
    )
}

/// `refused`: each controller with the error that enabling it gave.
pub fn delegation(refused: &[(String, io::Error)]) -> Finding {
    let list: Vec<String> = refused
        .iter()
        .map(|(controller, error)| format!("{controller} ({error})"))
        .collect();
    DELEGATION.found(
        format!(
            "/sys/fs/cgroup/cgroup.subtree_control did not take: {}.",
            list.join(", ")
        ),
        "",
    )
}

pub fn host_namespace() -> Finding {
    HOST_NAMESPACE.found(
        "/sys/fs/cgroup is the root of the whole tree: a privileged Kubernetes pod gets no cgroup \
         namespace.",
        "",
    )
}
