//! How far the certificates have come, as the thread that makes them tells the service.

use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use nix::sys::eventfd::EventFd;

use crate::{
    pki::{DirectoryLock, ServerIdentity},
    reasons::Finding,
};

#[derive(Debug)]
pub struct Shared {
    pub server: OnceLock<ServerIdentity>,
    /// Held as long as the certificates are served, and as long as something is explained by them.
    pub lock: Mutex<Option<DirectoryLock>>,
    pub state: Mutex<State>,
    pub changed: Condvar,
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
}

impl Shared {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn lock(&self) -> MutexGuard<'_, Option<DirectoryLock>> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set(&self, state: State) {
        *self.state() = state;
        self.changed.notify_all();
    }

    pub fn finish(&self, result: Result<(), Finding>) {
        let has_failed = result.is_err();
        self.set(State::Done(result));
        if has_failed {
            // Fails only if the counter overflows, and then it is readable as well.
            let _ = self.failed.write(1);
        }
    }

    /// Takes the turn to write, unless that was withdrawn.
    pub fn begin_to_write(&self) -> bool {
        let mut state = self.state();
        let may = matches!(*state, State::InTheMaking);
        if may {
            *state = State::BeingWritten;
        }
        may
    }
}
