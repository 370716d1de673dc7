//! What the daemon presents to a client that speaks TLS.

use std::sync::Arc;

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::{
    pki::{ServerIdentity, issue},
    reasons::Finding,
    report::explain,
};

/// The TLS side of the daemon: with the server's certificate where there is one that clients trust,
/// else with one whose name is the message.
pub fn tls(server: Option<&ServerIdentity>, finding: &Finding) -> Option<Arc<ServerConfig>> {
    server
        .and_then(trusted)
        .or_else(|| named(&explain::certificate_name(finding)))
}

/// With the server's certificate. Clients are not asked for theirs: the explanation is no secret.
pub fn trusted(server: &ServerIdentity) -> Option<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_slice_iter(&server.certificate_pem);
    let chain = chain.collect::<Result<_, _>>().ok()?;
    let key = PrivateKeyDer::from_pem_slice(&server.key_pem).ok()?;
    config(chain, key).ok()
}

/// For clients that trust some other CA.
fn named(dns_name: &str) -> Option<Arc<ServerConfig>> {
    let (certificate, key) = issue::message_certificate(dns_name).ok()?;
    config(vec![certificate], key).ok()
}

pub(super) fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reasons::certs;

    #[test]
    fn a_certificate_is_found_for_every_client() {
        let (certificate, key) = issue::message_certificate("docker").unwrap();
        let PrivateKeyDer::Pkcs8(key) = key else {
            panic!("PKCS #8 is what is made");
        };
        let text = |label: &str, der: &[u8]| pem::encode(&pem::Pem::new(label, der)).into_bytes();
        let server = ServerIdentity {
            certificate_pem: text("CERTIFICATE", &certificate),
            key_pem: text("PRIVATE KEY", key.secret_pkcs8_der()),
        };
        assert!(trusted(&server).is_some());
        let finding = certs::READONLY.found("x", "");
        assert!(tls(Some(&server), &finding).is_some());
        // What its name says is all that such a client shows.
        assert!(tls(None, &finding).is_some());
        let broken = ServerIdentity {
            key_pem: Vec::new(),
            ..server
        };
        assert!(trusted(&broken).is_none());
        assert!(tls(Some(&broken), &finding).is_some());
    }
}
