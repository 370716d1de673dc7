//! The work: certificates prepared for dockerd, the client's published, and the port opened.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use super::shared::{Shared, State};
use crate::{
    facts::mounts::Mounts,
    pki::{self, Certificates, ClientKeyInTheMaking, PendingClient},
    reasons::{Finding, certs, daemon},
    service::certificates,
    settings::{CertificateSettings, Settings},
    sockets::Sockets,
};

/// dockerd needs longer than this before it accepts; on a socket that does not listen it would
/// end. Until then the port is plainly shut, so that a health check is refused instead of kept
/// waiting for a second.
const LISTEN_AT_THE_LATEST: Duration = Duration::from_millis(250);

/// What the thread works with.
pub struct Worker {
    pub wanted: CertificateSettings,
    pub settings: Settings,
    pub mounts: Mounts,
    pub key: ClientKeyInTheMaking,
    /// Those that are to be opened with the certificates.
    pub sockets: Option<Arc<Sockets>>,
}

impl Worker {
    /// Does all of it.
    pub fn run(self, shared: &Arc<Shared>) {
        let _end = End(shared);
        let sockets = self.sockets.as_deref();
        let mut made = prepare(&self.wanted, &self.settings, &self.mounts, sockets);
        let client = made.as_mut().map(|made| {
            if let Some(server) = made.server.clone() {
                // Set once, by this thread.
                let _ = shared.server.set(server);
            }
            *shared.lock() = made.lock.take();
            made.pending.take()
        });
        let client = client.ok();
        shared.prepared.change(|prepared| *prepared = Some(made));
        match client {
            Some(client) => publish(client, self.key, sockets, shared),
            None => shared.state.change(|state| *state = State::Withdrawn),
        }
    }
}

/// The end of the thread: however it comes, nobody waits for ever.
pub struct End<'a>(pub &'a Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        if self.0.state.lock().is_open() {
            let failure = |what| daemon::init(what, &panicked());
            self.0.prepared.change(|prepared| {
                prepared.get_or_insert_with(|| Err(failure("the certificates")));
            });
            self.0.finish(Err(failure("the client's certificates")));
        }
    }
}

/// All but what waits for the client's key.
fn prepare(
    wanted: &CertificateSettings,
    settings: &Settings,
    mounts: &Mounts,
    sockets: Option<&Sockets>,
) -> Result<Certificates, Finding> {
    let prepare = |patience| certificates::prepare(wanted, settings, mounts, patience);
    match (prepare(Duration::ZERO), sockets) {
        (Err(finding), Some(sockets)) if finding.reason.id == certs::IN_USE.id => {
            // A client that holds the other dind's certificates is not refused meanwhile.
            sockets.tcp.listen_closed()?;
            prepare(pki::LOCK_PATIENCE)
        }
        (made, _) => made,
    }
}

/// Publishes the client's set, if it gets a new one, and opens the port.
fn publish(
    client: Option<PendingClient>,
    key: ClientKeyInTheMaking,
    sockets: Option<&Sockets>,
    shared: &Arc<Shared>,
) {
    let result = match client {
        Some(client) => write_beside(client, key, sockets, shared),
        None => Some(Ok(())),
    };
    let Some(written) = result else {
        return;
    };
    let opened = written.and_then(|()| sockets.map_or(Ok(()), |sockets| sockets.tcp.open()));
    shared.finish(opened);
}

/// Writes the client's set on a further thread, so that the port listens in time whatever the
/// volume does. `None` where that was withdrawn.
fn write_beside(
    client: PendingClient,
    key: ClientKeyInTheMaking,
    sockets: Option<&Sockets>,
    shared: &Arc<Shared>,
) -> Option<Result<(), Finding>> {
    let (send, written) = mpsc::channel();
    let turn = Arc::clone(shared);
    let write = move || {
        let result = client.issue(key).and_then(|issued| {
            let may_write = turn.begin_to_write();
            may_write.then(|| issued.publish()).transpose()
        });
        let _ = send.send(result);
    };
    let begun = thread::Builder::new()
        .name("client-set".into())
        .spawn(write);
    if let Err(error) = begun {
        return Some(Err(daemon::init("the client's certificates", &error)));
    }
    let late = match (written.recv_timeout(LISTEN_AT_THE_LATEST), sockets) {
        (Err(RecvTimeoutError::Timeout), Some(sockets)) => sockets.tcp.listen_closed().err(),
        (Err(_), _) => None,
        (Ok(result), _) => return result.transpose(),
    };
    if let Some(finding) = late {
        return Some(Err(finding));
    }
    match written.recv() {
        Ok(result) => result.transpose(),
        Err(_) => {
            let error = panicked();
            Some(Err(daemon::init("the client's certificates", &error)))
        }
    }
}

/// The only way in which a thread can end without a result.
fn panicked() -> io::Error {
    io::Error::other("the thread that makes them panicked")
}
