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

use std::io;

use nix::libc;

use crate::{
    facts::certificates::{CA_CERTIFICATES, CERTIFICATE, KEY, retired},
    reasons::{Finding, certs, hole::Hole},
    system::directory::{Directory, WriteError},
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
pub fn retire(directory: &Directory) -> Result<(), WriteError> {
    let at = |action, name: &str| WriteError::at(action, &directory.path().join(name));
    // Renamed, not removed: until the rest is gone too, it shows whose set this was.
    match directory.rename(CA_CERTIFICATES, &retired(CA_CERTIFICATES)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        renamed => renamed.map_err(at("rename", CA_CERTIFICATES))?,
    }
    for name in [KEY, CERTIFICATE] {
        directory.remove(name).map_err(at("remove", name))?;
    }
    for name in [KEY, CERTIFICATE, CA_CERTIFICATES] {
        directory.remove_staged(name).map_err(at("remove", name))?;
    }
    let last = retired(CA_CERTIFICATES);
    directory.remove(&last).map_err(at("remove", &last))
}

/// Publishes files that belong together, in this order; all are on disk before the first appears.
pub fn publish(directory: &Directory, files: &[NewFile<'_>]) -> Result<(), WriteError> {
    let mut hidden = Vec::new();
    let staged_all = files.iter().try_for_each(|file| {
        hidden.push(stage(directory, file)?);
        Ok(())
    });
    if staged_all.is_err() {
        // A full disk should not stay full because of us. What cannot be removed now, the next
        // start removes.
        for name in &hidden {
            let _ = directory.remove(name);
        }
    }
    staged_all?;
    for (file, hidden) in files.iter().zip(&hidden) {
        let path = directory.path().join(file.name);
        let renamed = directory.rename(hidden, file.name);
        renamed.map_err(WriteError::at("write", &path))?;
    }
    directory
        .sync()
        .map_err(WriteError::at("sync", directory.path()))
}

/// Returns the hidden name. What others who were killed have left for this file goes first.
fn stage(directory: &Directory, file: &NewFile<'_>) -> Result<String, WriteError> {
    let path = directory.path().join(file.name);
    let removed = directory.remove_staged(file.name);
    removed.map_err(WriteError::at("remove", &path))?;
    let staged = directory.stage(file.name, file.content, file.mode, |staged| {
        staged.sync_all()
    });
    staged.map_err(WriteError::at("write", &path))
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

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::*;

    #[test]
    fn what_cannot_be_written_has_the_reason_that_mends_it() {
        for (errno, id) in [
            (libc::ENOSPC, "CERTS-FULL"),
            (libc::EDQUOT, "CERTS-FULL"),
            (libc::EROFS, "CERTS-READONLY"),
            (libc::EACCES, "CERTS-DENIED"),
            (libc::EPERM, "CERTS-DENIED"),
            (libc::EBUSY, "CERTS-SUBPATH"),
            (libc::EIO, "CERTS-IO"),
        ] {
            let error = WriteError {
                action: "write",
                path: "/certs/client/ca.pem".into(),
                source: io::Error::from_raw_os_error(errno),
            };
            let finding = Finding::from(error);
            assert_eq!(finding.reason.id, id);
            assert!(finding.cause.contains("/certs/client/ca.pem"), "{finding}");
        }
    }

    #[test]
    fn where_ca_pem_cannot_go_first_the_set_stays() {
        let root = tempdir().unwrap();
        let directory = Directory::open(root.path()).unwrap();
        fs::write(root.path().join(KEY), "key").unwrap();
        // A directory cannot be renamed to the name of a file.
        fs::create_dir(root.path().join(CA_CERTIFICATES)).unwrap();
        fs::write(root.path().join(retired(CA_CERTIFICATES)), "").unwrap();
        let error = retire(&directory).unwrap_err();
        assert_eq!(error.action, "rename");
        assert!(root.path().join(KEY).exists());
        // None at all is what an empty directory has.
        fs::remove_dir(root.path().join(CA_CERTIFICATES)).unwrap();
        retire(&directory).unwrap();
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }

    /// A set that is half gone would be taken for somebody's; what somebody put there is nobody's to
    /// remove.
    #[test]
    fn of_a_retired_set_nothing_stays_and_all_else_does() {
        let root = tempdir().unwrap();
        let directory = Directory::open(root.path()).unwrap();
        for name in [KEY, CERTIFICATE, CA_CERTIFICATES] {
            fs::write(root.path().join(name), "published").unwrap();
            let staged = directory.stage(name, b"of one that was killed", PRIVATE, |_| Ok(()));
            assert!(root.path().join(staged.unwrap()).exists());
        }
        for name in ["csr.pem", ".notes"] {
            fs::write(root.path().join(name), "somebody's").unwrap();
        }
        retire(&directory).unwrap();
        let mut left = directory.names().unwrap();
        left.sort();
        assert_eq!(left, [".notes", "csr.pem"]);
    }
}
