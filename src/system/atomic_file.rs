//! Files that a reader sees whole or not at all.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::Path,
};

/// Replaces what a file holds and nothing else of it: mode and owner stay, and so does a link that
/// leads to it. It is synced to disk.
pub fn update(path: &Path, content: &[u8]) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let before = fs::metadata(&path)?;
    let mode = before.permissions().mode();
    let written = write(&path, content, mode, |file| {
        let now = file.metadata()?;
        if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
            fchown(file, Some(before.uid()), Some(before.gid()))?;
            // The kernel takes set-id bits away from what changes hands.
            file.set_permissions(before.permissions())?;
        }
        file.sync_all()
    });
    match written {
        // A file that is mounted by itself, as in a container, can only be written to.
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => fs::write(&path, content),
        written => written,
    }
}

/// Writes `content` under a hidden name beside `path` and renames it. `mode` holds whatever the
/// umask is. It is not synced to disk: for what is made anew at each start.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    write(path, content, mode, |_| Ok(()))
}

/// The hidden name under which a file of ours is written before it is renamed to `name`.
pub fn staged(name: &str) -> String {
    format!(".{name}.dind-init-new")
}

/// `finish`: what is to be done to the file before it has its name.
fn write(
    path: &Path,
    content: &[u8],
    mode: u32,
    finish: impl Fn(&fs::File) -> io::Result<()>,
) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let staged = path.with_file_name(staged(&name));
    let write = || {
        let mut file = fs::File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(&staged)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(content)?;
        finish(&file)?;
        fs::rename(&staged, path)
    };
    write().inspect_err(|_| {
        // What is half written is of no use to anybody.
        let _ = fs::remove_file(&staged);
    })
}
