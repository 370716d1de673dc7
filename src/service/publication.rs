//! The certificates, made and published beside everything else, and the TLS port, which opens with
//! them: when a client can succeed.
//!
//! A client needs its certificates before it can connect, and they need nothing of what dockerd
//! needs: whatever keeps dockerd waiting or ends it, a client can be told. Whoever waits for the
//! port, as GitLab Runner's health check does, waits for the certificates too.

use std::{
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use nix::sys::eventfd::{EfdFlags, EventFd};

use super::certificates;
use crate::{
    facts::mounts::Mounts,
    pki::{self, Certificates, ClientKeyInTheMaking, DirectoryLock, PendingClient, ServerIdentity},
    reasons::{Finding, certs, daemon},
    settings::{CertificateSettings, Settings},
    sockets::Sockets,
    system::{background::Background, retry::PAUSE, signals},
};

/// dockerd needs longer than this before it accepts; on a socket that does not listen it would
/// end. Until then the port is plainly shut, so that a health check is refused instead of kept
/// waiting for a second.
const LISTEN_AT_THE_LATEST: Duration = Duration::from_millis(250);

/// How long the end of the service waits for files that are just being written.
const LAST_FILES: Duration = Duration::from_secs(1);

/// Certificates on their way to dockerd and to clients.
#[derive(Debug)]
pub struct Publication {
    prepared: Receiver<Result<Certificates, Finding>>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    server: OnceLock<ServerIdentity>,
    /// Held as long as the certificates are served, and as long as something is explained by them.
    lock: Mutex<Option<DirectoryLock>>,
    state: Mutex<State>,
    changed: Condvar,
    /// Readable when clients will not get theirs.
    failed: EventFd,
}

/// How far the client's certificates have come.
#[derive(Clone, Debug)]
enum State {
    InTheMaking,
    BeingWritten,
    /// There will be none, or nobody needs them any more.
    Withdrawn,
    Done(Result<(), Finding>),
}

impl Publication {
    /// Begins with everything, on threads of its own; opens the port in the end, if it is ours.
    pub fn start(
        wanted: &CertificateSettings,
        settings: &Settings,
        mounts: &Mounts,
        key: ClientKeyInTheMaking,
        sockets: Option<Arc<Sockets>>,
    ) -> io::Result<Self> {
        let (send, prepared) = mpsc::channel();
        let shared = Arc::new(Shared {
            server: OnceLock::new(),
            lock: Mutex::new(None),
            state: Mutex::new(State::InTheMaking),
            changed: Condvar::new(),
            failed: EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?,
        });
        let publication = Self {
            prepared,
            shared: Arc::clone(&shared),
        };
        let (wanted, settings, mounts) = (wanted.clone(), settings.clone(), mounts.clone());
        let work = move || {
            let worker = Worker(shared);
            let mut made = prepare(&wanted, &settings, &mounts, sockets.as_deref());
            let client = made.as_mut().map(|made| {
                if let Some(server) = made.server.clone() {
                    // Set once, by this thread.
                    let _ = worker.0.server.set(server);
                }
                *worker.0.lock() = made.lock.take();
                made.pending.take()
            });
            let client = client.ok();
            // Nobody waits for it any more where the service is at its end.
            let _ = send.send(made);
            match client {
                Some(client) => publish(client, key, sockets.as_deref(), &worker.0),
                None => worker.0.set(State::Withdrawn),
            }
        };
        thread::Builder::new()
            .name("certificates".into())
            .spawn(work)?;
        Ok(publication)
    }

    /// The server's certificates and key, where they are in order.
    pub fn server(&self) -> Option<&ServerIdentity> {
        self.shared.server.get()
    }

    /// What dockerd needs, and what was decided. To be asked for once; waits for it. `None` where the
    /// service is asked to stop meanwhile: the volume may hang.
    pub fn prepared(&self) -> Option<Result<Certificates, Finding>> {
        loop {
            match self.prepared.recv_timeout(PAUSE) {
                Ok(made) => return Some(made),
                Err(RecvTimeoutError::Timeout) if signals::pending_stop().is_some() => return None,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Some(Err(daemon::init("the certificates", &panicked())));
                }
            }
        }
    }

    /// Waits until clients have theirs, or the service is asked to stop. The error is a fatal finding.
    pub fn wait(&self) -> Result<(), Finding> {
        let mut state = self.shared.state();
        while state.is_open() && signals::pending_stop().is_none() {
            let waited = self.shared.changed.wait_timeout(state, PAUSE);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        match &*state {
            State::Done(Err(finding)) => Err(finding.clone()),
            _ => Ok(()),
        }
    }

    /// Readable when clients will not get theirs, for [`failure`](Self::failure) to say why.
    pub fn failed(&self) -> &EventFd {
        &self.shared.failed
    }

    /// Why clients do not get theirs, if that is known.
    pub fn failure(&self) -> Option<Finding> {
        match &*self.shared.state() {
            State::Done(Err(finding)) => Some(finding.clone()),
            _ => None,
        }
    }

    /// Lets another dind have the directory.
    pub fn give_up_lock(&self) {
        let lock = self.shared.lock().take();
        // Giving it back may take as long as a file system likes.
        drop(Background::start(move || drop(lock)));
    }

    /// From now on nothing is written: the service cleans up.
    pub fn withdraw(&self) {
        let mut state = self.shared.state();
        if matches!(*state, State::InTheMaking) {
            *state = State::Withdrawn;
        }
        let writes = |state: &mut State| matches!(state, State::BeingWritten);
        // A volume that hangs keeps nobody from ending.
        let _ = self
            .shared
            .changed
            .wait_timeout_while(state, LAST_FILES, writes);
    }
}

impl State {
    fn is_open(&self) -> bool {
        matches!(self, Self::InTheMaking | Self::BeingWritten)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Option<DirectoryLock>> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: State) {
        *self.state() = state;
        self.changed.notify_all();
    }

    fn finish(&self, result: Result<(), Finding>) {
        let has_failed = result.is_err();
        self.set(State::Done(result));
        if has_failed {
            // Fails only if the counter overflows, and then it is readable as well.
            let _ = self.failed.write(1);
        }
    }

    /// Takes the turn to write, unless that was withdrawn.
    fn begin_to_write(&self) -> bool {
        let mut state = self.state();
        let may = matches!(*state, State::InTheMaking);
        if may {
            *state = State::BeingWritten;
        }
        may
    }
}

/// The thread that does the work. However it ends, nobody waits for ever.
struct Worker(Arc<Shared>);

impl Drop for Worker {
    fn drop(&mut self) {
        if self.0.state().is_open() {
            let failure = daemon::init("the client's certificates", &panicked());
            self.0.finish(Err(failure));
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

#[cfg(test)]
mod tests {
    use nix::sys::signal::{SigSet, Signal, raise};

    use super::*;

    fn shared() -> Arc<Shared> {
        Arc::new(Shared {
            server: OnceLock::new(),
            lock: Mutex::new(None),
            state: Mutex::new(State::InTheMaking),
            changed: Condvar::new(),
            failed: EventFd::from_flags(EfdFlags::EFD_NONBLOCK).unwrap(),
        })
    }

    fn publication(shared: &Arc<Shared>) -> Publication {
        Publication {
            prepared: mpsc::channel().1,
            shared: Arc::clone(shared),
        }
    }

    #[test]
    fn what_was_withdrawn_is_not_written_and_what_is_being_written_ends_first() {
        let early = shared();
        publication(&early).withdraw();
        assert!(!early.begin_to_write());
        assert_eq!(publication(&early).wait(), Ok(()));

        let late = shared();
        assert!(late.begin_to_write());
        let writer = Worker(Arc::clone(&late));
        thread::scope(|scope| {
            scope.spawn(move || writer.0.finish(Ok(())));
            publication(&late).withdraw();
        });
        assert!(matches!(*late.state(), State::Done(Ok(()))));
    }

    #[test]
    fn a_failure_is_known_and_wakes_whoever_waits_for_one_and_a_panic_is_a_failure() {
        let shared = shared();
        let publication = publication(&shared);
        assert!(publication.failed().read().is_err(), "nothing has failed");
        assert_eq!(publication.failure(), None);
        drop(Worker(Arc::clone(&shared)));
        assert!(publication.failed().read().is_ok());
        assert!(publication.failure().is_some());
        assert_eq!(publication.wait().err(), publication.failure());
        assert!(publication.prepared().unwrap().is_err());
    }

    #[test]
    fn what_takes_a_while_is_waited_for() {
        let (maker, prepared) = mpsc::channel();
        let publication = Publication {
            prepared,
            shared: shared(),
        };
        let made = thread::spawn(move || {
            thread::sleep(PAUSE * 3);
            maker.send(Err(certs::READONLY.noted("x"))).unwrap();
        });
        let prepared = publication.prepared().unwrap();
        assert_eq!(prepared.unwrap_err().reason.id, "CERTS-READONLY");
        made.join().unwrap();
    }

    /// In a thread: what is raised there is pending there alone.
    #[test]
    fn who_is_asked_to_stop_waits_for_no_volume() {
        thread::spawn(|| {
            let mut blocked = SigSet::empty();
            blocked.add(Signal::SIGTERM);
            blocked.thread_block().unwrap();
            let (_writer, prepared) = mpsc::channel();
            let publication = Publication {
                prepared,
                shared: shared(),
            };
            raise(Signal::SIGTERM).unwrap();
            assert!(publication.prepared().is_none());
            assert_eq!(publication.wait(), Ok(()));
            assert!(publication.shared.state().is_open());
        })
        .join()
        .unwrap();
    }
}
