//! Makes and reads keys.

use std::thread;

use nix::sys::signal::SigSet;
pub use rcgen::KeyPair;
use rcgen::PKCS_RSA_SHA256;
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};

use super::issue::IssueError;
use crate::settings::ClientKey;

/// A client key that is being made on a thread of its own: RSA takes 80 ms, or 300.
pub struct ClientKeyInTheMaking(Making);

enum Making {
    OnThread(thread::JoinHandle<Result<KeyPair, IssueError>>),
    /// No thread could be started: made when it is asked for.
    Later(ClientKey),
}

impl ClientKeyInTheMaking {
    /// Starts to make the key. To be called as early as possible.
    pub fn start(kind: ClientKey) -> Self {
        let thread = thread::Builder::new()
            .name("client-key".into())
            .spawn(move || {
                // The init's signals are for its main thread. Blocking cannot fail: the set is
                // valid; were it to, the key is made all the same.
                let _ = SigSet::all().thread_block();
                generate(kind)
            });
        Self(match thread {
            Ok(handle) => Making::OnThread(handle),
            Err(_) => Making::Later(kind),
        })
    }

    /// Waits for the key.
    pub fn wait(self) -> Result<KeyPair, IssueError> {
        match self.0 {
            Making::OnThread(handle) => handle
                .join()
                .unwrap_or_else(|_| Err(IssueError("the key's thread panicked".into()))),
            Making::Later(kind) => generate(kind),
        }
    }
}

/// A new key for a server, quickly made.
pub fn new_key() -> Result<KeyPair, IssueError> {
    generate(ClientKey::EcdsaP256)
}

/// Reads a private key in PEM: PKCS#8, PKCS#1 or SEC1, whatever else the file holds.
pub fn read_key(pem: &[u8]) -> Result<KeyPair, IssueError> {
    let der = PrivateKeyDer::from_pem_slice(pem).map_err(|error| IssueError(error.to_string()))?;
    Ok(KeyPair::try_from(&der)?)
}

fn generate(kind: ClientKey) -> Result<KeyPair, IssueError> {
    Ok(match kind {
        ClientKey::Rsa2048 => KeyPair::generate_for(&PKCS_RSA_SHA256)?,
        ClientKey::EcdsaP256 => KeyPair::generate()?,
    })
}
