//! Trying again, for as long as there is patience.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::signals;

/// Often enough that nobody notices, and seldom enough that it costs nothing.
pub const PAUSE: Duration = Duration::from_millis(20);

/// What an attempt comes to: the first at once, the last when `patience` is over, or when this
/// process is asked to stop. `None` where none succeeded.
pub fn until_some<T>(patience: Duration, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        let is_last = Instant::now() >= deadline || signals::pending_stop().is_some();
        if let Some(success) = attempt() {
            return Some(success);
        }
        if is_last {
            return None;
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_attempt_is_made_in_any_case_and_the_first_success_counts() {
        assert_eq!(until_some(Duration::ZERO, || Some(1)), Some(1));
        let mut attempts = 0;
        let third = until_some(Duration::from_secs(60), || {
            attempts += 1;
            (attempts == 3).then_some(attempts)
        });
        assert_eq!(third, Some(3));
        assert_eq!(until_some(Duration::from_millis(1), || None::<()>), None);
    }
}
