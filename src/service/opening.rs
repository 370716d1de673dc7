//! The moment at which the TLS port opens: when a client can succeed.
//!
//! A client needs its certificates before it can connect, so the port opens when these are
//! published. Whoever waits for the port, as GitLab Runner's health check does, waits for them too.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    pki::{ClientKeyInTheMaking, PendingClient},
    reasons::{Finding, daemon},
    sockets::Sockets,
};

/// dockerd needs longer than this before it accepts; on a socket that does not listen it would
/// end. Until then the port is plainly shut, so that a health check is refused instead of kept
/// waiting for a second.
const LISTEN_AT_THE_LATEST: Duration = Duration::from_millis(250);

/// The client's certificates, published beside dockerd's start.
#[derive(Clone)]
pub struct Opening {
    failure: Arc<Mutex<Option<Finding>>>,
}

impl Opening {
    /// Publishes the client set and opens the port, on a thread of its own.
    ///
    /// If that fails, this process gets SIGTERM: dockerd is of no use then.
    pub fn start(client: PendingClient, key: ClientKeyInTheMaking, sockets: Arc<Sockets>) -> Self {
        let failure = Arc::new(Mutex::new(None));
        let opening = Self {
            failure: Arc::clone(&failure),
        };
        thread::spawn(move || {
            if let Err(finding) = publish_and_open(client, key, &sockets) {
                *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(finding);
                // Fails only for a process that does not exist.
                let _ = kill(Pid::this(), Signal::SIGTERM);
            }
        });
        opening
    }

    /// Why the certificates could not be published, if so.
    pub fn failure(&self) -> Option<Finding> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn publish_and_open(
    client: PendingClient,
    key: ClientKeyInTheMaking,
    sockets: &Sockets,
) -> Result<(), Finding> {
    let (done, published) = mpsc::channel();
    thread::spawn(move || done.send(client.publish(key)));
    let result = match published.recv_timeout(LISTEN_AT_THE_LATEST) {
        Err(RecvTimeoutError::Timeout) => {
            sockets.tcp.listen_closed()?;
            published.recv().map_err(|_| panicked())?
        }
        result => result.map_err(|_| panicked())?,
    };
    result?;
    sockets.tcp.open()
}

/// The only way in which the thread can end without a result.
fn panicked() -> Finding {
    let error = io::Error::other("the thread that publishes them panicked");
    daemon::init("the client's certificates", &error)
}
