//! Our stderr, which nobody may be reading: whoever speaks must not wait for that.
//!
//! A thread of its own writes what stands in a queue. Where the queue is full, because nobody reads,
//! what is said is left out, and how much of it is said later.

use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::{Arc, OnceLock},
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::SigSet;

use super::watched::Watched;

/// So much waits to be written, in bytes.
const CAPACITY: usize = 256 * 1024;

/// For so long a reader that does not read may yet begin to.
const PATIENCE: Duration = Duration::from_secs(1);

/// Our stderr as a writer that never waits and never fails.
#[derive(Clone, Copy, Debug)]
pub struct Stderr;

impl Write for Stderr {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        ours().say(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Passes on what dockerd says: it is kept waiting by a reader that is slow, as it would be without
/// us, and not by one that is gone.
pub fn pass_on(text: &[u8]) {
    ours().pass_on(text);
}

/// Waits until all is written; not for a reader that does not read.
pub fn settle() {
    if let Some(queue) = OURS.get() {
        queue.settle();
    }
}

static OURS: OnceLock<Queue> = OnceLock::new();

/// Started when something is said first: signals are blocked by then, and the thread has them
/// blocked too.
fn ours() -> &'static Queue {
    OURS.get_or_init(|| Queue::start(io::stderr()))
}

struct Queue(Arc<Watched<State>>);

struct State {
    pieces: VecDeque<Vec<u8>>,
    bytes: usize,
    is_writing: bool,
    /// When the reader last took something, or was last given something after that.
    moved: Instant,
    left_out: usize,
}

impl Queue {
    fn start(target: impl Write + Send + 'static) -> Self {
        let state = Arc::new(Watched::new(State {
            pieces: VecDeque::new(),
            bytes: 0,
            is_writing: false,
            moved: Instant::now(),
            left_out: 0,
        }));
        let queue = Self(Arc::clone(&state));
        // Without a thread nothing is said: it must not be what ends the service.
        let _ = thread::Builder::new()
            .name("stderr".into())
            .spawn(move || write(&state, target));
        queue
    }

    fn say(&self, text: &[u8]) {
        self.0.change(|state| state.put(text));
    }

    fn pass_on(&self, text: &[u8]) {
        let mut state = self.0.lock();
        while state.bytes + text.len() > CAPACITY
            && let Some(left) = state.patience()
        {
            state = self.0.wait(state, Some(left));
        }
        state.put(text);
        drop(state);
        self.0.wake();
    }

    fn settle(&self) {
        let mut state = self.0.lock();
        while (state.is_writing || !state.pieces.is_empty())
            && let Some(left) = state.patience()
        {
            state = self.0.wait(state, Some(left));
        }
    }
}

/// Writes what is said, for as long as the program runs.
fn write(state: &Watched<State>, mut target: impl Write) {
    // All are for the thread that waits for them.
    let _ = SigSet::all().thread_block();
    loop {
        let (piece, left_out) = next(state);
        // A stderr that is closed is no reason to stop.
        let _ = target.write_all(&piece);
        if left_out > 0 {
            let _ = writeln!(
                target,
                "dind-init: nobody read this log for a while; {left_out} bytes are left out"
            );
        }
        state.change(|state| {
            state.is_writing = false;
            state.moved = Instant::now();
        });
    }
}

/// Waits for something to write; with it comes how much was left out before.
fn next(state: &Watched<State>) -> (Vec<u8>, usize) {
    let mut held = state.lock();
    loop {
        match held.pieces.pop_front() {
            Some(piece) => {
                held.bytes -= piece.len();
                held.is_writing = true;
                return (piece, std::mem::take(&mut held.left_out));
            }
            None => held = state.wait(held, None),
        }
    }
}

impl State {
    fn put(&mut self, text: &[u8]) {
        if self.bytes + text.len() > CAPACITY {
            self.left_out += text.len();
            return;
        }
        if self.bytes == 0 && !self.is_writing {
            self.moved = Instant::now();
        }
        self.bytes += text.len();
        self.pieces.push_back(text.to_owned());
    }

    /// How much is left of it; `None` for a reader that has had all.
    fn patience(&self) -> Option<Duration> {
        let left = PATIENCE.saturating_sub(self.moved.elapsed());
        (!left.is_zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io::Read};

    use nix::{fcntl::OFlag, unistd::pipe2};

    use super::*;

    /// Says more than the queue and the pipe hold together, and ends.
    fn say_too_much(queue: &Queue) {
        for number in 0..40_000 {
            queue.say(format!("line {number:6}\n").as_bytes());
        }
    }

    #[test]
    fn nobody_waits_for_a_reader_that_does_not_read() {
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC).unwrap();
        let queue = Queue::start(File::from(writer));
        say_too_much(&queue);
        queue.pass_on(&[b'x'; 8192]);
        queue.settle();
        // The reader comes back, and hears that something is missing.
        let mut reader = File::from(reader);
        let mut heard = Vec::new();
        let mut piece = [0; 8192];
        while !String::from_utf8_lossy(&heard).contains("are left out") {
            let length = reader.read(&mut piece).unwrap();
            heard.extend_from_slice(&piece[..length]);
        }
        assert!(heard.starts_with(b"line      0\nline      1\n"));
    }

    #[test]
    fn a_reader_that_reads_hears_all_of_it_in_order() {
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC).unwrap();
        let queue = Queue::start(File::from(writer));
        let listener = thread::spawn(move || {
            let mut heard = vec![0; 40_000 * 12];
            File::from(reader).read_exact(&mut heard).unwrap();
            heard
        });
        for number in 0..40_000 {
            queue.pass_on(format!("line {number:6}\n").as_bytes());
        }
        let heard = String::from_utf8(listener.join().unwrap()).unwrap();
        let expected = (0..40_000).map(|number| format!("line {number:6}"));
        assert!(heard.lines().eq(expected));
    }

    #[test]
    fn a_reader_that_is_gone_is_no_error() {
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC).unwrap();
        drop(reader);
        let queue = Queue::start(File::from(writer));
        say_too_much(&queue);
        queue.settle();
    }
}
