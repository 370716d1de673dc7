//! Files that a reader sees whole or not at all.

use std::{
    fs::Permissions,
    io,
    os::unix::fs::{MetadataExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
};

use super::directory::{Directory, resolved};

/// Replaces what a file of the user's holds and nothing else of it: mode and owner stay, and so
/// does a link of theirs that leads to it. It is synced to disk.
pub fn update(path: &Path, content: &[u8]) -> io::Result<()> {
    let path = resolved(path)?;
    let (directory, name) = parts(&path)?;
    let directory = Directory::open_of_user(&directory)?;
    let before = directory.stat_of(name)?;
    let mode = before.st_mode & 0o7777;
    let written = directory.replace_after(name, content, mode, |file| {
        let now = file.metadata()?;
        if (now.uid(), now.gid()) != (before.st_uid, before.st_gid) {
            fchown(file, Some(before.st_uid), Some(before.st_gid))?;
            // The kernel takes set-id bits away from what changes hands.
            file.set_permissions(Permissions::from_mode(mode))?;
        }
        file.sync_all()
    });
    match written {
        // A file that is mounted by itself, as in a container, can only be written to. So can one
        // whose group is not the caller's: another file would get another group, or wider rights.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::ResourceBusy | io::ErrorKind::PermissionDenied
            ) =>
        {
            directory.overwrite(name, content)
        }
        written => written,
    }
}

/// Writes `content` under a hidden name beside `path` and renames it. `mode` holds whatever the
/// umask is. It is not synced to disk: for what is made anew at each start.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let (directory, name) = parts(path)?;
    Directory::open(&directory)?.replace(name, content, mode)
}

fn parts(path: &Path) -> io::Result<(PathBuf, &str)> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| io::Error::other("a name that is no text"))?;
    let parent = path.parent().unwrap_or(Path::new("/"));
    Ok((Path::new(".").join(parent), name))
}
