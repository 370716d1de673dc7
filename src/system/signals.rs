//! Signals: blocked before anything is started, read from a descriptor, restored in dockerd.

use std::mem::MaybeUninit;

use nix::{
    errno::Errno,
    libc,
    sys::{
        signal::{SigSet, SigmaskHow, Signal, sigprocmask},
        signalfd::{SfdFlags, SignalFd},
    },
};

/// Raised by a fault of the process itself: these are never blocked, so that a fault of the init
/// ends it instead of looping.
const SYNCHRONOUS: [Signal; 7] = [
    Signal::SIGFPE,
    Signal::SIGILL,
    Signal::SIGSEGV,
    Signal::SIGBUS,
    Signal::SIGABRT,
    Signal::SIGTRAP,
    Signal::SIGSYS,
];

/// Job control of a terminal that a service container does not have: neither obeyed nor forwarded.
const TERMINAL: [Signal; 3] = [Signal::SIGTSTP, Signal::SIGTTIN, Signal::SIGTTOU];

/// All signals of this process, waiting in a descriptor.
#[derive(Debug)]
pub struct Signals {
    /// Becomes readable when a signal has come; non-blocking.
    pub descriptor: SignalFd,
    /// The mask that this process was started with, which dockerd must get back: its containers
    /// inherit it.
    pub original: Vec<Signal>,
}

impl Signals {
    /// Blocks every signal but the synchronous ones; call it before any thread is started.
    ///
    /// A blocked signal is queued even for PID 1, where the kernel would drop it if it had only
    /// its default action (`man 7 pid_namespaces`).
    pub fn block() -> Result<Self, Errno> {
        let mut blocked = SigSet::empty();
        for signal in Signal::iterator().filter(|signal| !SYNCHRONOUS.contains(signal)) {
            blocked.add(signal);
        }
        let mut original = SigSet::empty();
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&blocked), Some(&mut original))?;
        Ok(Self {
            descriptor: SignalFd::with_flags(
                &blocked,
                SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK,
            )?,
            original: original.iter().collect(),
        })
    }

    /// The next signal that waits, `None` if there is none.
    pub fn next(&self) -> Option<Signal> {
        loop {
            let info = self.descriptor.read_signal().ok().flatten()?;
            let number = i32::try_from(info.ssi_signo).unwrap_or_default();
            if let Ok(signal) = Signal::try_from(number) {
                return Some(signal);
            }
        }
    }
}

/// Sets the mask of this process, as it was before [`Signals::block`].
pub fn restore(original: &[Signal]) -> Result<(), Errno> {
    let mask: SigSet = original.iter().copied().collect();
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&mask), None)
}

/// A signal that asks for the end and has come, but was not read yet: whoever waits for something
/// else looks here. `None` in a process that does not block them, which such a signal ends.
pub fn pending_stop() -> Option<Signal> {
    let mut pending = MaybeUninit::uninit();
    // SAFETY: sigpending writes a whole set to the address, or fails and writes nothing.
    let pending = unsafe {
        if libc::sigpending(pending.as_mut_ptr()) != 0 {
            return None;
        }
        SigSet::from_sigset_t_unchecked(pending.assume_init())
    };
    pending.iter().find(|signal| asks_to_stop(*signal))
}

/// Whether the main process should get this signal when the init does.
///
/// SIGPIPE is the kernel's answer to a write of the init's own, and would end dockerd.
pub fn is_forwarded(signal: Signal) -> bool {
    !matches!(signal, Signal::SIGCHLD | Signal::SIGPIPE) && !TERMINAL.contains(&signal)
}

/// Whether this signal asks for the end.
///
/// dockerd gives up its clean shutdown at the fourth, so each is forwarded only once
/// (moby `daemon/command/trap/trap.go`).
pub fn asks_to_stop(signal: Signal) -> bool {
    matches!(signal, Signal::SIGTERM | Signal::SIGINT | Signal::SIGQUIT)
}

#[cfg(test)]
mod tests {
    use nix::sys::signal::raise;

    use super::*;

    #[test]
    fn what_comes_of_the_init_s_own_doing_is_not_forwarded() {
        let kept = Signal::iterator().filter(|signal| !is_forwarded(*signal));
        let own = [Signal::SIGCHLD, Signal::SIGPIPE];
        let kept: Vec<_> = kept.filter(|signal| !TERMINAL.contains(signal)).collect();
        assert!(own.iter().all(|signal| kept.contains(signal)), "{kept:?}");
        assert_eq!(kept.len(), own.len());
    }

    /// In a thread: what is raised there is pending there alone.
    #[test]
    fn a_signal_that_asks_for_the_end_is_seen_before_it_is_read() {
        std::thread::spawn(|| {
            let mut blocked = SigSet::empty();
            blocked.add(Signal::SIGTERM);
            blocked.add(Signal::SIGHUP);
            blocked.thread_block().unwrap();
            assert_eq!(pending_stop(), None);
            raise(Signal::SIGHUP).unwrap();
            assert_eq!(pending_stop(), None);
            raise(Signal::SIGTERM).unwrap();
            assert_eq!(pending_stop(), Some(Signal::SIGTERM));
            assert_eq!(pending_stop(), Some(Signal::SIGTERM), "it is not taken");
        })
        .join()
        .unwrap();
    }
}
