//! How far the certificates have come, as the thread that makes them tells the service.

use std::{
    io,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::{
    pki::{Certificates, DirectoryLock, ServerIdentity},
    reasons::Finding,
    system::watched::Watched,
};

#[derive(Debug)]
pub struct Shared {
    /// What dockerd needs, from when it is there until it is taken.
    pub prepared: Watched<Option<Result<Certificates, Finding>>>,
    pub server: OnceLock<ServerIdentity>,
    /// Held as long as the certificates are served, and as long as something is explained by them.
    lock: Mutex<Option<DirectoryLock>>,
    pub state: Watched<State>,
    /// Readable when clients will not get theirs.
    pub failed: EventFd,
}

/// How far the client's certificates have come.
#[derive(Clone, Debug)]
pub enum State {
    InTheMaking,
    BeingWritten,
    /// There will be none, or nobody needs them any more.
    Withdrawn,
    Done(Result<(), Finding>),
}

impl State {
    pub fn is_open(&self) -> bool {
        matches!(self, Self::InTheMaking | Self::BeingWritten)
    }

    pub fn failure(&self) -> Option<&Finding> {
        match self {
            Self::Done(Err(finding)) => Some(finding),
            _ => None,
        }
    }
}

impl Shared {
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            prepared: Watched::default(),
            server: OnceLock::new(),
            lock: Mutex::new(None),
            state: Watched::new(State::InTheMaking),
            failed: EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?,
        })
    }

    pub fn lock(&self) -> MutexGuard<'_, Option<DirectoryLock>> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn finish(&self, result: Result<(), Finding>) {
        let has_failed = result.is_err();
        self.state.change(|state| *state = State::Done(result));
        if has_failed {
            // Fails only if the counter overflows, and then it is readable as well.
            let _ = self.failed.write(1);
        }
    }

    /// Takes the turn to write, unless that was withdrawn.
    pub fn begin_to_write(&self) -> bool {
        self.state.change(|state| {
            let may = matches!(state, State::InTheMaking);
            if may {
                *state = State::BeingWritten;
            }
            may
        })
    }

    /// No turn is given from now on; one that was begun goes on.
    pub fn withdraw(&self) {
        self.state.change(|state| {
            if matches!(state, State::InTheMaking) {
                *state = State::Withdrawn;
            }
        });
    }
}
