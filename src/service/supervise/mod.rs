//! The life of dockerd: wait for what happens, pass signals on, reap, and take its exit status.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, DirEntry},
    os::fd::AsFd,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::{
        eventfd::EventFd,
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

use crate::{
    dockerd::{
        ended::Ended,
        readiness::{Notification, Readiness},
    },
    system::{
        poll, process,
        signals::{self, Signals},
    },
};

/// How long the processes that dockerd left behind may take to end before the init does.
///
/// dockerd itself may take as long as it wants: it gives each container its own stop time, and
/// whoever asked the container to stop has a deadline of its own (Kubernetes 30 s).
const LEFT_BEHIND: Duration = Duration::from_secs(2);

/// What the supervisor tells the rest of the init.
pub trait Events {
    /// dockerd serves its API.
    fn ready(&mut self);
    /// Nobody can use this dockerd, which is about to be told to end.
    fn failed(&mut self);
    /// The container was asked to stop; dockerd, if it is there still, is told.
    fn asked_to_stop(&mut self, signal: Signal);
    /// dockerd does not serve its API any more.
    fn stopping(&mut self);
    /// dockerd has ended; what it left behind has not yet.
    fn ended(&mut self, ended: Ended);
    /// When to call [`overdue`](Self::overdue), as things are now.
    fn deadline(&self) -> Option<Instant>;
    /// The deadline is over.
    fn overdue(&mut self);
}

/// Everything that the supervisor waits for.
pub struct Supervisor<'a> {
    pub dockerd: Pid,
    pub signals: &'a Signals,
    pub readiness: &'a Readiness,
    /// Readable when something has failed without which dockerd is of no use.
    pub failed: Option<&'a EventFd>,
    pub events: &'a mut dyn Events,
}

impl Supervisor<'_> {
    /// Waits for dockerd's end, and for that of what it leaves behind. Does not wake up for nothing.
    pub fn run(mut self) -> Ended {
        let mut forwarded = Vec::new();
        loop {
            let sources = [self.signals.descriptor.as_fd(), self.readiness.as_fd()];
            let sources = sources.into_iter().chain(self.failed.map(AsFd::as_fd));
            poll::until_readable(sources, self.events.deadline());
            let ended = self.handle_signals(&mut forwarded);
            self.handle_notifications();
            if let Some(ended) = ended {
                self.events.ended(ended);
                self.end_what_is_left();
                return ended;
            }
            self.handle_failure();
            // Asked again: dockerd may have said something meanwhile, or be ready.
            let deadline = self.events.deadline();
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                self.events.overdue();
            }
        }
    }

    /// Signals are merged while they wait, so one SIGCHLD may stand for many children.
    fn handle_signals(&mut self, forwarded: &mut Vec<Signal>) -> Option<Ended> {
        let mut ended = None;
        // What comes after its end is not for the process that has its number next.
        while ended.is_none()
            && let Some(signal) = self.signals.next()
        {
            if signal == Signal::SIGCHLD {
                ended = reap(self.dockerd);
            } else if signals::is_forwarded(signal) {
                self.forward(signal, forwarded);
            }
        }
        ended
    }

    fn forward(&mut self, signal: Signal, forwarded: &mut Vec<Signal>) {
        if signals::asks_to_stop(signal) {
            if forwarded.contains(&signal) {
                return;
            }
            forwarded.push(signal);
        }
        // It may have ended already; SIGCHLD is on its way then.
        let _ = kill(self.dockerd, signal);
        // Only now: whoever is told must not keep dockerd from its end.
        if signals::asks_to_stop(signal) {
            self.events.asked_to_stop(signal);
        }
    }

    fn handle_notifications(&mut self) {
        while let Some(notification) = self.readiness.next(self.dockerd) {
            match notification {
                Notification::Ready => self.events.ready(),
                Notification::Stopping => self.events.stopping(),
            }
        }
    }

    fn handle_failure(&mut self) {
        if self.failed.is_some_and(|failed| failed.read().is_ok()) {
            self.events.failed();
            // As above.
            let _ = kill(self.dockerd, Signal::SIGTERM);
        }
    }

    /// Asks what remains below us to end, and waits until it has or the time is over.
    fn end_what_is_left(&mut self) {
        let mut asked = BTreeSet::new();
        let deadline = Instant::now() + LEFT_BEHIND;
        while has_children() {
            // Each once, as systemd asks a unit's processes: what is a child's child now is nobody
            // else's to ask when its parent has ended.
            for process in descendants() {
                if asked.insert(process) {
                    let _ = kill(process, Signal::SIGTERM);
                }
            }
            if deadline <= Instant::now() {
                return;
            }
            poll::until_readable([self.signals.descriptor.as_fd()], Some(deadline));
            while let Some(signal) = self.signals.next() {
                if signals::asks_to_stop(signal) {
                    self.events.asked_to_stop(signal);
                }
            }
        }
    }
}

/// Reaps what ends, until someone asks for the end.
pub fn wait_for_stop(signals: &Signals) -> Signal {
    loop {
        poll::until_readable([signals.descriptor.as_fd()], None);
        while let Some(signal) = signals.next() {
            if signals::asks_to_stop(signal) {
                return signal;
            }
            has_children();
        }
    }
}

/// Reaps every child that has ended; returns how `main` did, if it was among them.
fn reap(main: Pid) -> Option<Ended> {
    let mut ended = None;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, status)) if pid == main => {
                // The kernel keeps only the low byte.
                ended = Some(Ended::Exited(u8::try_from(status).unwrap_or(u8::MAX)));
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == main => {
                ended = Some(Ended::Killed(signal));
            }
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return ended,
            Ok(_) | Err(_) => {}
        }
    }
}

/// Reaps, and says whether a child is still there.
fn has_children() -> bool {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return true,
            Err(_) => return false,
            Ok(_) => {}
        }
    }
}

/// The processes below us, children first: as PID 1 or as a subreaper, orphans too. Only these: of
/// all that we could reach some may be the node's, in whose PID namespace we may be.
fn descendants() -> Vec<Pid> {
    let mut children: BTreeMap<Pid, Vec<Pid>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        if let Some((process, parent)) = process_and_parent(&entry) {
            children.entry(parent).or_default().push(process);
        }
    }
    let mut found = children.remove(&Pid::this()).unwrap_or_default();
    let mut position = 0;
    while let Some(process) = found.get(position) {
        found.extend(children.remove(process).unwrap_or_default());
        position += 1;
    }
    found
}

fn process_and_parent(entry: &DirEntry) -> Option<(Pid, Pid)> {
    let process = entry.file_name().to_str()?.parse().ok()?;
    let parent = process::parent(process)?;
    Some((Pid::from_raw(process), Pid::from_raw(parent)))
}

#[cfg(test)]
mod tests;
