//! Starts of the init, as far as certificates go, and what official does.

use std::{fs, path::Path, time::Duration};

use clap::ValueEnum;
use dind_init::testing::{
    facts::mounts::Mounts,
    pki::{
        Certificates, ClientKeyInTheMaking, Job, Wanted,
        issue::{Authority, Validity},
        prepare,
    },
    reasons::Finding,
    settings::{CertificateSettings, ClientKey, subject_names::SubjectName},
};
use time::OffsetDateTime;

/// A start on `directory` with a server name of its own, so that what is there is replaced.
pub(crate) fn start(
    directory: &Path,
    name: &str,
    key: &str,
    patience: Duration,
) -> Result<Certificates, Finding> {
    let settings = CertificateSettings {
        directory: directory.to_owned(),
        names: SubjectName::parse_list("TEST", name).unwrap(),
        other_names: Vec::new(),
        client_key: ClientKey::from_str(key, false).unwrap(),
        days: 825,
    };
    start_at(&settings, &Mounts::parse(""), 0, patience)
}

/// A start where `ca/` is on a volume and holds a CA for ten years; the certificates are for one
/// day, and each start is on another, so that the client's key is certified anew.
pub(crate) fn start_under_kept_ca(
    directory: &Path,
    name: &str,
    key: &str,
    day: i64,
    patience: Duration,
) -> Result<Certificates, Finding> {
    let is_first = !directory.join("ca/cert.pem").exists();
    let mut settings = CertificateSettings {
        directory: directory.to_owned(),
        names: SubjectName::parse_list("TEST", name).unwrap(),
        other_names: Vec::new(),
        client_key: ClientKey::from_str(key, false).unwrap(),
        days: 3650,
    };
    let volume = format!("1 0 0:1 /v {} rw - ext4 /dev/vda rw", directory.display());
    let mounts = Mounts::parse(&volume);
    if is_first {
        drop(start_at(&settings, &mounts, day, patience)?);
        fs::remove_dir_all(directory.join("client")).unwrap();
    }
    settings.days = 1;
    start_at(&settings, &mounts, day, patience)
}

pub(crate) fn start_at(
    settings: &CertificateSettings,
    mounts: &Mounts,
    day: i64,
    patience: Duration,
) -> Result<Certificates, Finding> {
    let key = ClientKeyInTheMaking::start(settings.client_key);
    let wanted = Wanted {
        settings,
        names: &[],
        job: Job::default(),
        now: OffsetDateTime::now_utc() + time::Duration::days(day),
    };
    let mut certificates = prepare(mounts, &wanted, patience)?;
    if let Some(pending) = certificates.pending.take() {
        pending.publish(key)?;
    }
    Ok(certificates)
}

/// What official does: every file truncated and written where it is, `ca.pem` last.
pub(crate) fn write_in_place(directory: &Path) {
    let client = directory.join("client");
    fs::create_dir_all(&client).unwrap();
    let write = |name: &str, content: &[u8]| fs::write(client.join(name), content).unwrap();
    write("key.pem", b"");
    let validity = Validity::days_from(OffsetDateTime::now_utc(), 825);
    let authority = Authority::create(validity).unwrap();
    let key = ClientKeyInTheMaking::start(ClientKey::EcdsaP256).wait();
    let issued = authority.issue_client(&key.unwrap(), validity).unwrap();
    write("key.pem", issued.key_pem.as_bytes());
    write("cert.pem", issued.certificate_pem.as_bytes());
    write("ca.pem", &authority.certificate_pem);
}
