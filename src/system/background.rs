//! What is found out beside everything else, and waited for only so long: a network file system or
//! a lock may keep whoever asks for ever.

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat2},
};

use super::watched::Watched;

/// Nothing takes as long, unless something hangs: the server of a volume, a lock.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// An answer that is on its way.
#[derive(Debug)]
pub struct Background<T> {
    answer: Arc<Mutex<Option<T>>>,
    is_over: Arc<Watched<bool>>,
}

impl<T: Send + 'static> Background<T> {
    /// Begins to ask. A question that hangs keeps its thread.
    pub fn start(ask: impl FnOnce() -> T + Send + 'static) -> Self {
        let answer = Arc::default();
        let to_fill = Arc::clone(&answer);
        let is_over = run(Box::new(move || {
            let answer = ask();
            *lock(&to_fill) = Some(answer);
        }));
        Self { answer, is_over }
    }

    /// The same about what lies at `places`. On the container's own file system, where this program
    /// lies as well, nothing hangs that would not hang everything: it is asked here and now, since
    /// each thread more is one that dockerd's start waits for.
    pub fn ask(places: &[&Path], ask: impl FnOnce() -> T + Send + 'static) -> Self {
        if !places.iter().all(|place| is_on_own_file_system(place)) {
            return Self::start(ask);
        }
        Self {
            answer: Arc::new(Mutex::new(Some(ask()))),
            is_over: Arc::new(Watched::new(true)),
        }
    }
}

impl<T> Background<T> {
    /// The answer, if it comes until then; `None` also where the question panicked.
    pub fn wait(self, deadline: Instant) -> Option<T> {
        let left = deadline.saturating_duration_since(Instant::now());
        drop(self.is_over.wait_while(left, goes_on));
        lock(&self.answer).take()
    }

    /// The same, but for no longer than until this process is asked to stop.
    pub fn wait_unless_stopped(self, deadline: Instant) -> Option<T> {
        drop(self.is_over.wait_unless_stopped(Some(deadline), goes_on));
        lock(&self.answer).take()
    }
}

/// Asks on a thread of its own; what is returned becomes true when that is over. One piece of code,
/// whatever the answer is made of.
fn run(ask: Box<dyn FnOnce() + Send>) -> Arc<Watched<bool>> {
    let is_over = Arc::default();
    let over = Over(Arc::clone(&is_over));
    // Without a thread it is over at once, and there is no answer.
    let _ = thread::Builder::new()
        .name("background".into())
        .spawn(move || {
            let _over = over;
            ask();
        });
    is_over
}

/// Says that a question is over, also where it panicked.
struct Over(Arc<Watched<bool>>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.change(|is_over| *is_over = true);
    }
}

fn goes_on(is_over: &bool) -> bool {
    !is_over
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks what a volume at one of `places` may keep from being answered, and waits for [`PATIENCE`].
pub fn in_time<T: Send + 'static>(
    places: &[&Path],
    ask: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    Background::ask(places, ask).wait_unless_stopped(Instant::now() + PATIENCE)
}

/// Whether no volume lies on the way to it, which the kernel says without touching one
/// (`man 2 openat2`); where it does not know the call, there may be one.
fn is_on_own_file_system(place: &Path) -> bool {
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_NO_XDEV);
    let found = openat2(AT_FDCWD, place, how);
    place.is_absolute() && matches!(found, Ok(_) | Err(Errno::ENOENT))
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
    use crate::system::retry::PAUSE;

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
        let elsewhere = &[Path::new("/proc")];
        assert_eq!(
            in_time(elsewhere, || {
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
        let panicking: Option<()> = in_time(elsewhere, || panic!("as asked for"));
        assert_eq!(panicking, None);
    }

    #[test]
    fn only_what_lies_on_a_volume_is_asked_in_a_thread() {
        let here = thread::current().id();
        let asked = |places: &[&str]| {
            let places: Vec<_> = places.iter().map(Path::new).collect();
            in_time(&places, || thread::current().id()).unwrap()
        };
        for own in [&[][..], &["/"], &["/nothing/is/here"], &["/", "/nothing"]] {
            assert_eq!(asked(own), here, "{own:?}");
        }
        for volume in [
            &["/proc"][..],
            &["/proc/self/status"],
            &["/", "/proc"],
            &["x"],
        ] {
            assert_ne!(asked(volume), here, "{volume:?}");
        }
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
