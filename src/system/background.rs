//! What is found out beside everything else, and waited for only so long: a network file system or
//! a lock may keep whoever asks for ever.

use std::{
    sync::mpsc::{self, Receiver},
    thread,
    time::Instant,
};

/// An answer that is on its way.
#[derive(Debug)]
pub struct Background<T>(Receiver<T>);

impl<T: Send + 'static> Background<T> {
    /// Begins to ask. A question that hangs keeps its thread.
    pub fn start(ask: impl FnOnce() -> T + Send + 'static) -> Self {
        let (sender, receiver) = mpsc::channel();
        // Without a thread the sender is gone, and there is no answer.
        let _ = thread::Builder::new()
            .name("background".into())
            .spawn(move || sender.send(ask()));
        Self(receiver)
    }
}

impl<T> Background<T> {
    /// The answer, if it comes until then; `None` also where the question panicked.
    pub fn wait(self, deadline: Instant) -> Option<T> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.0.recv_timeout(left).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_answer_that_does_not_come_in_time_is_not_waited_for() {
        let (_open, never) = mpsc::channel::<()>();
        let hanging = Background::start(move || {
            let _ = never.recv();
            "late"
        });
        assert_eq!(hanging.wait(Instant::now()), None);
        let soon = Instant::now() + Duration::from_secs(60);
        assert_eq!(Background::start(|| "at once").wait(soon), Some("at once"));
    }
}
