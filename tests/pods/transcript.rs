//! What a command printed and how it ended, and what is expected of it.

use std::fmt::{self, Debug, Display, Formatter};
use std::process::Output;
use std::time::Duration;

use super::podman::Finished;

/// What a command came to. Each expectation that is not met ends the test, and shows what the
/// command printed and what happened beside it.
pub struct Transcript<'a> {
    what: String,
    finished: Finished,
    beside: Option<&'a (dyn Display + Sync)>,
}

impl<'a> Transcript<'a> {
    /// `what` begins the sentences of complaint: "the job".
    pub fn new(what: &str, finished: Finished) -> Self {
        Self {
            what: what.to_owned(),
            finished,
            beside: None,
        }
    }

    /// Shows something else as well where an expectation is not met.
    pub fn beside(mut self, other: &'a (dyn Display + Sync)) -> Self {
        self.beside = Some(other);
        self
    }

    #[track_caller]
    pub fn expect_success(self) -> Self {
        self.expect_status(0)
    }

    #[track_caller]
    pub fn expect_status(self, status: i32) -> Self {
        if self.finished.status != Some(status) {
            panic!("{} was to end with status {status}\n{self}", self.what);
        }
        self
    }

    #[track_caller]
    pub fn expect_failure(self) -> Self {
        if matches!(self.finished.status, None | Some(0)) {
            panic!("{} was to fail\n{self}", self.what);
        }
        self
    }

    #[track_caller]
    pub fn expect(self, text: &str) -> Self {
        if !self.finished.output.contains(text) {
            panic!("{} was to print `{text}`\n{self}", self.what);
        }
        self
    }

    #[track_caller]
    pub fn expect_not(self, text: &str) -> Self {
        if self.finished.output.contains(text) {
            panic!("{} was not to print `{text}`\n{self}", self.what);
        }
        self
    }

    pub fn output(&self) -> &str {
        &self.finished.output
    }

    pub fn status(&self) -> Option<i32> {
        self.finished.status
    }

    pub fn took(&self) -> Duration {
        self.finished.took
    }
}

impl Debug for Transcript<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { what, finished, .. } = self;
        f.debug_tuple("Transcript")
            .field(what)
            .field(finished)
            .finish()
    }
}

impl Display for Transcript<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Finished {
            status,
            output,
            took,
        } = &self.finished;
        match status {
            Some(status) => writeln!(f, "it ended with status {status} after {took:.1?}")?,
            None => writeln!(f, "it did not end within {took:.1?}")?,
        }
        writeln!(f, "--- output\n{}", output.trim_end())?;
        if let Some(beside) = self.beside {
            writeln!(f, "--- {beside}")?;
        }
        Ok(())
    }
}

impl Finished {
    /// Of a command whose two outputs were caught apart.
    pub fn of(done: Output, took: Duration) -> Self {
        let both = [done.stdout, done.stderr].concat();
        Self {
            status: done.status.code(),
            output: String::from_utf8_lossy(&both).into_owned(),
            took,
        }
    }
}
