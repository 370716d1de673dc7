//! The clock that all processes of one machine share, in and out of containers.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Time since some instant before the machine's start.
pub fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .expect("every Linux has a monotonic clock")
        .into()
}

/// As it goes over a pipe or a socket.
pub fn write(time: Duration) -> String {
    time.as_nanos().to_string()
}

/// The reverse of [`write`].
pub fn parse(text: &str) -> Duration {
    match text.trim().parse() {
        Ok(nanoseconds) => Duration::from_nanos(nanoseconds),
        Err(_) => panic!("a time was expected, not {text:?}"),
    }
}

/// Many of [`write`]'s, a line each.
pub fn parse_lines(text: &str) -> Vec<Duration> {
    text.lines().map(parse).collect()
}
