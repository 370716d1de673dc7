//! Volumes as a GitLab job's pod has them.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;

/// A directory of this machine that several containers, or several pods, share.
/// Clones are the same volume; it is removed with the last of them.
#[derive(Clone, Debug)]
pub struct Volume {
    /// Fields are dropped in their order: unmounted first, removed then.
    _tmpfs: Option<Arc<Tmpfs>>,
    _directory: Arc<TempDir>,
    path: PathBuf,
    read_only: bool,
}

/// A tmpfs that is mounted on this machine.
#[derive(Debug)]
struct Tmpfs(PathBuf);

impl Volume {
    /// An emptyDir with `medium: Memory`: a tmpfs, writable for everybody.
    pub fn memory() -> Self {
        Self::new(TempDir::with_prefix_in("dind-e2e-", "/dev/shm").unwrap())
    }

    /// An emptyDir with `medium: Memory` and a `sizeLimit`, such as `64k`.
    pub fn memory_of(size: &str) -> Self {
        let mut volume = Self::disk();
        let path = volume.path().to_owned();
        let options = format!("mode=0777,size={size}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(&path)
            .status();
        assert!(mounted.unwrap().success(), "no tmpfs on {}", path.display());
        volume._tmpfs = Some(Arc::new(Tmpfs(path)));
        volume
    }

    /// A ConfigMap: as a Secret, but on the node's disk, in a directory whose name says what it is.
    pub fn config_map(files: &[(&str, &str)]) -> Self {
        let parent = Self::disk();
        let path = parent
            .path
            .join("volumes/kubernetes.io~configmap/docker-certs");
        fs::create_dir_all(&path).unwrap();
        lay_out(&path, files);
        Self { path, ..parent }.read_only()
    }

    /// An emptyDir, or a runner's persistent volume, on disk. (/var/tmp is a disk where /tmp may not be.)
    pub fn disk() -> Self {
        Self::new(TempDir::with_prefix_in("dind-e2e-", "/var/tmp").unwrap())
    }

    /// A Secret or ConfigMap as the kubelet lays it out: the files are links through `..data` into
    /// a directory with a time stamp, and the mount is read-only.
    pub fn secret(files: &[(&str, &str)]) -> Self {
        let volume = Self::memory();
        lay_out(&volume.path, files);
        volume.read_only()
    }

    /// The same directory, mounted read-only.
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// The directory on this machine.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The value of `podman run --volume` that mounts it at `target`.
    pub fn mount_at(&self, target: &str) -> String {
        let mode = if self.read_only { "ro" } else { "rw" };
        format!("{}:{target}:{mode}", self.path().display())
    }

    /// Every regular file below it, with its content, by path relative to the volume.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut directories = vec![self.path().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(&directory).unwrap() {
                let entry = entry.unwrap();
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    directories.push(entry.path());
                } else if kind.is_file() {
                    let path = entry.path();
                    let relative = path.strip_prefix(self.path()).unwrap().to_owned();
                    files.insert(relative, fs::read(&path).unwrap());
                }
            }
        }
        files
    }

    /// Asserts that the files are the same, byte for byte, as in `before`.
    #[track_caller]
    pub fn expect_unchanged(&self, before: &BTreeMap<PathBuf, Vec<u8>>) {
        let after = self.files();
        let differing: Vec<_> = after
            .keys()
            .chain(before.keys())
            .filter(|&path| before.get(path) != after.get(path))
            .collect();
        assert!(differing.is_empty(), "not as they were: {differing:?}");
    }

    fn new(directory: TempDir) -> Self {
        fs::set_permissions(directory.path(), Permissions::from_mode(0o777)).unwrap();
        Self {
            _tmpfs: None,
            path: directory.path().to_owned(),
            _directory: Arc::new(directory),
            read_only: false,
        }
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // What is still in use goes with the last who uses it.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn lay_out(volume: &Path, files: &[(&str, &str)]) {
    let generation = "..2026_11_23_05_19_30.3389648350";
    fs::create_dir(volume.join(generation)).unwrap();
    symlink(generation, volume.join("..data")).unwrap();
    for (name, content) in files {
        fs::write(volume.join(generation).join(name), content).unwrap();
        symlink(Path::new("..data").join(name), volume.join(name)).unwrap();
    }
}
