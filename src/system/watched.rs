//! A value that one thread changes and others wait for.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{retry::PAUSE, signals};

/// Where a thread has panicked, what it has left is what there is.
#[derive(Debug, Default)]
pub struct Watched<T> {
    value: Mutex<T>,
    changed: Condvar,
}

impl<T> Watched<T> {
    pub fn new(value: T) -> Self {
        Self {
            value: Mutex::new(value),
            changed: Condvar::new(),
        }
    }

    /// The value, which nobody changes while it is held.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes it, and wakes whoever waits.
    pub fn change<A>(&self, change: impl FnOnce(&mut T) -> A) -> A {
        let answer = change(&mut self.lock());
        self.wake();
        answer
    }

    /// Wakes whoever waits, for who has changed it while it was held.
    pub fn wake(&self) {
        self.changed.notify_all();
    }

    /// Waits for a change, for `limit` at most. Returns without either, now and then.
    pub fn wait<'a>(&self, value: MutexGuard<'a, T>, limit: Option<Duration>) -> MutexGuard<'a, T> {
        match limit {
            Some(limit) => {
                let waited = self.changed.wait_timeout(value, limit);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => {
                let waited = self.changed.wait(value);
                waited.unwrap_or_else(PoisonError::into_inner)
            }
        }
    }

    /// Waits while it is so, for `limit` at most: it may be so still.
    pub fn wait_while(&self, limit: Duration, is_so: impl Fn(&T) -> bool) -> MutexGuard<'_, T> {
        let value = self.lock();
        let waited = self
            .changed
            .wait_timeout_while(value, limit, |value| is_so(value));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits while it is so, but only until `deadline`, if there is one, and until this process is
    /// asked to stop.
    pub fn wait_unless_stopped(
        &self,
        deadline: Option<Instant>,
        is_so: impl Fn(&T) -> bool,
    ) -> MutexGuard<'_, T> {
        let left = || deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        loop {
            let pause = left().map_or(PAUSE, |left| left.min(PAUSE));
            let value = self.wait_while(pause, &is_so);
            let is_over = left().is_some_and(|left| left.is_zero());
            if !is_so(&value) || is_over || signals::pending_stop().is_some() {
                return value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;

    #[test]
    fn a_change_wakes_who_waits_for_it_and_is_there_in_spite_of_a_panic() {
        let watched = Arc::new(Watched::new(0));
        let other = Arc::clone(&watched);
        let changing = thread::spawn(move || {
            for _ in 0..3 {
                thread::sleep(PAUSE);
                other.change(|number| *number += 1);
            }
            let _held = other.lock();
            panic!("as asked for");
        });
        let (begun, limit) = (Instant::now(), Duration::from_secs(60));
        assert_eq!(*watched.wait_while(limit, |number| *number < 3), 3);
        assert!(begun.elapsed() < limit, "nobody woke it");
        assert!(changing.join().is_err());
        assert_eq!(*watched.wait_unless_stopped(None, |number| *number < 3), 3);
    }

    #[test]
    fn what_stays_as_it_is_is_not_waited_for_without_end() {
        let watched = Watched::<bool>::default();
        for limit in [Duration::ZERO, PAUSE * 2] {
            let begun = Instant::now();
            assert!(!*watched.wait_while(limit, |is_there| !is_there));
            let deadline = Some(Instant::now() + limit);
            assert!(!*watched.wait_unless_stopped(deadline, |is_there| !is_there));
            assert!(begun.elapsed() >= limit * 2);
        }
    }
}
