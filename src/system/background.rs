//! What is found out beside everything else, and waited for only so long: a network file system or
//! a lock may keep whoever asks for ever.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::{retry::PAUSE, signals};

/// Nothing takes as long, unless something hangs: the server of a volume, a lock.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// An answer that is on its way.
#[derive(Debug)]
pub struct Background<T> {
    answer: Arc<Mutex<Option<T>>>,
    question: Arc<Question>,
}

impl<T: Send + 'static> Background<T> {
    /// Begins to ask. A question that hangs keeps its thread.
    pub fn start(ask: impl FnOnce() -> T + Send + 'static) -> Self {
        let answer = Arc::default();
        let to_fill = Arc::clone(&answer);
        let question = Question::ask(Box::new(move || {
            let answer = ask();
            *lock(&to_fill) = Some(answer);
        }));
        Self { answer, question }
    }
}

impl<T> Background<T> {
    /// The answer, if it comes until then; `None` also where the question panicked.
    pub fn wait(self, deadline: Instant) -> Option<T> {
        self.question.wait(deadline);
        lock(&self.answer).take()
    }

    /// The same, but for no longer than until this process is asked to stop.
    pub fn wait_unless_stopped(self, deadline: Instant) -> Option<T> {
        let is_stopped = || signals::pending_stop().is_some();
        while !self.question.wait(deadline.min(Instant::now() + PAUSE)) {
            if Instant::now() >= deadline || is_stopped() {
                break;
            }
        }
        lock(&self.answer).take()
    }
}

/// What is asked, whatever the answer is made of: one piece of code for all of them.
#[derive(Debug, Default)]
struct Question {
    is_over: Mutex<bool>,
    changed: Condvar,
}

impl Question {
    fn ask(ask: Box<dyn FnOnce() + Send>) -> Arc<Self> {
        let question = Arc::<Self>::default();
        let over = Over(Arc::clone(&question));
        // Without a thread it is over at once, and there is no answer.
        let _ = thread::Builder::new()
            .name("background".into())
            .spawn(move || {
                let _over = over;
                ask();
            });
        question
    }

    /// Whether it is over by then.
    fn wait(&self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let waited = self
            .changed
            .wait_timeout_while(lock(&self.is_over), left, |is_over| !*is_over);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Says that a question is over, also where it panicked.
struct Over(Arc<Question>);

impl Drop for Over {
    fn drop(&mut self) {
        *lock(&self.0.is_over) = true;
        self.0.changed.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks what a volume may keep from being answered, and waits for [`PATIENCE`].
pub fn in_time<T: Send + 'static>(ask: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    Background::start(ask).wait_unless_stopped(Instant::now() + PATIENCE)
}

/// Why there is no answer: what a read, a write or a look at a file would have said at last.
pub fn no_answer() -> io::Error {
    let words = format!(
        "its volume does not answer, {} s after it was asked",
        PATIENCE.as_secs()
    );
    io::Error::new(io::ErrorKind::TimedOut, words)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use nix::sys::signal::{SigSet, Signal, raise};

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

    #[test]
    fn an_answer_is_waited_for_until_it_comes_or_the_time_is_over() {
        assert_eq!(
            in_time(|| {
                // Longer than between two looks at the signals.
                thread::sleep(PAUSE * 3);
                "late, but there"
            }),
            Some("late, but there")
        );
        let (_open, never) = mpsc::channel::<()>();
        let hanging = Background::start(move || never.recv());
        let soon = Instant::now() + PAUSE * 2;
        assert!(hanging.wait_unless_stopped(soon).is_none());
        assert!(Instant::now() >= soon);
        let panicking: Option<()> = in_time(|| panic!("as asked for"));
        assert_eq!(panicking, None);
    }

    /// In a thread: what is raised there is pending there alone.
    #[test]
    fn who_is_asked_to_stop_waits_no_longer() {
        let waiter = thread::spawn(|| {
            let mut blocked = SigSet::empty();
            blocked.add(Signal::SIGTERM);
            blocked.thread_block().unwrap();
            raise(Signal::SIGTERM).unwrap();
            let (_open, never) = mpsc::channel::<()>();
            let hanging = Background::start(move || never.recv());
            hanging
                .wait_unless_stopped(Instant::now() + Duration::from_secs(3600))
                .is_none()
        });
        assert!(waiter.join().unwrap());
    }
}
