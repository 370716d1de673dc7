//! The control groups that this container sees.

mod wider;

use std::{fmt, path::Path};

pub use self::wider::Tree;
use self::wider::{is_root_of_all, wider_trees};
use super::mounts::{Mount, Mounts};

/// Where every distribution mounts them, and where runc looks.
pub const ROOT: &str = "/sys/fs/cgroup";

/// The child to which a container's own processes go, so that inner containers can have controllers
/// (`man 7 cgroups`, "no internal processes"); the name is that of moby's `hack/dind`.
pub const OWN_PROCESSES: &str = "init";

/// What is mounted, and where this process is in it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ControlGroups {
    pub version: Version,
    /// cgroup v1: the controllers that are mounted. cgroup v2: those that this group has.
    pub controllers: Vec<String>,
    /// A mount below or at [`ROOT`] that inner containers need and that is read-only.
    pub read_only: Option<String>,
    /// cgroup v2: the root of the whole node's tree is mounted here, not this container's part.
    pub whole_tree: bool,
    /// Mounts that show other containers' groups besides this container's own, which has no cgroup
    /// namespace.
    pub wider: Vec<Tree>,
    /// This process's own path, of `/proc/self/cgroup`.
    pub path: String,
}

/// Which kind of control groups is mounted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Version {
    #[default]
    None,
    V1,
    /// v1, with a v2 tree beside it that has no controllers.
    Hybrid,
    V2,
}

impl ControlGroups {
    /// `root` is [`ROOT`].
    pub fn read(mounts: &Mounts, root: &Path) -> Self {
        let text = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
        let mut groups = Self::from_mounts(mounts, root);
        let own = text(Path::new("/proc/self/cgroup"));
        groups.path = own_path(&own);
        groups.wider = wider_trees(mounts, root, &own, &is_root_of_all);
        if groups.version == Version::V2 {
            groups.controllers = text(&root.join("cgroup.controllers"))
                .split_whitespace()
                .map(str::to_owned)
                .collect();
            groups.whole_tree = root.join("cgroup.controllers").exists() && !has_type(root);
        }
        groups
    }

    /// Without what only the files below `root` tell.
    pub fn from_mounts(mounts: &Mounts, root: &Path) -> Self {
        let v2_at = |path: &Path| mounts.at(path).filter(|m| m.file_system == "cgroup2");
        if let Some(mount) = v2_at(root) {
            return Self {
                version: Version::V2,
                read_only: named_if_read_only(mount),
                ..Self::default()
            };
        }
        let v1: Vec<&Mount> = mounts
            .below(root)
            .filter(|mount| mount.file_system == "cgroup")
            .collect();
        let controllers: Vec<String> = v1.iter().flat_map(|mount| controllers_of(mount)).collect();
        Self {
            version: match (v1.is_empty(), v2_at(&root.join("unified"))) {
                (true, _) => Version::None,
                (false, Some(_)) => Version::Hybrid,
                (false, None) => Version::V1,
            },
            read_only: v1.iter().find_map(|mount| named_if_read_only(mount)),
            controllers,
            ..Self::default()
        }
    }

    pub fn has(&self, controller: &str) -> bool {
        self.controllers.iter().any(|name| name == controller)
    }
}

/// The controllers of a v1 mount are among its super options; `name=systemd` is none.
fn controllers_of(mount: &Mount) -> impl Iterator<Item = String> {
    mount
        .super_options
        .split(',')
        .filter(|option| {
            !matches!(
                *option,
                "rw" | "ro"
                    | "xattr"
                    | "clone_children"
                    | "noprefix"
                    | "cpuset_v2_mode"
                    | "favordynmods"
            ) && !option.contains('=')
        })
        .map(str::to_owned)
}

/// Every cgroup v2 group has one but the root of the whole tree (`man 7 cgroups`).
pub fn has_type(group: &Path) -> bool {
    group.join("cgroup.type").exists()
}

fn named_if_read_only(mount: &Mount) -> Option<String> {
    mount.read_only.then(|| mount.point.display().to_string())
}

/// The path in the v2 tree, or else in the first v1 tree that has a controller.
fn own_path(text: &str) -> String {
    let path = |line: &str| line.splitn(3, ':').nth(2).map(str::to_owned);
    text.lines()
        .find(|line| line.starts_with("0::"))
        .or_else(|| text.lines().next())
        .and_then(path)
        .unwrap_or_default()
}

impl fmt::Display for ControlGroups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.version {
            Version::None => "control groups: none mounted",
            Version::V1 => "control groups: v1",
            Version::Hybrid => "control groups: v1 beside v2",
            Version::V2 => "control groups: v2",
        })?;
        if self.whole_tree {
            f.write_str(", the whole node's tree")?;
        }
        for tree in &self.wider {
            write!(f, ", others' groups in {}", tree.point.display())?;
        }
        if let Some(mount) = &self.read_only {
            write!(f, ", {mount} read-only")?;
        }
        write!(f, ", {}; at {}", self.controllers.join(" "), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mountinfo: &str) -> ControlGroups {
        ControlGroups::from_mounts(&Mounts::parse(mountinfo), Path::new(ROOT))
    }

    /// Read in podman containers on cgroup v1, with and without --privileged.
    fn v1(access: &str) -> String {
        format!(
            "144 133 0:68 / /sys/fs/cgroup rw,nosuid - tmpfs tmpfs rw,mode=755\n\
             145 144 0:29 /a /sys/fs/cgroup/cpu,cpuacct {access},nosuid - cgroup cgroup rw,cpu,cpuacct\n\
             174 144 0:33 /a /sys/fs/cgroup/devices {access},nosuid - cgroup cgroup rw,devices\n\
             178 144 0:37 /a /sys/fs/cgroup/systemd {access},nosuid - cgroup cgroup rw,xattr,name=systemd\n"
        )
    }

    #[test]
    fn cgroup_v1_is_read_with_its_controllers() {
        let groups = read(&v1("rw"));
        assert_eq!(groups.version, Version::V1);
        assert_eq!(groups.controllers, ["cpu", "cpuacct", "devices"]);
        assert_eq!(groups.read_only, None);
        let unprivileged = read(&v1("ro"));
        let first = "/sys/fs/cgroup/cpu,cpuacct";
        assert_eq!(unprivileged.read_only.as_deref(), Some(first));
    }

    #[test]
    fn a_v2_tree_beside_v1_is_not_the_one_that_counts() {
        let beside = "179 144 0:39 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let groups = read(&format!("{}{beside}", v1("rw")));
        assert_eq!(groups.version, Version::Hybrid);
        assert!(groups.has("devices"));
    }

    #[test]
    fn cgroup_v2_and_nothing_at_all_are_told_apart() {
        let groups = read("31 23 0:27 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup2 rw,nsdelegate");
        assert_eq!(groups.version, Version::V2);
        assert_eq!(groups.read_only.as_deref(), Some("/sys/fs/cgroup"));
        assert_eq!(
            read("31 23 0:27 / / rw - ext4 /dev/a rw").version,
            Version::None
        );
    }

    #[test]
    fn one_s_own_path_is_the_v2_one_where_there_is_one() {
        let mixed = "9:name=systemd:/x\n1:cpu:/x\n0::/kubepods/pod1/2";
        assert_eq!(own_path(mixed), "/kubepods/pod1/2");
        assert_eq!(own_path("4:memory:/docker/1:2\n"), "/docker/1:2");
        assert_eq!(own_path(""), "");
    }
}
