//! What is mounted where in this container, and what kind of volume it is.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

/// The mounts of this container, in the kernel's order.
#[derive(Clone, Debug, Default)]
pub struct Mounts(Vec<Mount>);

impl Mounts {
    /// Reads `/proc/self/mountinfo`.
    pub fn read() -> io::Result<Self> {
        Ok(Self::parse(&fs::read_to_string("/proc/self/mountinfo")?))
    }

    /// Parses the text of a mountinfo file (`man 5 proc_pid_mountinfo`); other lines are skipped.
    pub fn parse(text: &str) -> Self {
        Self(text.lines().filter_map(Mount::parse).collect())
    }

    /// The mount that `path` (absolute, links resolved by the caller) lies on.
    ///
    /// Of two mounts on one point the later one hides the earlier.
    pub fn holding(&self, path: &Path) -> Option<&Mount> {
        let mut best: Option<&Mount> = None;
        for mount in self.0.iter().filter(|m| path.starts_with(&m.point)) {
            if best.is_none_or(|b| mount.point.components().count() >= b.point.components().count())
            {
                best = Some(mount);
            }
        }
        best
    }

    /// The mount whose mount point is exactly `path`.
    pub fn at(&self, path: &Path) -> Option<&Mount> {
        self.0.iter().rev().find(|m| m.point == path)
    }

    /// The mounts directly or deeper below `directory`, itself excluded.
    pub fn below<'a>(&'a self, directory: &'a Path) -> impl Iterator<Item = &'a Mount> {
        self.0
            .iter()
            .filter(move |m| m.point != directory && m.point.starts_with(directory))
    }
}

/// One line of mountinfo.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mount {
    /// The path inside the file system that is mounted here.
    pub root: PathBuf,
    pub point: PathBuf,
    /// From the per-mount options: in a Secret's volume the super options still say `rw`.
    pub read_only: bool,
    pub file_system: String,
    pub source: String,
    /// Those of the file system, which of cgroup v1 name its controllers.
    pub super_options: String,
}

impl Mount {
    fn parse(line: &str) -> Option<Self> {
        let (per_mount, per_super) = line.split_once(" - ")?;
        let mut fields = per_mount.split(' ').skip(3);
        let root = unescape(fields.next()?);
        let point = unescape(fields.next()?);
        let read_only = fields.next()?.split(',').any(|option| option == "ro");
        let mut fields = per_super.split(' ');
        Some(Self {
            root: root.into(),
            point: point.into(),
            read_only,
            file_system: fields.next()?.to_owned(),
            source: unescape(fields.next().unwrap_or_default()),
            super_options: fields.next().unwrap_or_default().to_owned(),
        })
    }

    /// The kind of volume, as far as a container can tell.
    ///
    /// `has_data_link` says whether the mounted directory holds the `..data` link of Kubernetes'
    /// Secret and ConfigMap volumes.
    pub fn kind(&self, has_data_link: bool) -> VolumeKind {
        let root = self.root.to_string_lossy();
        if root.contains("/kubernetes.io~configmap/") {
            VolumeKind::ConfigMap
        } else if root.contains("/kubernetes.io~empty-dir/") {
            VolumeKind::EmptyDir
        } else if root.contains("/..20") {
            // A sub_path of a Secret or ConfigMap is one file of its timestamped directory.
            VolumeKind::SubPath
        } else if has_data_link && self.file_system == "tmpfs" {
            VolumeKind::Secret
        } else if has_data_link {
            VolumeKind::SecretOrConfigMap
        } else if self.point == Path::new("/") {
            VolumeKind::RootFileSystem
        } else if self.file_system == "tmpfs" && self.root == Path::new("/") {
            VolumeKind::EmptyDir
        } else {
            VolumeKind::Other
        }
    }
}

/// What a mount is to the person who wrote the pod or the runner's configuration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum VolumeKind {
    Secret,
    ConfigMap,
    /// Has the `..data` link, but not the file system of a kubelet's Secret.
    SecretOrConfigMap,
    /// A single file of a Secret or ConfigMap, mounted by `sub_path`.
    SubPath,
    /// An emptyDir, or another tmpfs of this container alone.
    EmptyDir,
    /// The container's own file system, not a volume.
    RootFileSystem,
    /// A host path, a named volume, a persistent volume claim.
    Other,
}

impl fmt::Display for VolumeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret => "Secret volume",
            Self::ConfigMap => "ConfigMap volume",
            Self::SecretOrConfigMap => "Secret or ConfigMap volume",
            Self::SubPath => "single file of a Secret or ConfigMap, mounted by sub_path",
            Self::EmptyDir => "emptyDir (tmpfs)",
            Self::RootFileSystem => "container's own file system",
            Self::Other => "volume",
        })
    }
}

/// Undoes the kernel's octal escapes of space, tab, newline and backslash.
fn unescape(field: &str) -> String {
    let mut text = String::with_capacity(field.len());
    let mut rest = field;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 4);
        match code.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                text.push(char::from(byte));
                rest = &rest[at + 4..];
            }
            None => {
                text.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Read in a Kubernetes 1.34 pod.
    const POD: &str = "\
600 599 0:60 / / rw,relatime - overlay overlay rw,lowerdir=/a,upperdir=/b
601 600 0:61 / /v/edmem rw,relatime - tmpfs tmpfs rw,size=1k,noswap
602 600 8:1 /k/pods/1-2/volumes/kubernetes.io~empty-dir/NAME /v/eddisk rw,relatime - ext4 /dev/vda rw
603 600 0:62 / /v/sec ro,relatime - tmpfs tmpfs rw,size=1k,noswap
604 600 8:1 /k/pods/1-2/volumes/kubernetes.io~configmap/NAME /v/cm ro,relatime - ext4 /dev/vda rw
605 600 0:63 /..2026_11_23_05_19_30.3389648350/ca.pem /v/single/ca.pem ro,relatime - tmpfs tmpfs rw
606 600 8:1 /path/on\\040node /v/h\\040p rw,relatime shared:7 - ext4 /dev/vda rw
not a mountinfo line";

    #[test]
    fn every_kind_of_kubernetes_volume_is_told_apart() {
        let mounts = Mounts::parse(POD);
        for (path, has_data_link, kind, read_only) in [
            ("/v/edmem/x", false, VolumeKind::EmptyDir, false),
            ("/v/eddisk", false, VolumeKind::EmptyDir, false),
            ("/v/sec/ca.pem", true, VolumeKind::Secret, true),
            ("/v/cm", true, VolumeKind::ConfigMap, true),
            ("/v/single/ca.pem", false, VolumeKind::SubPath, true),
            ("/v/single", false, VolumeKind::RootFileSystem, false),
            ("/v/h p/deep/er", false, VolumeKind::Other, false),
            ("/v/edmemory", false, VolumeKind::RootFileSystem, false),
        ] {
            let mount = mounts.holding(Path::new(path)).expect(path);
            assert_eq!(mount.kind(has_data_link), kind, "{path}");
            assert_eq!(mount.read_only, read_only, "{path}");
        }
    }

    #[test]
    fn of_two_mounts_on_one_point_the_later_one_counts() {
        let mounts = Mounts::parse(
            "1 0 0:1 / /certs rw - ext4 /dev/a rw\n2 1 0:2 / /certs ro - tmpfs tmpfs rw",
        );
        assert!(mounts.holding(Path::new("/certs")).unwrap().read_only);
        assert!(mounts.at(Path::new("/certs")).unwrap().read_only);
        assert_eq!(mounts.below(Path::new("/")).count(), 2);
        assert!(mounts.holding(Path::new("relative")).is_none());
    }
}
