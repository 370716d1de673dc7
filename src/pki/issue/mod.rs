//! Makes certificates.
//!
//! The CA and the server use ECDSA P-256, which every client's TLS reads; the client's key may be
//! RSA, because some clients parse no other key. All keys are PKCS#8. The profile
//! passes strict verification (`openssl verify -x509_strict`, Python ≥ 3.13): key usage and key
//! identifiers everywhere, nothing critical that a client could not know.

use std::fmt;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, SanType, SerialNumber,
};
use rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use time::{Duration, OffsetDateTime};

use super::inspect::Certificate;
use crate::settings::subject_names::{OtherName, SubjectName};

/// The common name of the CAs made here.
pub const CA_NAME: &str = "dind-init CA";
/// The common name of the server certificates made here.
pub const SERVER_NAME: &str = "dind-init server";
/// The common name of the client certificates made here.
pub const CLIENT_NAME: &str = "dind-init client";

/// A CA that can issue: its key and the certificate that clients will trust.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// What `ca.pem` will hold, byte for byte.
    pub certificate_pem: Vec<u8>,
    validity: Validity,
}

impl Authority {
    /// A new CA with a new key.
    pub fn create(validity: Validity) -> Result<Self, IssueError> {
        Self::renew(KeyPair::generate()?, CA_NAME, None, validity)
    }

    /// A new certificate for a CA key that exists.
    ///
    /// With the common name and key identifier of the one before, so that what was issued under
    /// that one still verifies.
    pub fn renew(
        key: KeyPair,
        name: &str,
        key_identifier: Option<Vec<u8>>,
        validity: Validity,
    ) -> Result<Self, IssueError> {
        let mut parameters = named(name);
        parameters.key_identifier_method =
            key_identifier.map_or(KeyIdMethod::Sha256, KeyIdMethod::PreSpecified);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        parameters.serial_number = Some(random_serial()?);
        parameters.not_before = validity.not_before;
        parameters.not_after = validity.not_after;
        let certificate_pem = parameters.self_signed(&key)?.pem().into_bytes();
        Ok(Self {
            issuer: Issuer::new(parameters, key),
            certificate_pem,
            validity,
        })
    }

    /// A CA that exists; `certificate` is the one of `certificate_pem` that belongs to `key`.
    ///
    /// [`check_name`] tells beforehand whether it can issue.
    pub fn existing(
        key: KeyPair,
        certificate: &Certificate,
        certificate_pem: Vec<u8>,
    ) -> Result<Self, IssueError> {
        Ok(Self {
            issuer: Issuer::from_ca_cert_der(&certificate.der, key)?,
            certificate_pem,
            validity: Validity {
                not_before: certificate.not_before,
                not_after: certificate.not_after,
            },
        })
    }

    /// The CA's private key, PKCS#8 in PEM.
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A server certificate for `key`.
    pub fn issue_server(
        &self,
        key: &KeyPair,
        names: &[SubjectName],
        other_names: &[OtherName],
        validity: Validity,
    ) -> Result<Issued, IssueError> {
        let mut parameters = self.leaf(SERVER_NAME, key, validity)?;
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        parameters.subject_alt_names = names
            .iter()
            .map(|name| {
                Ok(match name {
                    SubjectName::Dns(name) => SanType::DnsName(name.as_str().try_into()?),
                    SubjectName::Ip(address) => SanType::IpAddress(*address),
                })
            })
            .chain(other_names.iter().map(|name| {
                Ok(match name {
                    OtherName::Email(address) => SanType::Rfc822Name(address.as_str().try_into()?),
                    OtherName::Uri(uri) => SanType::URI(uri.as_str().try_into()?),
                })
            }))
            .collect::<Result<_, rcgen::Error>>()?;
        Ok(Issued {
            certificate_pem: parameters.signed_by(key, &self.issuer)?.pem(),
            key_pem: key.serialize_pem(),
        })
    }

    /// A client certificate for `key`.
    pub fn issue_client(&self, key: &KeyPair, validity: Validity) -> Result<Issued, IssueError> {
        let mut parameters = self.leaf(CLIENT_NAME, key, validity)?;
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        Ok(Issued {
            certificate_pem: parameters.signed_by(key, &self.issuer)?.pem(),
            key_pem: key.serialize_pem(),
        })
    }

    fn leaf(
        &self,
        name: &str,
        key: &KeyPair,
        validity: Validity,
    ) -> Result<CertificateParams, IssueError> {
        let mut parameters = named(name);
        // rcgen writes the subject key identifier only beside explicit basic constraints, and the
        // authority's only on demand.
        parameters.is_ca = IsCa::ExplicitNoCa;
        parameters.use_authority_key_identifier_extension = true;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        if key.algorithm() == &PKCS_RSA_SHA256 {
            parameters.key_usages.push(KeyUsagePurpose::KeyEncipherment);
        }
        parameters.serial_number = Some(random_serial()?);
        parameters.not_before = validity.not_before.max(self.validity.not_before);
        parameters.not_after = validity.not_after.min(self.validity.not_after);
        Ok(parameters)
    }
}

/// A certificate and its key, both in PEM.
pub struct Issued {
    pub certificate_pem: String,
    pub key_pem: String,
}

/// From when to when a certificate holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Validity {
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
}

impl Validity {
    /// `days` from `now`, back-dated by one hour: the clocks of two nodes differ.
    pub fn days_from(now: OffsetDateTime, days: u16) -> Self {
        Self {
            not_before: now - Duration::HOUR,
            not_after: now + Duration::days(days.into()),
        }
    }
}

/// A certificate that signs itself and whose name is all that it is for.
///
/// Returns it with its key, both in DER.
pub fn message_certificate(
    dns_name: &str,
) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), IssueError> {
    let key = KeyPair::generate()?;
    let mut parameters = CertificateParams::new(vec![dns_name.to_owned()])?;
    let validity = Validity::days_from(OffsetDateTime::now_utc(), 1);
    parameters.not_before = validity.not_before;
    parameters.not_after = validity.not_after;
    let certificate = parameters.self_signed(&key)?;
    Ok((certificate.der().clone(), key.into()))
}

/// Whether the CA's name can be reproduced byte for byte in what it issues.
///
/// Go's TLS client compares the raw names, and would silently send no certificate.
pub fn check_name(ca: &CertificateDer<'_>) -> Result<(), IssueError> {
    let stand_in = Issuer::from_ca_cert_der(ca, KeyPair::generate()?)?;
    let mut parameters = CertificateParams::default();
    parameters.serial_number = Some(random_serial()?);
    let leaf = parameters.signed_by(stand_in.key(), &stand_in)?;
    let unreadable = |_| IssueError("the CA certificate cannot be read".into());
    let (_, ca) = x509_parser::parse_x509_certificate(ca).map_err(unreadable)?;
    let (_, leaf) = x509_parser::parse_x509_certificate(leaf.der()).map_err(unreadable)?;
    if leaf.issuer().as_raw() == ca.subject().as_raw() {
        Ok(())
    } else {
        Err(IssueError(format!(
            "the CA's name {} is encoded in a way that cannot be reproduced",
            ca.subject()
        )))
    }
}

/// With a subject of one common name; all else is still to be said.
fn named(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}

/// 127 random bits, never negative and never short.
fn random_serial() -> Result<SerialNumber, IssueError> {
    let mut bytes = [0; 16];
    aws_lc_rs::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| IssueError("the system gave no random numbers".into()))?;
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

/// Why a key or certificate could not be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IssueError(pub String);

impl From<rcgen::Error> for IssueError {
    fn from(error: rcgen::Error) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for IssueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for IssueError {}

#[cfg(test)]
mod tests;
