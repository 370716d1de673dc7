//! A certificate as `dind-init check` lists it.

use std::{fmt, path::PathBuf};

use aws_lc_rs::digest;

use crate::{
    pki::{inspect::Certificate, verify::day},
    registry::sources::Scope,
};

/// A certificate and where it goes.
#[derive(Clone, Debug)]
pub struct Listed {
    pub origin: PathBuf,
    pub certificate: Certificate,
    pub scope: Scope,
}

/// As in `/x/ca.crt: CN=…, issued by …, from … to …, SHA-256 …; for every registry`.
impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let certificate = &self.certificate;
        let hosts: Vec<_> = self.scope.hosts().iter().map(ToString::to_string).collect();
        write!(
            f,
            "{}: {}, issued by {}, valid from {} to {}, SHA-256 {}; for {}",
            self.origin.display(),
            certificate.subject,
            certificate.issuer,
            day(certificate.not_before),
            day(certificate.not_after),
            fingerprint(certificate),
            match self.scope {
                Scope::EveryRegistry => "every registry".to_owned(),
                _ => hosts.join(", "),
            }
        )
    }
}

/// As `openssl x509 -fingerprint -sha256` prints it.
fn fingerprint(certificate: &Certificate) -> String {
    let hash = digest::digest(&digest::SHA256, &certificate.der);
    let bytes: Vec<_> = hash.as_ref().iter().map(|b| format!("{b:02X}")).collect();
    bytes.join(":")
}
