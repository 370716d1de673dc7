//! Files that a reader sees whole or not at all.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use crate::facts::certificates::staged;

/// Writes `content` under a hidden name beside `path` and renames it. `mode` holds whatever the
/// umask is. It is not synced to disk: for what is made anew at each start.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
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
        fs::rename(&staged, path)
    };
    write().inspect_err(|_| {
        // What is half written is of no use to anybody.
        let _ = fs::remove_file(&staged);
    })
}
