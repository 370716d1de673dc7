//! The findings of this room, told from what was met.

use std::path::Path;

use time::OffsetDateTime;

use crate::{
    facts::file::ReadError,
    pki::{inspect::Certificate, verify::day},
    reasons::{Finding, Severity, registry},
    settings::registry_host::RegistryHost,
};

pub fn unreadable(error: &ReadError) -> Finding {
    registry::UNREADABLE.met(format!("{error}."))
}

pub fn not_pem(path: &Path, why: &str) -> Finding {
    registry::NOT_PEM.met(format!("{} {why}.", path.display()))
}

/// What Docker itself would not have read, and reads now.
pub fn mended(path: &Path, what: &str) -> Finding {
    let cause = format!(
        "{} {what}, which Docker does not read; it was installed without that.",
        path.display()
    );
    registry::NOT_PEM.noted(cause).with_severity(Severity::Note)
}

/// A part of a file, the rest of which is good.
pub fn damaged(path: &Path, why: &str) -> Finding {
    let cause = format!(
        "{} {why}. Its other certificates are installed.",
        path.display()
    );
    registry::NOT_PEM
        .met(cause)
        .with_severity(Severity::Warning)
}

pub fn not_ca(path: &Path, leaf: &Certificate) -> Finding {
    let (path, subject, issuer) = (path.display(), &leaf.subject, &leaf.issuer);
    if leaf.is_self_signed() {
        let cause = format!(
            "{path} holds a server's own self-signed certificate, {subject}. It is trusted as it \
             is, until the server gets another one."
        );
        return registry::NOT_CA.noted(cause).with_severity(Severity::Note);
    }
    registry::NOT_CA.met(format!(
        "{path} holds the certificate of a server, {subject}, and not that of the CA which signed \
         it, {issuer}. Docker trusts this one certificate, until {}; other clients do not.",
        day(leaf.not_after)
    ))
}

pub fn expired(path: &Path, last: &Certificate) -> Finding {
    let cause = format!(
        "{} holds {}, which expired on {}.",
        path.display(),
        last.subject,
        day(last.not_after)
    );
    registry::EXPIRED.advised(cause, registry::EXPIRED_CA, [])
}

/// It is installed all the same: the clock may be wrong, and the day may come.
pub fn not_yet_valid(path: &Path, first: &Certificate, now: OffsetDateTime) -> Finding {
    let cause = format!(
        "{} holds {}, valid from {} on; the clock here says {}.",
        path.display(),
        first.subject,
        day(first.not_before),
        day(now)
    );
    registry::NOT_YET_VALID.met(cause)
}

pub fn private_key(path: &Path) -> Finding {
    registry::PRIVATE_KEY.met(format!(
        "{} holds a private key. It was not copied anywhere.",
        path.display()
    ))
}

pub fn client_pair(path: &Path, why: &str) -> Finding {
    registry::CLIENT_PAIR.met(format!("{} {why}.", path.display()))
}

pub fn no_host(path: &Path) -> Finding {
    registry::HOST.met(format!(
        "the directory {} is not named after a host, so its files are left out.",
        path.display()
    ))
}

pub fn duplicate(host: &RegistryHost, places: &[String]) -> Finding {
    registry::DUPLICATE.met(format!(
        "{} hold different CAs for {host}; all of them are trusted.",
        places.join(" and ")
    ))
}

pub fn kept(directory: &Path) -> Finding {
    registry::KEPT.met(format!(
        "{} was there already, and nothing in it was changed.",
        directory.display()
    ))
}

pub fn not_installed(error: &ReadError) -> Finding {
    registry::NOT_INSTALLED.met(format!("cannot write {error}."))
}

pub fn late(path: &Path) -> Finding {
    registry::LATE.met(format!(
        "{} came after dockerd was started, which reads CAs for every registry only then.",
        path.display()
    ))
}
