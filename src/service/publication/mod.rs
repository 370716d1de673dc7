//! The certificates, made and published beside everything else, and the TLS port, which opens with
//! them: when a client can succeed.
//!
//! A client needs its certificates before it can connect, and they need nothing of what dockerd
//! needs: whatever keeps dockerd waiting or ends it, a client can be told. Whoever waits for the
//! port, as GitLab Runner's health check does, waits for the certificates too.

mod shared;
mod worker;

use std::{
    io,
    sync::{
        Arc, Condvar, Mutex, OnceLock, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use nix::sys::eventfd::{EfdFlags, EventFd};

use self::{
    shared::{Shared, State},
    worker::{Worker, panicked, prepare, publish},
};
use crate::{
    facts::mounts::Mounts,
    pki::{Certificates, ClientKeyInTheMaking, ServerIdentity},
    reasons::{Finding, daemon},
    settings::{CertificateSettings, Settings},
    sockets::Sockets,
    system::{background::Background, retry::PAUSE, signals},
};

/// How long the end of the service waits for files that are just being written.
const LAST_FILES: Duration = Duration::from_secs(1);

/// Certificates on their way to dockerd and to clients.
#[derive(Debug)]
pub struct Publication {
    prepared: Receiver<Result<Certificates, Finding>>,
    shared: Arc<Shared>,
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

#[cfg(test)]
mod tests {
    use nix::sys::signal::{SigSet, Signal, raise};

    use super::*;
    use crate::reasons::certs;

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
