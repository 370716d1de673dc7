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

pub mod decide;
pub mod inspect;
pub mod issue;
pub mod origin;
pub mod publish;
pub mod verify;

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

pub use self::{
    decide::{ClientAction, Decision, Job, ServerAction, Signer, Wanted, decide},
    issue::ClientKeyInTheMaking,
};
use self::{
    issue::{Authority, IssueError, Issued, KeyPair, Validity, new_key, read_key},
    publish::{NewFile, PRIVATE, PUBLIC, publish, retire},
};
pub use crate::system::directory_lock::{DirectoryLock, LOCK_PATIENCE};
use crate::{
    facts::{
        certificates::{
            Access, CA_CERTIFICATES, CERTIFICATE, CertificateDirectory, Directory, KEY, Presence,
        },
        file::read,
        mounts::Mounts,
        own_service,
    },
    reasons::{Finding, certs},
    settings::subject_names::OtherName,
    system::{
        directory::Directory as OpenDirectory,
        directory_lock::{Locking, locked_inode},
    },
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

impl std::fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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

/// What has to be locked before anything is written.
struct Locks<'a> {
    directory: &'a Path,
    /// Only while the CA is read and written; elsewhere others may use the same CA.
    ca: Option<&'a Path>,
}

impl<'a> Locks<'a> {
    /// `None` where nothing is going to be written.
    fn needed(
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

fn lock_or_note(
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
fn in_use(directory: &Path, patience: Duration) -> Finding {
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

/// Retires, issues and publishes, all but a client certificate with a new key.
fn carry_out(decision: &Decision, wanted: &Wanted<'_>) -> Result<Option<PendingClient>, Finding> {
    let root = &wanted.settings.directory;
    let (server, client) = (root.join("server"), root.join("client"));
    let validity = Validity::days_from(wanted.now, wanted.settings.days);
    let mut retired = None;
    if decision.client == ClientAction::Issue {
        let client = OpenDirectory::make(&client)?;
        retire(&client)?;
        retired = Some(client);
    }
    let Some(authority) = authority(&decision.signer, validity).map_err(not_issued)? else {
        return Ok(None);
    };
    if let Some(ca) = &decision.ca_directory {
        publish_ca(ca, &authority)?;
    }
    let other_names = &wanted.settings.other_names;
    publish_server(&server, decision, other_names, &authority, validity)?;
    if decision.client == ClientAction::Recertify {
        recertify(&client, &authority, validity)?;
    }
    Ok(retired.map(|directory| PendingClient {
        directory,
        authority,
        validity,
    }))
}

/// All of `server/`, or a certificate for the key that stays.
fn publish_server(
    path: &Path,
    decision: &Decision,
    other_names: &[OtherName],
    authority: &Authority,
    validity: Validity,
) -> Result<(), Finding> {
    let key = match decision.server {
        ServerAction::Issue => new_key().map_err(not_issued)?,
        ServerAction::Recertify => key_in(path)?,
        ServerAction::Keep | ServerAction::UseOwn => return Ok(()),
    };
    let issued = authority
        .issue_server(&key, &decision.names, other_names, validity)
        .map_err(not_issued)?;
    let files = [
        file(KEY, issued.key_pem.as_bytes(), PRIVATE),
        file(CERTIFICATE, issued.certificate_pem.as_bytes(), PUBLIC),
        file(CA_CERTIFICATES, &authority.certificate_pem, PUBLIC),
    ];
    let directory = OpenDirectory::make(path)?;
    if decision.server == ServerAction::Recertify {
        publish(&directory, &files[1..])?;
        return Ok(());
    }
    retire(&directory)?;
    publish(&directory, &files)?;
    Ok(())
}

fn authority(signer: &Signer, validity: Validity) -> Result<Option<Authority>, IssueError> {
    Ok(Some(match signer {
        Signer::Nobody => return Ok(None),
        Signer::New => Authority::create(validity)?,
        Signer::Renewed {
            key_pem,
            name,
            key_identifier,
        } => Authority::renew(read_key(key_pem)?, name, key_identifier.clone(), validity)?,
        Signer::Existing {
            key_pem,
            certificate,
            certificate_pem,
        } => Authority::existing(read_key(key_pem)?, certificate, certificate_pem.clone())?,
    }))
}

/// The key first: a key without its certificate can be certified again, not the reverse.
fn publish_ca(path: &Path, authority: &Authority) -> Result<(), Finding> {
    let directory = &OpenDirectory::make(path)?;
    let key_pem = authority.key_pem();
    let certificate = file(CERTIFICATE, &authority.certificate_pem, PUBLIC);
    // An empty file, as an interrupted `openssl genrsa` leaves it, is no key.
    let has_key = directory
        .stat_of_target(KEY)
        .is_ok_and(|key| key.st_size > 0);
    if has_key {
        publish(directory, &[certificate])?;
    } else {
        publish(
            directory,
            &[file(KEY, key_pem.as_bytes(), PRIVATE), certificate],
        )?;
    }
    Ok(())
}

/// A new certificate for the client's key that is there. One rename: every reader has a whole set.
fn recertify(path: &Path, authority: &Authority, validity: Validity) -> Result<(), Finding> {
    let key = key_in(path)?;
    let issued = authority.issue_client(&key, validity).map_err(not_issued)?;
    publish(
        &OpenDirectory::make(path)?,
        &[file(CERTIFICATE, issued.certificate_pem.as_bytes(), PUBLIC)],
    )?;
    Ok(())
}

fn key_in(directory: &Path) -> Result<KeyPair, Finding> {
    let pem = read(&directory.join(KEY))
        .map_err(|error| certs::IO.met(format!("cannot read {error}.")))?;
    read_key(&pem).map_err(not_issued)
}

/// `client/` is empty and waits for its key.
pub struct PendingClient {
    directory: OpenDirectory,
    authority: Authority,
    validity: Validity,
}

impl PendingClient {
    /// Waits for the key, then issues and publishes the client's set.
    ///
    /// The error is a fatal finding.
    pub fn publish(self, key: ClientKeyInTheMaking) -> Result<(), Finding> {
        self.issue(key)?.publish()
    }

    /// Waits for the key, and changes nothing yet. The error is a fatal finding.
    pub fn issue(self, key: ClientKeyInTheMaking) -> Result<IssuedClient, Finding> {
        let issued = key
            .wait()
            .and_then(|key| self.authority.issue_client(&key, self.validity))
            .map_err(not_issued)?;
        Ok(IssuedClient {
            directory: self.directory,
            issued,
            ca_pem: self.authority.certificate_pem,
        })
    }
}

/// A client's set that is not published yet.
pub struct IssuedClient {
    directory: OpenDirectory,
    issued: Issued,
    ca_pem: Vec<u8>,
}

impl IssuedClient {
    /// Puts it where clients read it. The error is a fatal finding.
    pub fn publish(&self) -> Result<(), Finding> {
        publish(
            &self.directory,
            &[
                // Readable by every user of the job, as official has it (docker-library/docker#171).
                file(KEY, self.issued.key_pem.as_bytes(), PUBLIC),
                file(CERTIFICATE, self.issued.certificate_pem.as_bytes(), PUBLIC),
                file(CA_CERTIFICATES, &self.ca_pem, PUBLIC),
            ],
        )?;
        Ok(())
    }
}

impl std::fmt::Debug for PendingClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PendingClient({})", self.directory.path().display())
    }
}

fn file<'a>(name: &'a str, content: &'a [u8], mode: u32) -> NewFile<'a> {
    NewFile {
        name,
        content,
        mode,
    }
}

fn not_issued(error: IssueError) -> Finding {
    certs::ISSUE.met(format!("{error}."))
}
