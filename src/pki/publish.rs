//! Writes certificate files so that a reader never sees half of one, nor a mixed set.
//!
//! Every file is written under a hidden name in its own directory, synced, and renamed. A set
//! (`key.pem`, `cert.pem`, `ca.pem`) is published into a directory from which the old one was
//! [`retire`]d; `ca.pem` goes first and comes last. So a reader that reads `ca.pem`, `cert.pem`,
//! `key.pem` and `ca.pem` again, and finds the same `ca.pem` both times, has a whole set.
//!
//! A kill at any instant leaves a directory that `origin` still knows as ours: a key is
//! never alone without the certificate (published or hidden) that it belongs to, and a certificate
//! never without the CA (published or hidden) that signed it.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use nix::libc;

use crate::{
    facts::certificates::{CA_CERTIFICATES, CERTIFICATE, KEY, retired},
    reasons::{Finding, certs, hole::Hole},
    system::{atomic_file::staged, directory::WriteError},
};

/// Readable by everyone: certificates, and the client's key, because jobs that are not root use it.
pub const PUBLIC: u32 = 0o644;
/// Readable by the owner alone: the keys of the server and the CA.
pub const PRIVATE: u32 = 0o600;

/// A file to be written.
pub struct NewFile<'a> {
    pub name: &'a str,
    pub content: &'a [u8],
    /// Permission bits, whatever the umask.
    pub mode: u32,
}

/// Takes a set of ours out of the directory, `ca.pem` first; other files stay.
///
/// Also removes what a killed publisher left under hidden names.
pub fn retire(directory: &Path) -> Result<(), WriteError> {
    let published = directory.join(CA_CERTIFICATES);
    // Renamed, not removed: until the rest is gone too, it shows whose set this was.
    match fs::rename(&published, directory.join(retired(CA_CERTIFICATES))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        renamed => renamed.map_err(WriteError::at("rename", &published))?,
    }
    for name in [
        KEY.to_owned(),
        CERTIFICATE.to_owned(),
        staged(KEY),
        staged(CERTIFICATE),
        staged(CA_CERTIFICATES),
        retired(CA_CERTIFICATES),
    ] {
        remove(&directory.join(name))?;
    }
    Ok(())
}

/// Publishes files that belong together, in this order; all are on disk before the first appears.
pub fn publish(directory: &Path, files: &[NewFile<'_>]) -> Result<(), WriteError> {
    let staged_all = files.iter().try_for_each(|file| stage(directory, file));
    if staged_all.is_err() {
        // A full disk should not stay full because of us. What cannot be removed now, the next
        // start removes.
        for file in files {
            let _ = fs::remove_file(directory.join(staged(file.name)));
        }
    }
    staged_all?;
    for file in files {
        let hidden = directory.join(staged(file.name));
        let path = directory.join(file.name);
        fs::rename(&hidden, &path).map_err(WriteError::at("write", &path))?;
    }
    sync(directory)
}

fn stage(directory: &Path, file: &NewFile<'_>) -> Result<(), WriteError> {
    let path = directory.join(staged(file.name));
    remove(&path)?;
    let write = || {
        let mut staged = fs::File::options()
            .write(true)
            .create_new(true)
            .mode(file.mode)
            .open(&path)?;
        staged.set_permissions(fs::Permissions::from_mode(file.mode))?;
        staged.write_all(file.content)?;
        staged.sync_all()
    };
    write().map_err(WriteError::at("write", &directory.join(file.name)))
}

fn remove(path: &Path) -> Result<(), WriteError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(WriteError::at("remove", path)),
    }
}

/// Makes the renames last through a power cut, where the file system can.
fn sync(directory: &Path) -> Result<(), WriteError> {
    match fs::File::open(directory).and_then(|handle| handle.sync_all()) {
        // Some network and FUSE file systems sync no directories.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(()),
        synced => synced.map_err(WriteError::at("sync", directory)),
    }
}

/// The error as a reason of the catalogue.
impl From<WriteError> for Finding {
    fn from(error: WriteError) -> Self {
        let directory = error.path.parent().unwrap_or(&error.path);
        let at = [(Hole::Directory, directory.display().to_string())];
        let cause = error.to_string();
        match error.source.raw_os_error() {
            Some(libc::ENOSPC | libc::EDQUOT) => certs::FULL.met_with(cause, at),
            Some(libc::EROFS) => certs::READONLY.met_with(cause, at),
            Some(libc::EACCES | libc::EPERM) => certs::DENIED.met_with(cause, at),
            Some(libc::EBUSY) => certs::SUBPATH.met_with(cause, at),
            _ => certs::IO.met(cause),
        }
    }
}
