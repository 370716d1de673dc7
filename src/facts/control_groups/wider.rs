//! Mounts that show other containers' control groups besides this container's own.

use std::path::{Path, PathBuf};

use super::{OWN_PROCESSES, controllers_of, has_type};
use crate::facts::mounts::{Mount, Mounts};

/// A mounted tree of control groups, and this container's part of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tree {
    pub point: PathBuf,
    /// A directory below `point`.
    pub own: PathBuf,
}

/// Which mounts show more than this process's own groups, or show those in a way that its path does
/// not fit; `own` is the text of `/proc/self/cgroup`.
///
/// Roots in mountinfo and paths in `/proc/self/cgroup` are both told as this process's cgroup
/// namespace has them, so a mount that shows its own group and nothing else has that path as its
/// root. That holds for every container of cgroup v1, and for those of v2 with a namespace.
pub fn wider_trees(
    mounts: &Mounts,
    root: &Path,
    own: &str,
    is_root_of_all: &dyn Fn(&Mount) -> bool,
) -> Vec<Tree> {
    let own_part = |mount: &Mount| {
        let path = path_in(mount, own)?;
        let part = path.strip_prefix(&mount.root).ok()?;
        let shows_more = if mount.point == root {
            // In a namespace of its own a container is in the root, or in that one child. Where it
            // has none, but only its part is mounted, containerd does not find inner containers.
            path != Path::new("/") && path != Path::new("/").join(OWN_PROCESSES)
        } else {
            // On v1 an init in this container may have gone to a part of its own of one tree.
            part != Path::new("") && is_root_of_all(mount)
        };
        shows_more.then(|| Tree {
            point: mount.point.clone(),
            own: mount.point.join(part),
        })
    };
    let all = mounts.at(root).into_iter().chain(mounts.below(root));
    all.filter(|mount| matches!(mount.file_system.as_str(), "cgroup" | "cgroup2"))
        // Of several mounts on one point only the last can be seen.
        .filter(|mount| mounts.at(&mount.point) == Some(mount))
        .filter_map(own_part)
        .collect()
}

/// This process's path in the tree that is mounted there, where `own` has it.
fn path_in<'a>(mount: &Mount, own: &'a str) -> Option<&'a Path> {
    let names = tree_names(mount);
    own.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (of_tree, path) = (fields.next()?, fields.next()?);
        let mut of_line: Vec<_> = of_tree.split(',').filter(|name| !name.is_empty()).collect();
        of_line.sort_unstable();
        (of_line == names).then_some(Path::new(path))
    })
}

/// The controllers and the name of a v1 tree, in the order of the alphabet; v2 has neither.
fn tree_names(mount: &Mount) -> Vec<String> {
    if mount.file_system == "cgroup2" {
        return Vec::new();
    }
    let options = mount.super_options.split(',');
    let name = options.filter(|option| option.starts_with("name="));
    let mut names: Vec<_> = controllers_of(mount)
        .chain(name.map(str::to_owned))
        .collect();
    names.sort_unstable();
    names
}

/// Only the root of a node's whole tree lacks a type on v2, and has an agent on v1.
pub fn is_root_of_all(mount: &Mount) -> bool {
    match mount.file_system.as_str() {
        "cgroup2" => !has_type(&mount.point),
        _ => mount.point.join("release_agent").exists(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::control_groups::ROOT;

    /// The mount points that show more than a process with `own` as its `/proc/self/cgroup` has.
    fn wider(mountinfo: &str, own: &str, is_root_of_all: bool) -> Vec<Tree> {
        let mounts = Mounts::parse(mountinfo);
        wider_trees(&mounts, Path::new(ROOT), own, &|_| is_root_of_all)
    }

    fn tree(point: &str, own: &str) -> Tree {
        Tree {
            point: point.into(),
            own: format!("{point}{own}").into(),
        }
    }

    #[test]
    fn a_privileged_kubernetes_pod_sees_the_others_on_v2() {
        let mount =
            |root: &str| format!("31 23 0:27 {root} {ROOT} rw - cgroup2 cgroup rw,nsdelegate\n");
        for (root, own, part) in [
            ("/", "/kubepods/pod1/2", Some("/kubepods/pod1/2")),
            // A node that is a container itself, as kind's are: the root has a type there.
            ("/node", "/node/kubelet/pod1/2", Some("/kubelet/pod1/2")),
            // A namespace, before and after its processes were moved.
            ("/", "/", None),
            ("/", "/init", None),
            // A namespace, and the node's tree as a volume: nothing tells where it is in there.
            ("/../..", "/", None),
        ] {
            for is_root_of_all in [true, false] {
                let found = wider(&mount(root), &format!("0::{own}\n"), is_root_of_all);
                let expected: Vec<_> = part.map(|part| tree(ROOT, part)).into_iter().collect();
                assert_eq!(found, expected, "{root} {own}");
            }
        }
        assert_eq!(wider(&mount("/"), "", true), []);
        let twice = format!("{}{}", mount("/"), mount("/kubepods/pod1/2"));
        // A second start in one container, whose processes the first has moved.
        let found = wider(&twice, "0::/kubepods/pod1/2/init", true);
        assert_eq!(found, [tree(ROOT, "/init")]);
    }

    #[test]
    fn a_container_of_v1_sees_its_own_groups_unless_the_node_s_are_a_volume() {
        let own = "9:name=systemd:/k/1\n4:cpuacct,cpu:/k/1\n3:devices:/k/1\n0::/k/1\n";
        let mountinfo = |root: &str| {
            format!(
                "144 133 0:68 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
                 145 144 0:29 {root} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
                 178 144 0:37 {root} /sys/fs/cgroup/systemd rw - cgroup cgroup \
                 rw,xattr,release_agent=/lib/agent,name=systemd\n\
                 179 144 0:39 {root} /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
            )
        };
        assert_eq!(wider(&mountinfo("/k/1"), own, false), []);
        let of_node = wider(&mountinfo("/"), own, true);
        let expected = [
            tree("/sys/fs/cgroup/cpu,cpuacct", "/k/1"),
            tree("/sys/fs/cgroup/systemd", "/k/1"),
            tree("/sys/fs/cgroup/unified", "/k/1"),
        ];
        assert_eq!(of_node, expected);
        // An init of the container's own may have its services in groups of their own.
        assert_eq!(wider(&mountinfo("/"), own, false), []);
    }
}
