//! `DIND_REGISTRY_PROBE`: whether the registry of this GitLab is going to be trusted, asked before a
//! job pulls from it.

use std::{
    net::{TcpStream, ToSocketAddrs},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use time::OffsetDateTime;

use super::trust::Trust;
use crate::{
    pki::{
        inspect::Certificate,
        verify::{Problem, Set, Usage},
    },
    reasons::{Finding, registry},
    settings::{registry_host::RegistryHost, subject_names::SubjectName},
};

/// How long the registry may take to answer, for each step.
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);

/// Shakes hands with the registry and judges what it presents. The error says why nobody answered.
pub fn probe(
    host: &RegistryHost,
    trust: &Trust,
    system: &[Certificate],
    now: OffsetDateTime,
) -> Result<Option<Finding>, String> {
    let chain = presented(host)?;
    let mut chain = chain
        .into_iter()
        .map(Certificate::parse)
        .collect::<Result<Vec<_>, _>>()?
        .into_iter();
    let Some(leaf) = chain.next() else {
        return Err("it presents no certificate".into());
    };
    let of_registry = trust
        .registries
        .get(host)
        .into_iter()
        .flat_map(|r| &r.authorities);
    let authorities = system
        .iter()
        .chain(&trust.every_registry)
        .chain(of_registry);
    let set = Set {
        authorities: authorities.cloned().collect(),
        leaf,
        intermediates: chain.collect(),
    };
    Ok(judge(host, &set, now))
}

/// What Docker will say to the chain.
fn judge(host: &RegistryHost, set: &Set, now: OffsetDateTime) -> Option<Finding> {
    let leaf = &set.leaf;
    let shown = format!(
        "{host} presents {}, issued by {}",
        leaf.subject, leaf.issuer
    );
    if let Err(flaw) = set.verify(&set.authorities, Usage::Server, now) {
        let last = set.intermediates.last().unwrap_or(leaf);
        return Some(match flaw.problem {
            Problem::Expired => registry::EXPIRED.met(format!("{shown}. It {}.", flaw.why)),
            Problem::NotYetValid => {
                registry::NOT_YET_VALID.met(format!("{shown}. It {}.", flaw.why))
            }
            // What cannot be judged here, Docker may accept.
            Problem::Unverified => return None,
            _ => registry::UNTRUSTED.met_with(
                format!("{shown}. The CA that is needed is {}.", last.issuer),
                registry::registry(&host.to_string()),
            ),
        });
    }
    (!leaf.covers(&host.name)).then(|| {
        let names: Vec<_> = leaf.names.iter().map(ToString::to_string).collect();
        registry::NAME.met(format!("{shown}, for {}.", names.join(", ")))
    })
}

/// The chain that the host presents; nothing else is said to it.
fn presented(host: &RegistryHost) -> Result<Vec<CertificateDer<'static>>, String> {
    let name = match &host.name {
        SubjectName::Dns(name) => name.clone(),
        SubjectName::Ip(address) => address.to_string(),
    };
    let port = host.port.unwrap_or(443);
    let address = (name.as_str(), port)
        .to_socket_addrs()
        .map_err(|error| error.to_string())?
        .next()
        .ok_or("it has no address")?;
    let said = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_PATIENCE).map_err(said)?;
    stream
        .set_read_timeout(Some(ANSWER_PATIENCE))
        .map_err(said)?;
    stream
        .set_write_timeout(Some(ANSWER_PATIENCE))
        .map_err(said)?;

    let chain = Arc::new(Chain::default());
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&chain) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    let name = ServerName::try_from(name).map_err(|error| error.to_string())?;
    let mut connection =
        ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
    while connection.is_handshaking() && chain.is_empty() {
        connection.complete_io(&mut stream).map_err(said)?;
    }
    Ok(chain.take())
}

/// Takes note of a chain, and judges nothing: the connection is closed when it is known.
#[derive(Debug, Default)]
struct Chain(Mutex<Vec<CertificateDer<'static>>>);

impl Chain {
    fn is_empty(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }

    fn take(&self) -> Vec<CertificateDer<'static>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ServerCertVerifier for Chain {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = std::iter::once(end_entity).chain(intermediates);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = chain
            .map(|certificate| certificate.clone().into_owned())
            .collect();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use rustls::{
        ServerConfig, ServerConnection,
        pki_types::{PrivateKeyDer, pem::PemObject},
    };

    use super::*;
    use crate::registry::{
        samples::{self, Sample},
        sources::{Role, Scope, Source},
    };

    /// A registry that shakes hands once; returns what it is called.
    fn serve(server: &Sample) -> RegistryHost {
        let chain = vec![server.certificate().der];
        let key = PrivateKeyDer::from_pem_slice(server.key_pem.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
            // The client goes when it has seen enough.
            let _ = connection.complete_io(&mut stream);
        });
        RegistryHost::parse(&format!("localhost:{port}")).unwrap()
    }

    fn trusting(host: &RegistryHost, pem: &str) -> Trust {
        let source = Source {
            origin: "/ca.crt".into(),
            role: Role::Authorities(Scope::Registry(host.clone())),
            content: Ok(pem.into()),
        };
        Trust::judge(&[source], OffsetDateTime::now_utc())
    }

    fn ask(server: &Sample, trusted: Option<&Sample>) -> Option<Finding> {
        let host = serve(server);
        let trust = trusted.map_or_else(Trust::default, |ca| trusting(&host, &ca.pem));
        probe(&host, &trust, &[], OffsetDateTime::now_utc()).unwrap()
    }

    #[test]
    fn a_registry_that_is_trusted_has_nothing_to_say() {
        let ca = samples::authority("Corp CA");
        assert_eq!(ask(&ca.sign("localhost"), Some(&ca)), None);
        let own = samples::self_signed_server("localhost");
        assert_eq!(ask(&own, Some(&own)), None);
    }

    #[test]
    fn the_ca_that_would_be_needed_is_named() {
        let (ca, other) = (
            samples::authority("Corp CA"),
            samples::authority("Other CA"),
        );
        for trusted in [None, Some(&other)] {
            let finding = ask(&ca.sign("localhost"), trusted).unwrap();
            assert_eq!(finding.reason.id, "REGISTRY-UNTRUSTED");
            assert!(
                finding
                    .cause
                    .contains("The CA that is needed is CN=Corp CA"),
                "{finding}"
            );
        }
    }

    #[test]
    fn another_name_is_noticed() {
        let ca = samples::authority("Corp CA");
        let finding = ask(&ca.sign("other.test"), Some(&ca)).unwrap();
        assert_eq!(finding.reason.id, "REGISTRY-NAME");
        assert!(finding.cause.contains("for other.test"), "{finding}");
    }

    #[test]
    fn nobody_there_is_no_finding() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let host = RegistryHost::parse(&format!("127.0.0.1:{port}")).unwrap();
        let answer = probe(&host, &Trust::default(), &[], OffsetDateTime::now_utc());
        assert!(answer.unwrap_err().contains("refused"));
    }
}
