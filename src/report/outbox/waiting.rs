//! What is still to be written, and when each of it is due.

use std::{
    mem,
    time::{Duration, Instant},
};

use crate::{
    reasons::{Finding, Severity},
    report::status::Status,
};

/// No status is written more often, but for a new state; one that could not be is tried again.
const INTERVAL: Duration = Duration::from_secs(1);

/// The longest that the job's log waits for something worse. Jobs begin later than that.
const GATHERING: Duration = Duration::from_millis(300);

#[derive(Debug)]
pub struct Waiting {
    started: Instant,
    place: Place,
    status: Option<Status>,
    /// It has a new state, or the service ends.
    is_urgent: bool,
    /// When the last one was taken.
    last_status: Option<Instant>,
    entries: Vec<Entry>,
    /// The entries wait for nothing worse.
    is_released: bool,
    is_writing: bool,
}

/// Where the status is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    /// Its file system has not answered yet.
    Unknown,
    There,
    Nowhere,
}

/// For the job's log: a finding with its number.
pub type Entry = (usize, Finding);

/// What is to be written now.
#[derive(Debug)]
pub struct Due {
    pub status: Option<Status>,
    pub entries: Vec<Entry>,
}

impl Waiting {
    pub fn since(started: Instant) -> Self {
        Self {
            started,
            place: Place::Unknown,
            status: None,
            is_urgent: false,
            last_status: None,
            entries: Vec::new(),
            is_released: false,
            is_writing: false,
        }
    }

    /// The place of the status is there from now on, or there is none.
    pub fn place(&mut self, is_there: bool) {
        self.place = match is_there {
            true => Place::There,
            false => Place::Nowhere,
        };
        if !is_there {
            self.status = None;
        }
    }

    pub fn status(&mut self, status: Status, is_urgent: bool) {
        if self.place != Place::Nowhere {
            self.status = Some(status);
            self.is_urgent |= is_urgent;
        }
    }

    /// Nothing is worse than a fatal one.
    pub fn entry(&mut self, number: usize, finding: Finding) {
        self.is_released |= finding.severity == Severity::Fatal;
        self.entries.push((number, finding));
    }

    /// Nothing worse can come.
    pub fn release(&mut self) {
        self.is_released = true;
    }

    /// All of it is due now.
    pub fn hurry(&mut self) {
        self.is_urgent = true;
        self.is_released = true;
    }

    pub fn clear(&mut self) {
        self.status = None;
        self.entries.clear();
    }

    /// How long until something is due; `None` where there is nothing.
    pub fn rest(&self) -> Option<Duration> {
        let rests = [self.status_rest(), self.entries_rest()];
        rests.into_iter().flatten().min()
    }

    /// Takes what is due. It is being written until [`Waiting::written`] is told.
    pub fn take_due(&mut self) -> Due {
        let is_due = |rest| rest == Some(Duration::ZERO);
        let entries = match is_due(self.entries_rest()) {
            true => mem::take(&mut self.entries),
            false => Vec::new(),
        };
        let status = match is_due(self.status_rest()) {
            true => self.status.take(),
            false => None,
        };
        if status.is_some() {
            self.is_urgent = false;
            self.last_status = Some(Instant::now());
        }
        self.is_writing = true;
        Due { status, entries }
    }

    /// Ends the writing. A status that could not be written waits again, unless a newer one does.
    pub fn written(&mut self, refused: Option<Status>) {
        self.is_writing = false;
        if let Some(refused) = refused {
            self.status.get_or_insert(refused);
        }
    }

    pub fn is_writing(&self) -> bool {
        self.is_writing
    }

    /// Something is still to be written, or just being.
    pub fn is_unsettled(&self) -> bool {
        self.status.is_some() || !self.entries.is_empty() || self.is_writing
    }

    fn status_rest(&self) -> Option<Duration> {
        let rest = match self.last_status {
            Some(last) if !self.is_urgent => INTERVAL.saturating_sub(last.elapsed()),
            _ => Duration::ZERO,
        };
        (self.status.is_some() && self.place == Place::There).then_some(rest)
    }

    fn entries_rest(&self) -> Option<Duration> {
        let rest = match self.is_released {
            true => Duration::ZERO,
            false => GATHERING.saturating_sub(self.started.elapsed()),
        };
        (!self.entries.is_empty()).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        reasons::{certs, client},
        report::status::State,
    };

    /// It never gathers long enough.
    fn waiting() -> Waiting {
        let mut waiting = Waiting::since(Instant::now() + Duration::from_secs(3600));
        waiting.place(true);
        waiting
    }

    #[test]
    fn a_status_waits_for_its_place_and_not_where_there_is_none() {
        for is_there in [true, false] {
            let mut waiting = Waiting::since(Instant::now());
            waiting.status(Status::starting(), true);
            assert_eq!(waiting.rest(), None);
            assert!(waiting.take_due().status.is_none());
            waiting.written(None);
            assert!(waiting.is_unsettled());
            waiting.place(is_there);
            assert_eq!(waiting.is_unsettled(), is_there);
            waiting.status(Status::starting(), true);
            assert_eq!(waiting.rest(), is_there.then_some(Duration::ZERO));
        }
    }

    #[test]
    fn a_status_waits_a_second_after_the_last_unless_it_is_urgent() {
        let now = Instant::now();
        let long_ago = now.checked_sub(INTERVAL * 2).unwrap();
        for (is_urgent, last_status, waits) in [
            (false, None, false),
            (false, Some(now), true),
            (false, Some(long_ago), false),
            (true, Some(now), false),
        ] {
            let mut waiting = waiting();
            waiting.last_status = last_status;
            assert_eq!(waiting.rest(), None);
            waiting.status(Status::starting(), is_urgent);
            let rest = waiting.rest().unwrap();
            assert_eq!(!rest.is_zero(), waits, "{is_urgent} {last_status:?}");
            assert!(rest <= INTERVAL);
            assert_eq!(waiting.take_due().status.is_none(), waits);
        }
    }

    #[test]
    fn entries_wait_until_nothing_worse_can_come() {
        let releases: [fn(&mut Waiting); 3] = [
            |waiting| waiting.entry(1, certs::READONLY.noted("nothing is worse")),
            Waiting::release,
            Waiting::hurry,
        ];
        for release in releases {
            let mut waiting = waiting();
            waiting.entry(0, client::PORT.noted("an error"));
            assert_eq!(waiting.rest(), Some(GATHERING));
            assert!(waiting.take_due().entries.is_empty());
            release(&mut waiting);
            waiting.entry(2, client::PROXY.noted("another"));
            assert_eq!(waiting.rest(), Some(Duration::ZERO));
            assert!(waiting.take_due().entries.len() > 1);
        }
        let mut gathered = Waiting::since(Instant::now().checked_sub(GATHERING).unwrap());
        gathered.entry(0, client::PORT.noted("an error"));
        assert_eq!(gathered.rest(), Some(Duration::ZERO));
    }

    #[test]
    fn a_new_state_stays_urgent_until_it_is_taken() {
        let mut waiting = waiting();
        waiting.last_status = Some(Instant::now());
        for is_urgent in [true, false] {
            waiting.status(Status::starting(), is_urgent);
            assert_eq!(waiting.rest(), Some(Duration::ZERO));
        }
        assert!(waiting.take_due().status.is_some());
        waiting.written(None);
        waiting.status(Status::starting(), false);
        assert_ne!(waiting.rest(), Some(Duration::ZERO));
    }

    #[test]
    fn a_status_that_was_refused_waits_again_unless_a_newer_one_does() {
        for newer in [None, Some(State::Ready)] {
            let mut waiting = waiting();
            waiting.status(Status::starting(), true);
            let refused = waiting.take_due().status;
            if let Some(state) = newer {
                let status = Status {
                    state,
                    ..Status::starting()
                };
                waiting.status(status, false);
            }
            waiting.written(refused);
            waiting.hurry();
            let status = waiting.take_due().status.unwrap();
            assert_eq!(status.state, newer.unwrap_or(State::Starting));
        }
    }

    #[test]
    fn whatever_is_not_written_yet_is_unsettled_until_it_is_dropped() {
        let changes: [fn(&mut Waiting); 3] = [
            |waiting| waiting.status(Status::starting(), false),
            |waiting| waiting.entry(0, client::PORT.noted("x")),
            |waiting| drop(waiting.take_due()),
        ];
        assert!(!waiting().is_unsettled());
        for change in changes {
            let mut waiting = waiting();
            change(&mut waiting);
            assert!(waiting.is_unsettled());
            waiting.clear();
            // The pen cannot be taken from whoever writes.
            assert_eq!(waiting.is_unsettled(), waiting.is_writing());
            waiting.written(None);
            assert!(!waiting.is_unsettled());
        }
    }
}
