//! Waiting for descriptors, for as long as there is time.

use std::{
    os::fd::BorrowedFd,
    time::{Duration, Instant},
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Waits until a source is readable; until `deadline` at the latest.
pub fn until_readable<'a>(
    sources: impl IntoIterator<Item = BorrowedFd<'a>>,
    deadline: Option<Instant>,
) {
    let sources = sources.into_iter();
    let mut waiting: Vec<_> = sources
        .map(|source| PollFd::new(source, PollFlags::POLLIN))
        .collect();
    // An error can only be EINTR, and the caller looks at every source anyway.
    let _ = poll(&mut waiting, timeout(deadline));
}

/// Whether a source is readable now.
pub fn is_readable(source: BorrowedFd<'_>) -> bool {
    let mut sources = [PollFd::new(source, PollFlags::POLLIN)];
    poll(&mut sources, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

/// How long `poll(2)` may wait, in its milliseconds.
pub fn timeout(deadline: Option<Instant>) -> PollTimeout {
    deadline.map_or(PollTimeout::NONE, |deadline| {
        let left = deadline.saturating_duration_since(Instant::now());
        // Rounded up: waking up early would mean to spin until the deadline.
        PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
    })
}

#[cfg(test)]
mod tests {
    use std::{io::pipe, os::fd::AsFd};

    use super::*;

    #[test]
    fn it_waits_for_a_source_or_for_the_deadline() {
        let (reader, writer) = pipe().unwrap();
        let deadline = Instant::now() + Duration::from_millis(20);
        until_readable([reader.as_fd()], Some(deadline));
        assert!(deadline <= Instant::now());
        assert!(!is_readable(reader.as_fd()));
        // Its end can be read.
        drop(writer);
        assert!(is_readable(reader.as_fd()));
        until_readable([reader.as_fd()], None);
    }
}
