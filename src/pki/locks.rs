//! What is locked while certificates are made and served, so that one dind has a directory alone.

use std::{io, path::Path, time::Duration};

use super::decide::{ClientAction, Decision, ServerAction};
use crate::{
    facts::certificates::{Access, CertificateDirectory, Directory, KEY, Presence},
    reasons::{Finding, certs},
    system::directory_lock::{DirectoryLock, Locking},
};

/// What has to be locked before anything is written.
pub(super) struct Locks<'a> {
    pub(super) directory: &'a Path,
    /// Only while the CA is read and written; elsewhere others may use the same CA.
    pub(super) ca: Option<&'a Path>,
}

impl<'a> Locks<'a> {
    /// `None` where nothing is going to be written.
    pub(super) fn needed(
        found: &'a CertificateDirectory,
        decided: &Result<Decision, Finding>,
    ) -> Option<Self> {
        let directory = match decided {
            Ok(decision) => directory_to_lock(found, decision)?,
            // Perhaps only a glimpse of another dind that was publishing just now.
            Err(_) => is_present_and_writable(&found.client).then_some(&*found.client.path)?,
        };
        let decided = decided.as_ref();
        let uses_ca = found.ca.content(KEY).is_some()
            || decided.is_ok_and(|decision| decision.ca_directory.is_some());
        Some(Self {
            directory,
            ca: uses_ca.then_some(&*found.ca.path),
        })
    }
}

/// The directory that must be ours alone: the one that clients read, or that is written.
fn directory_to_lock<'a>(found: &'a CertificateDirectory, decision: &Decision) -> Option<&'a Path> {
    match (decision.client, decision.server) {
        (ClientAction::Keep | ClientAction::Issue | ClientAction::Recertify, _) => {
            Some(&found.client.path)
        }
        // Many may read one set of the user's at the same time.
        (_, ServerAction::Keep | ServerAction::Issue | ServerAction::Recertify) => {
            Some(&found.server.path)
        }
        (_, ServerAction::UseOwn) => None,
    }
}

fn is_present_and_writable(directory: &Directory) -> bool {
    directory.presence == Presence::Present && directory.access == Access::Writable
}

pub(super) fn lock_or_note(
    directory: &Path,
    patience: Duration,
    notes: &mut Vec<Finding>,
) -> Result<Option<DirectoryLock>, Finding> {
    let path = directory.display();
    match DirectoryLock::acquire(directory, patience)? {
        Locking::Held(lock) => Ok(Some(lock)),
        Locking::Unsupported(errno) => {
            notes.push(certs::NO_LOCK.met(format!(
                "{path} cannot be locked: {}.",
                io::Error::from(errno)
            )));
            Ok(None)
        }
        Locking::InUse => Err(in_use(directory, patience)),
    }
}

/// `patience`: how long the lock was asked for.
pub(super) fn in_use(directory: &Path, patience: Duration) -> Finding {
    let waited = match patience.as_secs() {
        0 => "holds the lock on".to_owned(),
        seconds => format!("has held the lock for {seconds} seconds on"),
    };
    certs::IN_USE.met(format!(
        "another process {waited} {}; with two dinds on one directory, clients would get the \
         certificates of the other.",
        directory.display()
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::*;
    use crate::{facts::mounts::Mounts, pki::decide::Signer};

    /// What is refused at first sight may be another dind's work half done: its lock is waited for,
    /// where there is a directory that it could be writing.
    #[test]
    fn of_what_is_refused_the_client_s_directory_is_locked_where_it_can_be_written() {
        let directory = tempdir().unwrap();
        let client = directory.path().join("client");
        let ca = directory.path().join("ca");
        let locked = || {
            let found = CertificateDirectory::survey(directory.path(), &Mounts::default());
            let refused = Err(certs::FOREIGN.noted("somebody's"));
            let locks = Locks::needed(&found, &refused);
            locks
                .map(|locks| [Some(locks.directory), locks.ca].map(|path| path.map(Path::to_owned)))
        };
        assert_eq!(locked(), None);
        fs::create_dir(&client).unwrap();
        assert_eq!(locked(), Some([Some(client.clone()), None]));
        fs::create_dir(&ca).unwrap();
        fs::write(ca.join(KEY), "a key").unwrap();
        assert_eq!(locked(), Some([Some(client.clone()), Some(ca)]));
        fs::remove_dir(&client).unwrap();
        assert_eq!(locked(), None);
        // A file is no directory, and nobody publishes there.
        fs::write(&client, "").unwrap();
        assert_eq!(locked(), None);
    }

    /// Two dinds that write one set give each other's clients certificates that do not fit; many may
    /// read one that nobody writes.
    #[test]
    fn what_is_written_or_kept_for_clients_is_one_dind_s_alone() {
        let root = tempdir().unwrap();
        let found = CertificateDirectory::survey(root.path(), &Mounts::default());
        for (server, client, locked) in [
            (ServerAction::Issue, ClientAction::Issue, Some("client")),
            (ServerAction::Keep, ClientAction::Keep, Some("client")),
            (
                ServerAction::UseOwn,
                ClientAction::Recertify,
                Some("client"),
            ),
            (ServerAction::Issue, ClientAction::UseOwn, Some("server")),
            (
                ServerAction::Recertify,
                ClientAction::UseOwn,
                Some("server"),
            ),
            (ServerAction::Keep, ClientAction::Leave, Some("server")),
            (ServerAction::UseOwn, ClientAction::UseOwn, None),
            (ServerAction::UseOwn, ClientAction::Leave, None),
        ] {
            let decision = Decision {
                signer: Signer::Nobody,
                server,
                client,
                names: Vec::new(),
                ca_directory: None,
                findings: Vec::new(),
            };
            assert_eq!(
                directory_to_lock(&found, &decision),
                locked.map(|name| root.path().join(name)).as_deref(),
                "{server:?} {client:?}"
            );
        }
    }

    /// Who waited for it has to know that waiting longer is no way out.
    #[test]
    fn how_long_a_lock_was_asked_for_is_told() {
        let path = Path::new("/certs/client");
        for (patience, said) in [
            (0, "another process holds the lock on /certs/client;"),
            (5, "has held the lock for 5 seconds on /certs/client;"),
        ] {
            let finding = in_use(path, Duration::from_secs(patience));
            assert!(finding.cause.contains(said), "{finding}");
        }
    }
}
