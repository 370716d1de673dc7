//! cgroup v2 nesting: inner containers get their own control groups below ours.
//!
//! A control group with processes of its own cannot give controllers to its children ("no internal
//! processes", `man 7 cgroups`), so all processes move to a child first.

use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
};

use crate::{
    facts::control_groups::{OWN_PROCESSES, has_type},
    reasons::{Finding, cgroup},
};

/// New processes may appear between the moving and the enabling; moby's script tries for ever.
const ATTEMPTS: usize = 20;

/// Makes the control groups at `root` (`/sys/fs/cgroup`) ready for inner containers.
///
/// Does nothing on cgroup v1.
pub fn nest(root: &Path) -> Option<Finding> {
    let controllers = fs::read_to_string(root.join("cgroup.controllers")).ok()?;
    if !has_type(root) {
        // The root of the node's whole tree may keep its processes, and they are the node's:
        // moving them, as moby's script does, helps nobody.
        return None;
    }
    let init = root.join(OWN_PROCESSES);
    match fs::create_dir(&init) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Some(cgroup::readonly(&init, &error));
        }
        _ => {}
    }
    let mut refused = Vec::new();
    for _ in 0..ATTEMPTS {
        move_processes(root, &init);
        refused = enable(root, &controllers);
        if refused.is_empty() {
            return None;
        }
    }
    Some(cgroup::delegation(&refused))
}

/// A process that has ended meanwhile, or a kernel thread, cannot be moved and does not count.
fn move_processes(from: &Path, to: &Path) {
    let processes = fs::read_to_string(from.join("cgroup.procs")).unwrap_or_default();
    for pid in processes.lines() {
        let _ = fs::write(to.join("cgroup.procs"), pid);
    }
}

/// Enables the controllers one by one, so that one that cannot be does not keep the others away.
fn enable(root: &Path, controllers: &str) -> Vec<(String, io::Error)> {
    controllers
        .split_whitespace()
        .filter_map(|controller| {
            fs::write(
                root.join("cgroup.subtree_control"),
                format!("+{controller}"),
            )
            .err()
            .map(|error| (controller.to_owned(), error))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use tempfile::tempdir;

    use super::*;

    #[test]
    fn cgroup_v1_is_left_alone() {
        let root = tempdir().unwrap();
        assert_eq!(nest(root.path()), None);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_root_of_the_whole_tree_is_left_alone() {
        let root = tempdir().unwrap();
        fs::write(root.path().join("cgroup.controllers"), "cpu memory\n").unwrap();
        assert_eq!(nest(root.path()), None);
        assert!(!root.path().join(OWN_PROCESSES).exists());
    }

    #[test]
    fn a_controller_that_cannot_be_enabled_is_named_and_nothing_loops() {
        let root = tempdir().unwrap();
        fs::write(root.path().join("cgroup.controllers"), "cpu memory\n").unwrap();
        fs::write(root.path().join("cgroup.type"), "domain\n").unwrap();
        fs::write(root.path().join("cgroup.procs"), "").unwrap();
        fs::create_dir(root.path().join("cgroup.subtree_control")).unwrap();
        let finding = nest(root.path()).unwrap();
        assert_eq!(finding.reason.id, "CGROUP-DELEGATION");
        assert!(
            finding.cause.contains("memory (Is a directory"),
            "{finding}"
        );
    }
}
