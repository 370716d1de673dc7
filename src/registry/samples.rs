//! Certificates for the tests of this room.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use time::{Duration, OffsetDateTime};

use crate::pki::inspect::Certificate;

/// A certificate and its key.
pub struct Sample {
    pub pem: String,
    pub key_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Sample {
    pub fn certificate(&self) -> Certificate {
        Certificate::parse_pem(self.pem.as_bytes())
            .unwrap()
            .remove(0)
    }

    /// A server's certificate that this CA signed.
    pub fn sign(&self, host: &str) -> Sample {
        let key = KeyPair::generate().unwrap();
        let params = named(host, CertificateParams::new([host.to_owned()]).unwrap());
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        Sample {
            pem: signed.pem(),
            key_pem: key.serialize_pem(),
            issuer: Issuer::new(params, key),
        }
    }
}

/// A CA that is valid now.
pub fn authority(name: &str) -> Sample {
    authority_valid(name, -1, 30)
}

/// A CA that is valid between two days, counted from now.
pub fn authority_valid(name: &str, from: i64, until: i64) -> Sample {
    let mut params = named(name, CertificateParams::default());
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let now = OffsetDateTime::now_utc();
    params.not_before = now + Duration::days(from);
    params.not_after = now + Duration::days(until);
    self_signed(params)
}

/// A server's certificate that signed itself.
pub fn self_signed_server(host: &str) -> Sample {
    self_signed(named(
        host,
        CertificateParams::new([host.to_owned()]).unwrap(),
    ))
}

fn named(name: &str, mut params: CertificateParams) -> CertificateParams {
    params.distinguished_name = Default::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn self_signed(params: CertificateParams) -> Sample {
    let key = KeyPair::generate().unwrap();
    Sample {
        pem: params.self_signed(&key).unwrap().pem(),
        key_pem: key.serialize_pem(),
        issuer: Issuer::new(params, key),
    }
}
