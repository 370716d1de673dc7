//! Mounts that dockerd and its containers expect.

use std::path::Path;

use nix::{
    errno::Errno,
    mount::{MsFlags, mount},
};

use crate::{
    facts::mounts::Mounts,
    reasons::{Finding, privilege},
};

/// Mounts securityfs and a tmpfs on /tmp where that hides no other mount, and lets mounts propagate.
///
/// Fatal only without the right to mount at all.
pub fn prepare(mounts: &Mounts) -> Result<Vec<Finding>, Finding> {
    let mut findings = Vec::new();
    share_root()?;
    // dockerd looks there for AppArmor.
    findings.extend(mount_if_free(mounts, "securityfs", "/sys/kernel/security"));
    findings.extend(mount_if_free(mounts, "tmpfs", "/tmp"));
    Ok(findings)
}

/// Inner containers with shared volumes need a root that shares its mounts.
fn share_root() -> Result<(), Finding> {
    let shared = MsFlags::MS_SHARED | MsFlags::MS_REC;
    match mount(None::<&str>, "/", None::<&str>, shared, None::<&str>) {
        Ok(()) => Ok(()),
        Err(errno) => Err(privilege::not_privileged(
            "mount --make-rshared /",
            &errno.into(),
        )),
    }
}

fn mount_if_free(mounts: &Mounts, file_system: &str, point: &str) -> Option<Finding> {
    let path = Path::new(point);
    let hides = mounts.at(path).into_iter().chain(mounts.below(path));
    if hides.count() > 0 || !path.is_dir() {
        return None;
    }
    match mount(
        Some("none"),
        path,
        Some(file_system),
        MsFlags::empty(),
        None::<&str>,
    ) {
        // Somebody else's kernel without securityfs has no AppArmor to look for either.
        Ok(()) | Err(Errno::ENODEV) => None,
        Err(errno) => Some(privilege::mount_failed(
            &format!("mount -t {file_system} none {point}"),
            &errno.into(),
        )),
    }
}
