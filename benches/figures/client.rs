//! A docker client over mutual TLS that does not give up.

use std::{
    error::Error,
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};

use crate::clock;

/// Waits for an answer; returns when it came, `None` if it did not within `limit`.
///
/// The certificates are read anew for each try, as each run of the CLI does. Between two tries
/// this sleeps for a millisecond at most.
pub fn first_answer(certificates: &Path, limit: Duration) -> Option<Duration> {
    let deadline = clock::now() + limit;
    while clock::now() < deadline {
        if ping(certificates, limit).is_ok_and(|answered| answered) {
            return Some(clock::now());
        }
        thread::sleep(Duration::from_micros(500));
    }
    None
}

fn ping(certificates: &Path, limit: Duration) -> Result<bool, Box<dyn Error>> {
    let read = |name: &str| fs::read(certificates.join(name));
    let (ca, certificate, key) = (read("ca.pem")?, read("cert.pem")?, read("key.pem")?);
    let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, 2376))?;
    socket.set_read_timeout(Some(limit))?;

    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&ca)?)?;
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![CertificateDer::from_pem_slice(&certificate)?],
            PrivateKeyDer::from_pem_slice(&key)?,
        )?;
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from("docker")?)?;
    let mut stream = StreamOwned::new(connection, socket);
    stream.write_all(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")?;
    const STATUS: &[u8] = b"HTTP/1.1 200 ";
    let mut status = [0; STATUS.len()];
    stream.read_exact(&mut status)?;
    Ok(status == STATUS)
}
