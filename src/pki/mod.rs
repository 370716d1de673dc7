//! Certificates: issue, inspect, verify, publish.
//!
//! In the order in which the init uses it:
//!
//! 1. [`ClientKeyInTheMaking::start`], first of all;
//! 2. [`prepare`], after which `server/` is there for dockerd, and no stale `client/ca.pem` any
//!    more;
//! 3. [`PendingClient::publish`], which waits for the key and completes `client/`.
//!
//! [`decide()`] alone tells what would be done, and changes nothing.

mod carry_out;
pub mod decide;
pub mod inspect;
pub mod issue;
mod keys;
mod locks;
pub mod origin;
pub mod publish;
pub mod verify;

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

pub use self::{
    carry_out::PendingClient,
    decide::{ClientAction, Decision, Job, ServerAction, Wanted, decide},
    keys::ClientKeyInTheMaking,
};
use self::{
    carry_out::carry_out,
    locks::{Locks, in_use, lock_or_note},
};
pub use crate::system::directory_lock::{DirectoryLock, LOCK_PATIENCE};
use crate::{
    facts::{
        certificates::{CA_CERTIFICATES, CERTIFICATE, CertificateDirectory, KEY},
        file::read,
        mounts::Mounts,
        own_service,
    },
    reasons::Finding,
    system::directory_lock::locked_inode,
};

/// What dockerd needs is in place; what clients need is too, or is [`pending`](Self::pending).
#[derive(Debug)]
pub struct Certificates {
    /// None of them fatal.
    pub findings: Vec<Finding>,
    /// What was decided, for the log.
    pub decision: Decision,
    pub tls: TlsPaths,
    /// What the server presents, as it was read when it was in order: where dockerd does not serve,
    /// this program does, and does not look at the files again.
    pub server: Option<ServerIdentity>,
    /// The rest of the work, if `client/` gets a new key.
    pub pending: Option<PendingClient>,
    /// Held as long as the certificates are served; dropping it lets another dind have them.
    pub lock: Option<DirectoryLock>,
}

/// The files for dockerd's `--tlscacert`, `--tlscert` and `--tlskey`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlsPaths {
    pub ca: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl TlsPaths {
    /// Those in `$DOCKER_TLS_CERTDIR/server`.
    pub fn below(directory: &Path) -> Self {
        let server = directory.join("server");
        Self {
            ca: server.join(CA_CERTIFICATES),
            certificate: server.join(CERTIFICATE),
            key: server.join(KEY),
        }
    }
}

/// Judges the certificate directory and, unless it is the user's own, brings it into order: takes
/// the lock, retires what is stale in `client/`, makes and publishes the CA and `server/`.
///
/// `patience` is how long a lock is waited for, [`LOCK_PATIENCE`] but for tests. The error is a fatal
/// finding; no file that is not ours or official's was touched.
pub fn prepare(
    mounts: &Mounts,
    wanted: &Wanted<'_>,
    patience: Duration,
) -> Result<Certificates, Finding> {
    let directory = &wanted.settings.directory;
    let survey = || CertificateDirectory::survey(directory, mounts);
    let before = survey();
    let first = decide(&before, wanted);
    let Some(locks) = Locks::needed(&before, &first) else {
        return Ok(Certificates::of(directory, first?));
    };

    let mut notes = Vec::new();
    let lock = lock_or_note(locks.directory, patience, &mut notes)?;
    let _ca_lock = match locks.ca {
        Some(ca) => lock_or_note(ca, patience, &mut notes)?,
        None => None,
    };
    // Someone else may have written before the lock was ours.
    let decision = decide(&survey(), wanted)?;
    let pending = carry_out(&decision, wanted)?;
    let mut certificates = Certificates::of(directory, decision);
    certificates.findings.extend(notes);
    certificates.pending = pending;
    certificates.lock = lock;
    Ok(certificates)
}

/// What [`prepare`] would decide on, and why it would refuse; changes nothing. What the service of
/// this very container has locked is free.
pub fn look(found: &CertificateDirectory, wanted: &Wanted<'_>) -> Result<Decision, Finding> {
    let decided = decide(found, wanted);
    let locks = Locks::needed(found, &decided);
    let paths = locks
        .iter()
        .flat_map(|locks| [Some(locks.directory), locks.ca]);
    for path in paths.flatten() {
        if locked_inode(path).is_some_and(|inode| !own_service::has_locked(inode)) {
            return Err(in_use(path, Duration::ZERO));
        }
    }
    decided
}

/// A server's certificates and key.
#[derive(Clone)]
pub struct ServerIdentity {
    pub certificate_pem: Vec<u8>,
    pub key_pem: Vec<u8>,
}

impl ServerIdentity {
    fn read(paths: &TlsPaths) -> Option<Self> {
        Some(Self {
            certificate_pem: read(&paths.certificate).ok()?,
            key_pem: read(&paths.key).ok()?,
        })
    }
}

impl fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerIdentity")
    }
}

impl Certificates {
    fn of(directory: &Path, decision: Decision) -> Self {
        let tls = TlsPaths::below(directory);
        Self {
            findings: decision.findings.clone(),
            decision,
            server: ServerIdentity::read(&tls),
            tls,
            pending: None,
            lock: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::tempdir;
    use time::OffsetDateTime;

    use super::*;
    use crate::settings::CertificateSettings;

    /// `check` in a service that runs would find its certificates in use: by that very service.
    #[test]
    fn what_this_service_serves_is_not_in_use_by_another() {
        let root = tempdir().unwrap();
        let settings = CertificateSettings::of(&root.path().join("certs"));
        let wanted = Wanted {
            settings: &settings,
            names: &[],
            job: Job::default(),
            now: OffsetDateTime::now_utc(),
        };
        let mounts = Mounts::default();
        let served = prepare(&mounts, &wanted, Duration::ZERO).unwrap();
        assert!(served.lock.is_some());
        assert!(locked_inode(&settings.directory.join("client")).is_some());
        let found = CertificateDirectory::survey(&settings.directory, &mounts);
        let decision = look(&found, &wanted).unwrap();
        assert_eq!(decision.client, ClientAction::Issue);
    }
}
