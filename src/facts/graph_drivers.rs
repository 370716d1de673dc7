//! Which storage drivers dockerd has, and which of them left their data in the data directory.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use memchr::memmem;

use super::program;

/// Those that keep their data in a directory of their own name. `vfs` does too, but dockerd never
/// counts it as data of another driver (moby `daemon/graphdriver/driver.go`).
pub const NAMES: [&str; 7] = [
    "btrfs",
    "zfs",
    "overlay2",
    "fuse-overlayfs",
    "aufs",
    "overlay",
    "devicemapper",
];

/// The storage drivers of this data directory and of this dockerd.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct GraphDrivers {
    /// Those whose data lies in the data directory.
    pub with_data: Vec<&'static str>,
    /// Those that were compiled into this dockerd; `None` where that was not asked, or cannot be
    /// told.
    pub built_in: Option<Vec<&'static str>>,
}

impl GraphDrivers {
    /// Looks into the data directory, and into the program `dockerd` only where what it has makes
    /// a difference: that takes some 30 ms.
    ///
    /// `wanted`: the driver that was asked for by name.
    pub fn read(data_root: &Path, wanted: Option<&str>, dockerd: Option<&Path>) -> Self {
        let with_data: Vec<_> = NAMES
            .into_iter()
            .filter(|name| has_entries(&data_root.join(name)))
            .collect();
        let matters = match wanted {
            Some(name) => name != "overlay2" && NAMES.contains(&name),
            None => !matches!(with_data.as_slice(), [] | ["overlay2"]),
        };
        let dockerd = dockerd.filter(|_| matters);
        Self {
            built_in: dockerd.and_then(|path| built_in(File::open(path).ok()?).ok()?),
            with_data,
        }
    }

    /// Whether this dockerd is known to have the driver.
    pub fn has(&self, name: &str) -> bool {
        let known = self.built_in.as_ref();
        known.is_some_and(|names| names.contains(&name))
    }

    /// Whether this dockerd is known to lack the driver.
    pub fn lacks(&self, name: &str) -> bool {
        self.built_in.is_some() && !self.has(name)
    }
}

/// dockerd ignores empty directories.
fn has_entries(directory: &Path) -> bool {
    fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some())
}

/// Every Go program names its functions, stripped or not, and each driver has one `Init`. Debian's
/// builds and Docker's own differ in what they leave out, and versions do.
fn built_in(program: impl Read) -> io::Result<Option<Vec<&'static str>>> {
    let mut found = BTreeSet::new();
    program::read_until(program, |piece| {
        for at in memmem::find_iter(piece, PACKAGES) {
            let rest = &piece[at + PACKAGES.len()..];
            let names = NAMES.into_iter().chain([VFS]);
            found.extend(names.filter(|name| is_init_of(name, rest)));
        }
        false
    })?;
    // All have vfs; what has not is a script, or packed.
    Ok(found
        .contains(VFS)
        .then(|| NAMES.into_iter().filter(|n| found.contains(n)).collect()))
}

const PACKAGES: &[u8] = b"graphdriver/";
/// The one that every dockerd has.
pub const VFS: &str = "vfs";

fn is_init_of(name: &str, rest: &[u8]) -> bool {
    let package = match name {
        "devicemapper" => "devmapper",
        same => same,
    };
    rest.strip_prefix(package.as_bytes())
        .is_some_and(|rest| rest.starts_with(b".Init"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Function names as in Debian's dockerd 26.1.5.
    const PROGRAM: &str = "\x7fELF graphdriver/btrfs.Init\0graphdriver/overlay2.Init\0\
                           graphdriver/fuse-overlayfs.Init\0graphdriver/vfs.Init\0";

    #[test]
    fn what_is_compiled_in_is_told_by_go_s_own_names() {
        let found = |program: &[u8]| built_in(program).unwrap();
        let expected = vec!["btrfs", "overlay2", "fuse-overlayfs"];
        assert_eq!(found(PROGRAM.as_bytes()), Some(expected));
        assert_eq!(found(b"#!/bin/sh\nexec dockerd.real"), None);
        let overlay_only = b"graphdriver/overlay.Init graphdriver/vfs.Init";
        assert_eq!(found(overlay_only), Some(vec!["overlay"]));
    }

    #[test]
    fn only_directories_with_something_in_them_count_and_vfs_never() {
        let root = tempfile::tempdir().unwrap();
        for directory in [
            "overlay2/l",
            "btrfs",
            "vfs/dir",
            "aufs/diff",
            "image/overlay2",
        ] {
            fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        let found = GraphDrivers::read(root.path(), None, None);
        assert_eq!(found.with_data, ["overlay2", "aufs"]);
        assert!(
            !found.has("aufs") && !found.lacks("aufs"),
            "nothing is known"
        );
    }

    #[test]
    fn the_program_is_read_only_where_it_matters() {
        let root = tempfile::tempdir().unwrap();
        let program = root.path().join("dockerd");
        fs::write(&program, PROGRAM).unwrap();
        let read = |wanted| GraphDrivers::read(root.path(), wanted, Some(&program));
        fs::create_dir_all(root.path().join("overlay2/l")).unwrap();
        assert_eq!(read(None).built_in, None);
        assert_eq!(read(Some("overlay2")).built_in, None);
        assert!(read(Some("devicemapper")).lacks("devicemapper"));
        fs::create_dir_all(root.path().join("aufs/diff")).unwrap();
        assert!(read(None).lacks("aufs") && read(None).has("overlay2"));
    }
}
