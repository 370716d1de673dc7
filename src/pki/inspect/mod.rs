//! From bytes to meaning: what a certificate or key says, not yet whether it is good.

use std::{fmt, net::IpAddr};

use rustls::{
    crypto::aws_lc_rs::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use time::OffsetDateTime;
use x509_parser::{
    certificate::X509Certificate,
    certification_request::X509CertificationRequest,
    extensions::{GeneralName, ParsedExtension},
    prelude::FromDer,
    x509::{SubjectPublicKeyInfo, X509Name, X509Version},
};

use crate::{
    reasons::printable,
    settings::subject_names::{OtherName, SubjectName},
};

/// What matters here of an X.509 certificate.
#[derive(Clone)]
pub struct Certificate {
    pub der: CertificateDer<'static>,
    /// As in `CN=docker:dind CA`; printable, whatever is in it.
    pub subject: String,
    pub issuer: String,
    /// The subject, if it is a common name and nothing else.
    pub plain_name: Option<String>,
    /// The subject alternative names that are DNS names or addresses.
    pub names: Vec<SubjectName>,
    /// Those that are addresses of mail or URIs.
    pub other_names: Vec<OtherName>,
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
    /// SubjectPublicKeyInfo, DER.
    pub public_key: Vec<u8>,
    pub key_identifier: Option<Vec<u8>>,
    /// Whether it may sign certificates (basic constraints, and key usage where there is one).
    pub is_authority: bool,
    pub has_key_usage: bool,
    /// Whether servers, and whether clients, may present it (both where it does not say).
    pub for_servers: bool,
    pub for_clients: bool,
    raw_subject: Vec<u8>,
    raw_issuer: Vec<u8>,
}

impl Certificate {
    /// Every certificate of a PEM file, of which there is at least one.
    ///
    /// The error ends the sentence "the file …".
    pub fn parse_pem(pem: &[u8]) -> Result<Vec<Self>, String> {
        let certificates = CertificateDer::pem_slice_iter(pem)
            .map(|der| Self::parse(der.map_err(|error| format!("is no good PEM: {error}"))?))
            .collect::<Result<Vec<_>, _>>()?;
        if certificates.is_empty() {
            return Err("holds no certificate in PEM".into());
        }
        Ok(certificates)
    }

    /// A single certificate in DER; the error ends the sentence "the file …".
    pub fn parse(der: CertificateDer<'static>) -> Result<Self, String> {
        let (_, x509) = x509_parser::parse_x509_certificate(&der)
            .map_err(|error| format!("holds a certificate that cannot be read: {error}"))?;
        let basic_constraints = x509.basic_constraints().ok().flatten();
        let key_usage = x509.key_usage().ok().flatten();
        let usages = x509.extended_key_usage().ok().flatten();
        Ok(Self {
            subject: printable::value(&x509.subject().to_string()),
            issuer: printable::value(&x509.issuer().to_string()),
            plain_name: plain_name(x509.subject()),
            names: alternative_names(&x509, dialled_name),
            other_names: alternative_names(&x509, other_name),
            not_before: x509.validity().not_before.to_datetime(),
            not_after: x509.validity().not_after.to_datetime(),
            public_key: x509.public_key().raw.to_vec(),
            key_identifier: key_identifier(&x509),
            // As Go's CheckSignatureFrom: version 1 knows no constraints.
            is_authority: (x509.version() != X509Version::V3
                || basic_constraints.is_some_and(|constraints| constraints.value.ca))
                && key_usage
                    .as_ref()
                    .is_none_or(|usage| usage.value.key_cert_sign()),
            has_key_usage: key_usage.is_some(),
            for_servers: usages
                .as_ref()
                .is_none_or(|usage| usage.value.any || usage.value.server_auth),
            for_clients: usages
                .as_ref()
                .is_none_or(|usage| usage.value.any || usage.value.client_auth),
            raw_subject: x509.subject().as_raw().to_vec(),
            raw_issuer: x509.issuer().as_raw().to_vec(),
            der: der.clone(),
        })
    }

    /// Whether the owner of this public key (SubjectPublicKeyInfo, DER) signed it.
    pub fn is_signed_with(&self, public_key: &[u8]) -> bool {
        let Ok((_, x509)) = x509_parser::parse_x509_certificate(&self.der) else {
            return false;
        };
        SubjectPublicKeyInfo::from_der(public_key)
            .is_ok_and(|(_, key)| x509.verify_signature(Some(&key)).is_ok())
    }

    /// Whether `issuer` issued it, by name and by signature.
    pub fn is_issued_by(&self, issuer: &Self) -> bool {
        self.raw_issuer == issuer.raw_subject && self.is_signed_with(&issuer.public_key)
    }

    pub fn is_self_signed(&self) -> bool {
        self.is_issued_by(self)
    }

    /// Whether a client that dials `name` accepts it. Clients ignore the common name.
    pub fn covers(&self, name: &SubjectName) -> bool {
        self.names.iter().any(|own| match (own, name) {
            (SubjectName::Dns(own), SubjectName::Dns(name)) => {
                own == name
                    || own.strip_prefix("*.").is_some_and(|parent| {
                        name.split_once('.').is_some_and(|(_, rest)| rest == parent)
                    })
            }
            _ => own == name,
        })
    }

    pub fn is_valid_at(&self, now: OffsetDateTime) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    /// Whether at least half of its validity is still to come.
    pub fn is_young_at(&self, now: OffsetDateTime) -> bool {
        self.not_before <= now && (self.not_after - now) * 2 >= self.not_after - self.not_before
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} issued by {}", self.subject, self.issuer)
    }
}

/// The public half (SubjectPublicKeyInfo, DER) of a private key in PEM.
///
/// The error ends the sentence "the file …".
pub fn public_key_of(private_key: &[u8]) -> Result<Vec<u8>, String> {
    let der = PrivateKeyDer::from_pem_slice(private_key).map_err(|_| {
        let text = String::from_utf8_lossy(private_key);
        if text.contains("ENCRYPTED") {
            "holds an encrypted key; Docker reads only keys without a passphrase".to_owned()
        } else {
            "holds no private key in PEM".to_owned()
        }
    })?;
    let key = any_supported_type(&der)
        .map_err(|error| format!("holds a private key of an unknown or damaged kind: {error}"))?;
    key.public_key()
        .map(|key| key.to_vec())
        .ok_or_else(|| "holds a private key without a public half".into())
}

/// The plain subject name and public key of a certificate request in PEM.
pub fn read_request(pem: &[u8]) -> Option<(String, Vec<u8>)> {
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem).ok()?;
    let (_, request) = X509CertificationRequest::from_der(&pem.contents).ok()?;
    let info = &request.certification_request_info;
    Some((plain_name(&info.subject)?, info.subject_pki.raw.to_vec()))
}

fn plain_name(name: &X509Name<'_>) -> Option<String> {
    let mut attributes = name.iter_attributes();
    let only = attributes.next()?;
    let common = name.iter_common_name().next()?;
    if attributes.next().is_some() || only != common {
        return None;
    }
    common.as_str().ok().map(str::to_owned)
}

fn alternative_names<T>(
    x509: &X509Certificate<'_>,
    read: fn(&GeneralName<'_>) -> Option<T>,
) -> Vec<T> {
    let extension = x509.subject_alternative_name().ok().flatten();
    let names = extension.map(|extension| extension.value.general_names.iter());
    names.into_iter().flatten().filter_map(read).collect()
}

fn dialled_name(name: &GeneralName<'_>) -> Option<SubjectName> {
    match name {
        GeneralName::DNSName(name) => Some(SubjectName::Dns(name.to_ascii_lowercase())),
        GeneralName::IPAddress(bytes) => {
            let address: IpAddr = match bytes.len() {
                4 => <[u8; 4]>::try_from(*bytes).ok()?.into(),
                _ => <[u8; 16]>::try_from(*bytes).ok()?.into(),
            };
            Some(SubjectName::Ip(address))
        }
        _ => None,
    }
}

fn other_name(name: &GeneralName<'_>) -> Option<OtherName> {
    match name {
        GeneralName::RFC822Name(address) => Some(OtherName::Email((*address).to_owned())),
        GeneralName::URI(uri) => Some(OtherName::Uri((*uri).to_owned())),
        _ => None,
    }
}

fn key_identifier(x509: &X509Certificate<'_>) -> Option<Vec<u8>> {
    x509.iter_extensions()
        .find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(identifier) => Some(identifier.0.to_vec()),
            _ => None,
        })
}

#[cfg(test)]
mod tests;
