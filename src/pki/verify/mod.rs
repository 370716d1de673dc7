//! Whether certificates and keys belong together and hold, as Docker's own TLS would judge.

use std::{fmt, time::Duration};

use rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, TrustAnchor, UnixTime},
};
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};
use webpki::{
    EndEntityCert, KeyUsage, UnsupportedSignatureAlgorithmForPublicKeyContext,
    anchor_from_trusted_cert,
};

use super::inspect::{Certificate, public_key_of};
use crate::facts::certificates::{CA_CERTIFICATES, CERTIFICATE, Directory, KEY};

/// The three files of `server/` or `client/`, read.
#[derive(Clone, Debug)]
pub struct Set {
    /// `ca.pem`: whom the owner of the set trusts.
    pub authorities: Vec<Certificate>,
    /// The first of `cert.pem`.
    pub leaf: Certificate,
    /// The others of `cert.pem`.
    pub intermediates: Vec<Certificate>,
}

impl Set {
    /// Reads a set of which all three files are there, and checks that the key is the leaf's.
    pub fn read(directory: &Directory) -> Result<Self, Flaw> {
        let content = |name: &str| {
            directory
                .content(name)
                .ok_or_else(|| Flaw::new(Problem::Missing, name, "is missing".into()))
        };
        let certificates = |name: &str| {
            Certificate::parse_pem(content(name)?)
                .map_err(|why| Flaw::new(Problem::Unreadable, name, why))
        };
        let authorities = certificates(CA_CERTIFICATES)?;
        let mut chain = certificates(CERTIFICATE)?.into_iter();
        let public_key = public_key_of(content(KEY)?)
            .map_err(|why| Flaw::new(Problem::UnreadableKey, KEY, why))?;
        let Some(leaf) = chain.next() else {
            unreachable!("a parsed file holds at least one certificate");
        };
        if leaf.public_key != public_key {
            return Err(Flaw::new(
                Problem::Mismatch,
                KEY,
                format!("is not the key of {CERTIFICATE} ({})", leaf.subject),
            ));
        }
        Ok(Self {
            authorities,
            leaf,
            intermediates: chain.collect(),
        })
    }

    /// Whether someone who trusts `authorities` accepts the leaf for `usage`.
    pub fn verify(
        &self,
        authorities: &[Certificate],
        usage: Usage,
        now: OffsetDateTime,
    ) -> Result<(), Flaw> {
        let leaf = &self.leaf;
        check_time(leaf, CERTIFICATE, now)?;
        let (fits, role) = match usage {
            Usage::Server => (leaf.for_servers, "serverAuth"),
            Usage::Client => (leaf.for_clients, "clientAuth"),
        };
        if !fits {
            return Err(Flaw::new(
                Problem::Usage,
                CERTIFICATE,
                format!(
                    "({}) has an extended key usage without {role}",
                    leaf.subject
                ),
            ));
        }
        // A self-signed leaf that is trusted itself: fine for Go and OpenSSL.
        if authorities.iter().any(|trusted| trusted.der == leaf.der) {
            return Ok(());
        }
        let usable: Vec<_> = authorities
            .iter()
            .filter(|authority| authority.is_authority && authority.is_valid_at(now))
            .collect();
        let Err(error) = self.build_path(&usable, usage, now) else {
            return Ok(());
        };
        // Would it hold if its CA did? Then the CA is what is wrong. (webpki takes trust anchors
        // as they are; Go does not.)
        if let Some(authority) = authorities
            .iter()
            .find(|authority| self.build_path(&[authority], usage, now).is_ok())
        {
            check_time(authority, CA_CERTIFICATES, now)?;
            return Err(Flaw::new(
                Problem::Usage,
                CA_CERTIFICATES,
                format!(
                    "({}) is not marked as a CA that may sign certificates",
                    authority.subject
                ),
            ));
        }
        Err(self.flaw(&error, now))
    }

    fn build_path(
        &self,
        authorities: &[&Certificate],
        usage: Usage,
        now: OffsetDateTime,
    ) -> Result<(), webpki::Error> {
        let anchors = authorities
            .iter()
            .map(|authority| anchor_from_trusted_cert(&authority.der))
            .collect::<Result<Vec<TrustAnchor<'_>>, _>>()?;
        let intermediates: Vec<CertificateDer<'_>> = self
            .intermediates
            .iter()
            .map(|certificate| certificate.der.clone())
            .collect();
        let seconds = u64::try_from(now.unix_timestamp()).unwrap_or_default();
        EndEntityCert::try_from(&self.leaf.der)?
            .verify_for_usage(
                aws_lc_rs::default_provider()
                    .signature_verification_algorithms
                    .all,
                &anchors,
                &intermediates,
                UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
                match usage {
                    Usage::Server => KeyUsage::server_auth(),
                    Usage::Client => KeyUsage::client_auth(),
                },
                None,
                None,
            )
            .map(drop)
    }

    fn flaw(&self, error: &webpki::Error, now: OffsetDateTime) -> Flaw {
        let leaf = &self.leaf;
        let unsigned = || {
            Flaw::new(
                Problem::Mismatch,
                CERTIFICATE,
                format!(
                    "({}) was issued by {}, and no CA of {CA_CERTIFICATES} signed it",
                    leaf.subject, leaf.issuer
                ),
            )
        };
        match error {
            webpki::Error::UnknownIssuer
            | webpki::Error::InvalidSignatureForPublicKey
            | webpki::Error::SignatureAlgorithmMismatch => unsigned(),
            webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(context)
                if !can_have_signed(context) =>
            {
                unsigned()
            }
            webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. } => self
                .intermediates
                .iter()
                .find_map(|certificate| check_time(certificate, CERTIFICATE, now).err())
                .unwrap_or_else(|| {
                    Flaw::new(
                        Problem::Expired,
                        CERTIFICATE,
                        format!("is refused: {}", name_of(error)),
                    )
                }),
            webpki::Error::EndEntityUsedAsCa
            | webpki::Error::PathLenConstraintViolated
            | webpki::Error::NameConstraintViolation
            | webpki::Error::RequiredEkuNotFoundContext(_) => Flaw::new(
                Problem::Usage,
                CERTIFICATE,
                format!(
                    "({}) is not allowed by the constraints of its CA: {}",
                    leaf.subject,
                    name_of(error)
                ),
            ),
            // Old algorithms, version 1, critical extensions: others may accept them.
            _ => Flaw::new(
                Problem::Unverified,
                CERTIFICATE,
                format!("({}) cannot be checked: {}", leaf.subject, name_of(error)),
            ),
        }
    }
}

/// Whether this kind of key makes this kind of signature at all: ECDSA's keys and signatures have
/// identifiers of one branch (RFC 5480), RSA's of another (RFC 8017), and Ed25519 has one for both.
fn can_have_signed(context: &UnsupportedSignatureAlgorithmForPublicKeyContext) -> bool {
    // Behind DER's tag and length.
    let branch = |identifier: &[u8]| identifier.get(2..7).map(<[u8]>::to_vec);
    branch(&context.signature_algorithm_id) == branch(&context.public_key_algorithm_id)
}

/// webpki's own name for it, which can be looked up, without the bytes that it carries.
fn name_of(error: &webpki::Error) -> String {
    let shown = format!("{error:?}");
    let name = shown.split(['(', ' ']).next().unwrap_or_default();
    name.trim_end_matches("Context").to_owned()
}

/// What a leaf is presented as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Usage {
    Server,
    Client,
}

/// Why a set does not hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Flaw {
    pub problem: Problem,
    /// The file it is about.
    pub file: String,
    /// Continues the sentence that begins with the file.
    pub why: String,
}

impl Flaw {
    fn new(problem: Problem, file: &str, why: String) -> Self {
        Self {
            problem,
            file: file.to_owned(),
            why,
        }
    }
}

/// `cert.pem has expired …`
impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.file, self.why)
    }
}

/// The kind of a [`Flaw`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Problem {
    Missing,
    Unreadable,
    UnreadableKey,
    Mismatch,
    Expired,
    NotYetValid,
    Usage,
    /// Not known to be wrong.
    Unverified,
}

/// Whether a certificate of `file` holds now.
pub fn check_time(certificate: &Certificate, file: &str, now: OffsetDateTime) -> Result<(), Flaw> {
    let subject = &certificate.subject;
    if now > certificate.not_after {
        return Err(Flaw::new(
            Problem::Expired,
            file,
            format!("({subject}) expired on {}", day(certificate.not_after)),
        ));
    }
    if now < certificate.not_before {
        return Err(Flaw::new(
            Problem::NotYetValid,
            file,
            format!(
                "({subject}) is valid from {} on; the clock here says {}",
                day(certificate.not_before),
                day(now)
            ),
        ));
    }
    Ok(())
}

/// A moment as in `2026-11-23 14:50 UTC`.
pub fn day(moment: OffsetDateTime) -> String {
    const FORMAT: &[BorrowedFormatItem<'_>] =
        format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    moment
        .to_offset(time::UtcOffset::UTC)
        .format(&FORMAT)
        .unwrap_or_else(|_| moment.to_string())
}

#[cfg(test)]
mod tests;
