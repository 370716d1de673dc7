//! dockerd's stderr: passed on unchanged, and read as it goes.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::OwnedFd,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use super::log::Recogniser;
use crate::{
    reasons::Finding,
    system::{stderr, watched::Watched},
};

/// A longer line is read in pieces.
const LINE_LIMIT: usize = 16 * 1024;

/// What dockerd has said so far.
#[derive(Clone, Debug)]
pub struct Output(Arc<Watched<Said>>);

#[derive(Debug)]
struct Said {
    recogniser: Recogniser,
    last: Instant,
    is_closed: bool,
}

impl Output {
    /// Reads `pipe` on a thread of its own, writes all of it to our stderr, and gives `report`
    /// what `recogniser` finds that dockerd lives on with.
    pub fn follow(
        pipe: OwnedFd,
        recogniser: Recogniser,
        mut report: impl FnMut(&Finding) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Watched::new(Said {
            recogniser,
            last: Instant::now(),
            is_closed: false,
        }));
        let output = Self(Arc::clone(&shared));
        let follow = move || {
            let mut lines = Lines::default();
            copy(&mut File::from(pipe), |piece| {
                let mut said = shared.lock();
                said.last = Instant::now();
                let mut findings = Vec::new();
                lines.feed(piece, |line| findings.extend(said.recogniser.read(line)));
                drop(said);
                findings.iter().for_each(&mut report);
            });
            shared.change(|said| said.is_closed = true);
        };
        thread::Builder::new()
            .name("dockerd's stderr".into())
            .spawn(follow)?;
        Ok(output)
    }

    /// When dockerd last wrote something, or was started.
    pub fn last(&self) -> Instant {
        self.0.lock().last
    }

    /// Waits until all is read that was written; at most `limit`, since processes that dockerd
    /// left behind may hold the pipe open.
    pub fn settle(&self, limit: Duration) {
        drop(self.0.wait_while(limit, |said| !said.is_closed));
    }

    /// Asks or tells what was recognised.
    pub fn recognised<T>(&self, ask: impl FnOnce(&mut Recogniser) -> T) -> T {
        ask(&mut self.0.lock().recogniser)
    }
}

/// Passes everything on, unbuffered, before it is looked at.
fn copy(pipe: &mut File, mut look: impl FnMut(&[u8])) {
    let mut buffer = [0; 8 * 1024];
    loop {
        match pipe.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => return,
            Ok(length) => {
                stderr::pass_on(&buffer[..length]);
                look(&buffer[..length]);
            }
        }
    }
}

/// Makes lines of pieces.
#[derive(Debug, Default)]
struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    fn feed(&mut self, piece: &[u8], mut take: impl FnMut(&str)) {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(part);
            if part.ends_with(b"\n") || self.begun.len() >= LINE_LIMIT {
                take(String::from_utf8_lossy(&self.begun).trim_end());
                self.begun.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, sync::mpsc};

    use nix::{fcntl::OFlag, unistd::pipe2};

    use super::*;
    use crate::dockerd::{ended::Ended, log::End};

    #[test]
    fn lines_are_whole_however_they_come() {
        let mut lines = Lines::default();
        let mut taken = Vec::new();
        for piece in ["fir", "st\nsecond\nth", "ird\n", "\n", "begun"] {
            lines.feed(piece.as_bytes(), |line| taken.push(line.to_owned()));
        }
        assert_eq!(taken, ["first", "second", "third", ""]);
    }

    #[test]
    fn a_line_without_end_takes_no_memory_without_end() {
        let mut lines = Lines::default();
        for _ in 0..100 {
            lines.feed(&[b'x'; 1000], |_| {});
            assert!(lines.begun.len() <= LINE_LIMIT + 1000);
        }
    }

    #[test]
    fn what_was_written_last_is_read_before_the_end_is_explained() {
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC).unwrap();
        let (report, _reported) = mpsc::channel();
        let output = Output::follow(reader, Recogniser::default(), move |finding: &Finding| {
            let _ = report.send(finding.reason.id);
        })
        .unwrap();
        let mut writer = File::from(writer);
        writeln!(
            writer,
            "failed to start daemon: something that nobody has met"
        )
        .unwrap();
        drop(writer);
        output.settle(Duration::from_secs(60));
        let finding = output.recognised(|log| log.explain(End::Ended(Ended::Exited(1))));
        assert!(finding.to_string().contains("nobody has met"), "{finding}");
    }

    #[test]
    fn a_pipe_that_stays_open_is_not_waited_for_without_end() {
        let (reader, _writer) = pipe2(OFlag::O_CLOEXEC).unwrap();
        let output = Output::follow(reader, Recogniser::default(), |_: &Finding| {}).unwrap();
        output.settle(Duration::from_millis(1));
    }
}
