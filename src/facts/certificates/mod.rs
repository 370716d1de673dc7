//! What lies in the directory of `DOCKER_TLS_CERTDIR`, and on what.

mod files;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    unistd::{AccessFlags, Uid, access},
};

use self::files::known;
pub use self::files::{CA_CERTIFICATES, CERTIFICATE, File, KEY, retired};
use super::{
    file::ReadError,
    mounts::{Mount, Mounts, VolumeKind},
};
use crate::system::directory::{self, is_staged};

/// `$DOCKER_TLS_CERTDIR` as it is found.
#[derive(Clone, Debug)]
pub struct CertificateDirectory {
    pub path: PathBuf,
    pub ca: Directory,
    pub server: Directory,
    pub client: Directory,
}

impl CertificateDirectory {
    /// Reads the three directories. Changes nothing, and never fails as a whole.
    pub fn survey(path: &Path, mounts: &Mounts) -> Self {
        Self {
            path: path.to_owned(),
            ca: Directory::survey(&path.join("ca"), mounts),
            server: Directory::survey(&path.join("server"), mounts),
            client: Directory::survey(&path.join("client"), mounts),
        }
    }
}

/// One of `ca/`, `server/` and `client/`.
#[derive(Clone, Debug)]
pub struct Directory {
    /// As the user writes it; the mount was looked up with links resolved.
    pub path: PathBuf,
    pub presence: Presence,
    /// The mount that it lies on, or would lie on.
    pub mount: Option<Mount>,
    pub volume: VolumeKind,
    pub access: Access,
    /// The user who runs this.
    pub user: u32,
    /// `None` where it is missing.
    pub owner: Option<Owner>,
    /// Everything in it, sorted, without the `..` entries of Kubernetes' volumes.
    pub names: Vec<String>,
    files: BTreeMap<String, File>,
}

impl Directory {
    /// Reads one directory.
    pub fn survey(path: &Path, mounts: &Mounts) -> Self {
        Self::read(path, directory::Directory::open(path).as_ref(), mounts)
    }

    /// Reads one that is open.
    pub fn survey_opened(opened: &directory::Directory, mounts: &Mounts) -> Self {
        Self::read(opened.path(), Ok(opened), mounts)
    }

    fn read(
        path: &Path,
        opened: Result<&directory::Directory, &io::Error>,
        mounts: &Mounts,
    ) -> Self {
        let resolved = resolve(path);
        let (presence, mut names) = list(path, opened);
        let opened = opened.ok();
        let has_data_link = names.iter().any(|name| name == "..data");
        names.retain(|name| !name.starts_with(".."));
        names.sort();
        let mount = mounts.holding(&resolved).cloned();
        Self {
            volume: mount
                .as_ref()
                .map_or(VolumeKind::Other, |mount| mount.kind(has_data_link)),
            access: Access::of(path),
            user: Uid::current().as_raw(),
            owner: opened
                .and_then(|opened| opened.stat().ok())
                .map(|stat| Owner {
                    user: stat.st_uid,
                    group: stat.st_gid,
                    mode: stat.st_mode & 0o7777,
                }),
            files: opened.map_or_else(BTreeMap::new, |opened| {
                let read = |name: &String| {
                    let is_mount = mounts.at(&resolved.join(name)).is_some();
                    (name.clone(), File::read(opened, path, name, is_mount))
                };
                known(&names).map(read).collect()
            }),
            path: path.to_owned(),
            presence,
            mount,
            names,
        }
    }

    /// The file, if there is one of that name, whatever it holds.
    pub fn file(&self, name: &str) -> Option<&File> {
        self.files.get(name)
    }

    /// What the file holds; `None` if it is missing, empty (official counts that as missing) or
    /// cannot be read.
    pub fn content(&self, name: &str) -> Option<&[u8]> {
        let content = self.file(name)?.content.as_ref().ok()?;
        (!content.is_empty()).then_some(content)
    }

    /// What publishers that were killed have left of this file, under hidden names.
    pub fn staged(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let hidden = self
            .files
            .keys()
            .filter(move |hidden| is_staged(hidden, name));
        hidden.filter_map(|hidden| self.content(hidden))
    }

    /// The published files that are there but could not be read.
    pub fn unreadable(&self) -> impl Iterator<Item = &ReadError> {
        [CA_CERTIFICATES, CERTIFICATE, KEY]
            .into_iter()
            .filter_map(|name| self.file(name)?.content.as_ref().err())
    }

    /// The known files that are each a mount of their own (`sub_path`).
    pub fn mounted_files(&self) -> impl Iterator<Item = &File> {
        self.files.values().filter(|file| file.is_mount)
    }

    /// Whether it lies on a volume, not just in the container's own file system.
    pub fn is_on_volume(&self) -> bool {
        self.mount
            .as_ref()
            .is_some_and(|mount| mount.point != Path::new("/"))
    }
}

/// Whether there is a directory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Presence {
    Missing,
    Present,
    /// It is there and cannot be listed, or is no directory.
    Unreadable(ReadError),
}

/// Whether files can be made in a directory (or it itself, where it is missing).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    Writable,
    /// The file system is mounted read-only.
    ReadOnly,
    /// Mode bits, ownership or a security module forbid it.
    Denied,
}

impl Access {
    /// As `access(2)` tells it: root is not stopped by modes, but by a read-only mount.
    fn of(path: &Path) -> Self {
        let mut existing = path;
        loop {
            match access(existing, AccessFlags::W_OK | AccessFlags::X_OK) {
                Ok(()) => return Self::Writable,
                Err(Errno::EROFS) => return Self::ReadOnly,
                Err(Errno::ENOENT) => match existing.parent() {
                    Some(parent) => existing = parent,
                    None => return Self::Denied,
                },
                Err(_) => return Self::Denied,
            }
        }
    }
}

/// Whose a directory is, and its permission bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Owner {
    pub user: u32,
    pub group: u32,
    pub mode: u32,
}

/// The path with links resolved as far as it exists.
fn resolve(path: &Path) -> PathBuf {
    if let Ok(resolved) = path.canonicalize() {
        return resolved;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => resolve(parent).join(name),
        _ => path.to_owned(),
    }
}

fn list(path: &Path, opened: Result<&directory::Directory, &io::Error>) -> (Presence, Vec<String>) {
    let names = match opened {
        Ok(opened) => opened.names(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return (Presence::Missing, Vec::new());
        }
        Err(error) => {
            return (
                Presence::Unreadable(ReadError::new(path, error)),
                Vec::new(),
            );
        }
    };
    match names {
        Ok(names) => {
            let names = names.iter().map(|name| name.to_string_lossy().into_owned());
            (Presence::Present, names.collect())
        }
        Err(error) => (
            Presence::Unreadable(ReadError::new(path, &error)),
            Vec::new(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use nix::{sys::stat::Mode, unistd::mkfifo};

    use super::*;
    use crate::system::directory::tempdir_on_root_mount;

    fn survey(path: &Path) -> Directory {
        Directory::survey(path, &Mounts::parse("1 0 0:1 / / rw - ext4 /dev/vda rw"))
    }

    #[test]
    fn pipes_and_huge_files_are_not_read_and_say_so() {
        let root = tempdir_on_root_mount();
        let path = root.path();
        mkfifo(&path.join(KEY), Mode::S_IRWXU).unwrap();
        fs::write(path.join(CERTIFICATE), vec![b'x'; 2 << 20]).unwrap();
        symlink("nowhere", path.join(CA_CERTIFICATES)).unwrap();
        let directory = survey(path);
        let mut errors: Vec<_> = directory.unreadable().map(|e| &*e.message).collect();
        errors.sort_unstable();
        assert_eq!(
            errors,
            [
                "No such file or directory (os error 2)",
                "larger than 1 MiB",
                "not a regular file"
            ]
        );
    }

    #[test]
    fn a_secrets_directory_is_known_by_its_link_and_read_through_it() {
        let root = tempdir_on_root_mount();
        let path = root.path();
        fs::create_dir(path.join("..2026_x")).unwrap();
        fs::write(path.join("..2026_x/ca.pem"), "x").unwrap();
        symlink("..2026_x", path.join("..data")).unwrap();
        symlink("..data/ca.pem", path.join(CA_CERTIFICATES)).unwrap();
        let directory = survey(path);
        assert_eq!(directory.names, [CA_CERTIFICATES]);
        assert_eq!(directory.content(CA_CERTIFICATES), Some(&b"x"[..]));
    }

    #[test]
    fn an_empty_file_counts_as_missing_and_a_missing_directory_as_its_parent() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(KEY), "").unwrap();
        assert_eq!(survey(root.path()).content(KEY), None);
        let missing = survey(&root.path().join("certs/client"));
        assert_eq!(missing.presence, Presence::Missing);
        assert_eq!(missing.access, Access::Writable);
        assert!(!missing.is_on_volume());
    }
}
