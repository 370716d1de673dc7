//! Many starts, each killed at another instant.

use std::{
    collections::HashSet,
    fs,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use crate::files::{copy, memory, names};
use crate::publisher::Publisher;
use crate::readers::{Seen, while_reading};

/// Starts that are not killed, before those that are.
pub(crate) const WARM_UP: u32 = 5;

/// Many starts on one directory, each killed at another instant.
pub(crate) struct Kills {
    pub(crate) publisher: Publisher,
    /// How long one start takes that is not killed.
    pub(crate) duration: Duration,
    pub(crate) seen: Seen,
    /// The files that lay there after each kill.
    pub(crate) states: HashSet<Vec<String>>,
}

/// Two readers at a time would only stand in each other's way.
pub(crate) static ALONE: Mutex<()> = Mutex::new(());

impl Kills {
    pub(crate) fn new(publisher: Publisher) -> Self {
        let mut durations: Vec<_> = (0..WARM_UP).map(|day| publisher.complete(day)).collect();
        durations.sort();
        Self {
            publisher,
            duration: durations[durations.len() / 2],
            seen: Seen::default(),
            states: HashSet::new(),
        }
    }

    /// Kills so many starts, at instants spread evenly over their time and half of it again, as a
    /// start that a reader stands in the way of takes longer; after two that are killed one is
    /// left alone. Where `states` have not been met by then, it goes on: which instants meet the
    /// steps of publishing, a small part of the time, is the machine's.
    pub(crate) fn run(&mut self, count: u32, states: usize) {
        let client = self.publisher.directory.join("client");
        let mut at_rest = Seen::default();
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut while_running = while_reading(&client, || {
            let mut day = WARM_UP;
            for kill in 0..count * 8 {
                if kill >= count && self.states.len() >= states {
                    break;
                }
                day += 1;
                let mut running = self.publisher.spawn(day);
                // Asleep: two cores are the reader's and the publisher's.
                thread::sleep(self.duration * 3 / 2 * (kill % count) / count);
                let status = running.kill();
                // Either it was killed or it had ended well: it was never refused.
                assert!(status.success() || status.code().is_none(), "{status}");
                at_rest.read(&client);
                self.states.insert(self.publisher.files());
                if kill % 2 == 1 {
                    day += 1;
                    self.duration = (self.duration * 7 + self.publisher.complete(day)) / 8;
                }
            }
        });
        while_running.add(&at_rest);
        self.seen = while_running;
    }

    /// Kills one start after its first change, the next after its second, and so on to the end;
    /// first from a whole set, then from every state that a kill has left.
    pub(crate) fn explore(&mut self) {
        let directory = self.publisher.directory.clone();
        let copies = memory();
        let copy_of = |number: usize| copies.path().join(number.to_string());
        self.states.insert(self.publisher.files());
        copy(&directory, &copy_of(0));
        let mut copied = 1;
        let mut explored = 0;
        while explored < copied {
            for changes in 1.. {
                fs::remove_dir_all(&directory).unwrap();
                copy(&copy_of(explored), &directory);
                let mut running = self.publisher.spawn_stopped(999);
                let has_ended = running.step(changes);
                let status = running.kill();
                assert!(status.success() || status.code().is_none(), "{status}");
                // Clients read one, a dockerd that is started again the other.
                for side in ["client", "server"] {
                    self.seen.read(&directory.join(side));
                }
                if has_ended {
                    break;
                }
                if self.states.insert(self.publisher.files()) {
                    copy(&directory, &copy_of(copied));
                    copied += 1;
                }
            }
            explored += 1;
        }
    }

    /// The kills landed before, between and after the steps of publishing.
    pub(crate) fn assert_spread(&self, states: usize) {
        assert!(
            self.states.len() >= states,
            "the kills met only these states: {:?}",
            self.states
        );
    }

    /// The next start that is left alone makes a whole set, and nothing else stays.
    pub(crate) fn assert_recovers(&self) {
        self.publisher.complete(999);
        let client = self.publisher.directory.join("client");
        assert_eq!(names(&client), ["ca.pem", "cert.pem", "key.pem"]);
        let mut seen = Seen::default();
        seen.read(&client);
        assert_eq!(seen.whole, 1);
    }
}
