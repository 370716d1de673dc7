//! What was decided, done: certificates issued and published.

use std::{fmt, path::Path};

use super::{
    decide::{ClientAction, Decision, ServerAction, Signer, Wanted},
    issue::{Authority, IssueError, Issued, Validity},
    keys::{ClientKeyInTheMaking, KeyPair, new_key, read_key},
    publish::{NewFile, PRIVATE, PUBLIC, publish, retire},
};
use crate::{
    facts::{
        certificates::{CA_CERTIFICATES, CERTIFICATE, KEY},
        file::read,
    },
    reasons::{Finding, certs},
    settings::subject_names::OtherName,
    system::directory::Directory,
};

/// Retires, issues and publishes, all but a client certificate with a new key.
pub(super) fn carry_out(
    decision: &Decision,
    wanted: &Wanted<'_>,
) -> Result<Option<PendingClient>, Finding> {
    let root = &wanted.settings.directory;
    let (server, client) = (root.join("server"), root.join("client"));
    let validity = Validity::days_from(wanted.now, wanted.settings.days);
    let mut retired = None;
    if decision.client == ClientAction::Issue {
        let client = Directory::make(&client)?;
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
    let directory = Directory::make(path)?;
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
    let directory = &Directory::make(path)?;
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
        &Directory::make(path)?,
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
    directory: Directory,
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
    directory: Directory,
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

impl fmt::Debug for PendingClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt, symlink},
    };

    use tempfile::tempdir;
    use time::OffsetDateTime;

    use super::*;

    fn authority() -> (Authority, Validity) {
        let validity = Validity::days_from(OffsetDateTime::now_utc(), 1);
        (Authority::create(validity).unwrap(), validity)
    }

    /// What was issued with a key that is lost can never be renewed.
    #[test]
    fn a_key_that_lies_in_ca_stays_and_its_certificate_comes_beside_it() {
        let (authority, _) = authority();
        let own = authority.key_pem();
        let others = tempdir().unwrap();
        let linked = others.path().join("of-a-secret.pem");
        fs::write(&linked, "linked").unwrap();
        type Prepare<'a> = &'a dyn Fn(&Path);
        let cases: [(Prepare<'_>, &str); 4] = [
            (&|_| {}, &own),
            // As an interrupted `openssl genrsa` leaves it.
            (&|key| fs::write(key, "").unwrap(), &own),
            (&|key| fs::write(key, "a key").unwrap(), "a key"),
            (&|key| symlink(&linked, key).unwrap(), "linked"),
        ];
        for (prepare, expected) in cases {
            let root = tempdir().unwrap();
            let key = root.path().join(KEY);
            prepare(&key);
            publish_ca(root.path(), &authority).unwrap();
            assert_eq!(fs::read_to_string(&key).unwrap(), expected);
            if expected == own {
                let mode = fs::metadata(&key).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "jobs must not read it");
            }
            let certificate = fs::read(root.path().join(CERTIFICATE)).unwrap();
            assert_eq!(certificate, authority.certificate_pem);
        }
    }

    /// One that was encrypted in the meantime, or taken away, cannot be certified.
    #[test]
    fn a_key_that_cannot_be_read_is_told_with_its_path() {
        let root = tempdir().unwrap();
        let finding = key_in(root.path()).unwrap_err();
        assert_eq!(finding.reason.id, "CERTS-IO");
        let path = root.path().join(KEY);
        let said = format!("cannot read {}: No such file", path.display());
        assert!(finding.cause.starts_with(&said), "{finding}");
        fs::write(&path, "no key").unwrap();
        assert_eq!(key_in(root.path()).unwrap_err().reason.id, "CERTS-ISSUE");
    }

    /// It holds the CA's key, and is part of what a log may show.
    #[test]
    fn what_waits_for_the_client_s_key_is_shown_by_its_directory_alone() {
        let root = tempdir().unwrap();
        let (authority, validity) = authority();
        let pending = PendingClient {
            directory: Directory::open(root.path()).unwrap(),
            authority,
            validity,
        };
        let shown = format!("PendingClient({})", root.path().display());
        assert_eq!(format!("{pending:?}"), shown);
    }
}
