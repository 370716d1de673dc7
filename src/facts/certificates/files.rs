//! The files whose names mean something in a directory of certificates.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use nix::{sys::stat::FileStat, unistd::Uid};

use crate::{
    facts::file::ReadError,
    system::directory::{Directory, is_staged},
};

/// The CA certificates that a reader of the directory trusts.
pub const CA_CERTIFICATES: &str = "ca.pem";
pub const CERTIFICATE: &str = "cert.pem";
pub const KEY: &str = "key.pem";

/// Each killed publisher leaves three at most, and the next start removes them.
const MOST_HIDDEN: usize = 64;

/// The hidden name of a `ca.pem` of ours that is no longer to be read.
pub fn retired(name: &str) -> String {
    format!(".{name}.dind-init-old")
}

/// The certificates and keys, the hidden names of our own publishing, and the request that
/// official leaves beside a key.
pub fn known(names: &[String]) -> impl Iterator<Item = &String> {
    const SET: [&str; 3] = [CA_CERTIFICATES, CERTIFICATE, KEY];
    let is_hidden = |name: &str| SET.iter().any(|of| is_staged(name, of));
    let hidden = names.iter().filter(move |name| is_hidden(name));
    let others = names.iter().filter(|name| {
        let name = name.as_str();
        SET.contains(&name) || name == retired(CA_CERTIFICATES) || name == "csr.pem"
    });
    others.chain(hidden.take(MOST_HIDDEN))
}

/// One of the files whose names mean something here.
#[derive(Clone)]
pub struct File {
    pub path: PathBuf,
    pub content: Result<Vec<u8>, ReadError>,
    /// By its permission bits, with links followed.
    pub is_readable_by_all: bool,
    /// Whether it belongs to who runs this, and lies here under this name alone: nobody else made it.
    pub is_own: bool,
    /// A mount of its own: it can be neither replaced nor removed.
    pub is_mount: bool,
}

impl File {
    /// `path`: of the directory, as its user writes it.
    pub fn read(directory: &Directory, path: &Path, name: &str, is_mount: bool) -> Self {
        let path = path.join(name);
        let content = directory.read(name);
        let (itself, target) = (directory.stat_of(name), directory.stat_of_target(name));
        let is_own =
            |stat: FileStat| stat.st_uid == Uid::effective().as_raw() && stat.st_nlink == 1;
        Self {
            content: content.map_err(|error| ReadError::new(&path, &error)),
            is_readable_by_all: target.is_ok_and(|stat| stat.st_mode & 0o004 != 0),
            is_own: itself.is_ok_and(is_own),
            is_mount,
            path,
        }
    }
}

impl fmt::Debug for File {
    /// Without the content, which may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File")
            .field("path", &self.path)
            .field("content", &self.content.as_ref().map(Vec::len))
            .field("is_mount", &self.is_mount)
            .finish()
    }
}
