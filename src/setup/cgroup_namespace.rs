//! A cgroup namespace for dockerd, where the container has none of its own.
//!
//! Privileged pods of Kubernetes have none on cgroup v2 (containerd `internal/cri`, CRI-O; KEP-5714
//! asks for a choice): they see the whole node's tree, and inner containers would get their groups
//! in its root, outside of the pod's limits (moby/moby#45378).
//!
//! BuildKit's entrypoint and envbox's start their daemon by `unshare --cgroup --mount` and mount
//! the tree anew. Here there is no mount namespace besides the container's own: whoever looks into
//! the container (`kubectl exec`) goes on seeing the mounts of images and networks that dockerd
//! makes. Nor is the old mount taken away, which might be shared with the node: the container's own
//! part of it is put on top, which is also what every container of cgroup v1 has.

use std::{fmt, fs::File, path::Path};

use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, setns, unshare},
};

use crate::facts::control_groups::Tree;

/// What could not be done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    step: String,
    errno: Errno,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step, self.errno.desc())
    }
}

/// Moves this thread, and with it what it starts, to a cgroup namespace whose roots are its present
/// groups, and hides all other groups of `trees`.
///
/// Where that fails nothing is changed.
pub fn enter(trees: &[Tree]) -> Result<(), Refusal> {
    const OURS: &str = "/proc/thread-self/ns/cgroup";
    let before = File::open(OURS).map_err(|error| Refusal {
        step: format!("opening {OURS}"),
        errno: error.raw_os_error().map_or(Errno::EIO, Errno::from_raw),
    })?;
    unshare(CloneFlags::CLONE_NEWCGROUP).map_err(refused("unshare(CLONE_NEWCGROUP)"))?;
    for (count, tree) in trees.iter().enumerate() {
        if let Err(refusal) = hide_others(tree) {
            for mounted in &trees[..count] {
                let _ = umount2(&mounted.point, MntFlags::MNT_DETACH);
            }
            let _ = setns(before, CloneFlags::CLONE_NEWCGROUP);
            return Err(refusal);
        }
    }
    Ok(())
}

fn hide_others(tree: &Tree) -> Result<(), Refusal> {
    let Tree { point, own } = tree;
    // What is mounted on a shared mount is mounted for all that share it: the node, perhaps.
    mount(
        None::<&Path>,
        point,
        None::<&str>,
        MsFlags::MS_PRIVATE,
        None::<&str>,
    )
    .map_err(refused(&format!(
        "mount --make-private {}",
        point.display()
    )))?;
    mount(
        Some(own),
        point,
        None::<&str>,
        MsFlags::MS_BIND,
        None::<&str>,
    )
    .map_err(refused(&format!(
        "mount --bind {} {}",
        own.display(),
        point.display()
    )))
}

fn refused(step: &str) -> impl FnOnce(Errno) -> Refusal {
    move |errno| Refusal {
        step: step.to_owned(),
        errno,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn where_a_tree_cannot_be_mounted_the_namespace_is_left_again() {
        let namespace = || fs::read_link("/proc/thread-self/ns/cgroup").unwrap();
        let before = namespace();
        let root = tempfile::tempdir().unwrap();
        let tree = Tree {
            point: root.path().into(),
            own: root.path().join("no-such-group"),
        };
        // Without root the namespace is refused already.
        let refusal = enter(&[tree]).unwrap_err().to_string();
        assert!(
            refusal.starts_with("mount --") || refusal.starts_with("unshare("),
            "{refusal}"
        );
        assert_eq!(namespace(), before);
    }
}
