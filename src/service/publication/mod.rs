//! The certificates, made and published beside everything else, and the TLS port, which opens with
//! them: when a client can succeed.
//!
//! A client needs its certificates before it can connect, and they need nothing of what dockerd
//! needs: whatever keeps dockerd waiting or ends it, a client can be told. Whoever waits for the
//! port, as GitLab Runner's health check does, waits for the certificates too.

mod shared;
mod worker;

use std::{io, sync::Arc, thread, time::Duration};

use nix::sys::eventfd::EventFd;

use self::{
    shared::{Shared, State},
    worker::Worker,
};
use crate::{
    facts::mounts::Mounts,
    pki::{Certificates, ClientKeyInTheMaking, ServerIdentity},
    reasons::Finding,
    settings::{CertificateSettings, Settings},
    sockets::Sockets,
    system::background::Background,
};

/// How long the end of the service waits for files that are just being written.
const LAST_FILES: Duration = Duration::from_secs(1);

/// Certificates on their way to dockerd and to clients.
#[derive(Debug)]
pub struct Publication(Arc<Shared>);

impl Publication {
    /// Begins with everything, on threads of its own; opens the port in the end, if it is ours.
    pub fn start(
        wanted: &CertificateSettings,
        settings: &Settings,
        mounts: &Mounts,
        key: ClientKeyInTheMaking,
        sockets: Option<Arc<Sockets>>,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::new()?);
        let publication = Self(Arc::clone(&shared));
        let worker = Worker {
            wanted: wanted.clone(),
            settings: settings.clone(),
            mounts: mounts.clone(),
            key,
            sockets,
        };
        thread::Builder::new()
            .name("certificates".into())
            .spawn(move || worker.run(&shared))?;
        Ok(publication)
    }

    /// The server's certificates and key, where they are in order.
    pub fn server(&self) -> Option<&ServerIdentity> {
        self.0.server.get()
    }

    /// What dockerd needs, and what was decided. To be asked for once; waits for it. `None` where the
    /// service is asked to stop meanwhile: the volume may hang.
    pub fn prepared(&self) -> Option<Result<Certificates, Finding>> {
        let prepared = &self.0.prepared;
        prepared.wait_unless_stopped(None, Option::is_none).take()
    }

    /// Waits until clients have theirs, or the service is asked to stop. The error is a fatal finding.
    pub fn wait(&self) -> Result<(), Finding> {
        let state = self.0.state.wait_unless_stopped(None, State::is_open);
        state.failure().cloned().map_or(Ok(()), Err)
    }

    /// Readable when clients will not get theirs, for [`failure`](Self::failure) to say why.
    pub fn failed(&self) -> &EventFd {
        &self.0.failed
    }

    /// Why clients do not get theirs, if that is known.
    pub fn failure(&self) -> Option<Finding> {
        self.0.state.lock().failure().cloned()
    }

    /// Lets another dind have the directory.
    pub fn give_up_lock(&self) {
        let lock = self.0.lock().take();
        // Giving it back may take as long as a file system likes.
        drop(Background::start(move || drop(lock)));
    }

    /// From now on nothing is written: the service cleans up.
    pub fn withdraw(&self) {
        self.0.withdraw();
        let writes = |state: &State| matches!(state, State::BeingWritten);
        // A volume that hangs keeps nobody from ending.
        drop(self.0.state.wait_while(LAST_FILES, writes));
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::signal::{SigSet, Signal, raise};

    use super::{worker::End, *};
    use crate::{reasons::certs, system::retry::PAUSE};

    fn shared() -> Arc<Shared> {
        Arc::new(Shared::new().unwrap())
    }

    #[test]
    fn what_was_withdrawn_is_not_written_and_what_is_being_written_ends_first() {
        let early = shared();
        let publication = Publication(Arc::clone(&early));
        publication.withdraw();
        assert!(!early.begin_to_write());
        assert_eq!(publication.wait(), Ok(()));

        let late = shared();
        assert!(late.begin_to_write());
        thread::scope(|scope| {
            scope.spawn(|| late.finish(Ok(())));
            Publication(Arc::clone(&late)).withdraw();
        });
        assert!(matches!(*late.state.lock(), State::Done(Ok(()))));
    }

    #[test]
    fn a_failure_is_known_and_wakes_whoever_waits_for_one_and_a_panic_is_a_failure() {
        let shared = shared();
        let publication = Publication(Arc::clone(&shared));
        assert!(publication.failed().read().is_err(), "nothing has failed");
        assert_eq!(publication.failure(), None);
        drop(End(&shared));
        assert!(publication.failed().read().is_ok());
        assert!(publication.failure().is_some());
        assert_eq!(publication.wait().err(), publication.failure());
        assert!(publication.prepared().unwrap().is_err());
    }

    #[test]
    fn what_takes_a_while_is_waited_for() {
        let shared = shared();
        let publication = Publication(Arc::clone(&shared));
        let made = thread::spawn(move || {
            thread::sleep(PAUSE * 3);
            let made = Err(certs::READONLY.noted("x"));
            shared.prepared.change(|prepared| *prepared = Some(made));
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
            let publication = Publication(shared());
            raise(Signal::SIGTERM).unwrap();
            assert!(publication.prepared().is_none());
            assert_eq!(publication.wait(), Ok(()));
            assert!(publication.0.state.lock().is_open());
        })
        .join()
        .unwrap();
    }
}
