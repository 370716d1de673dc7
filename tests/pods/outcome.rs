//! What a command in a pod came to, and what is expected of it.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::pod::Pod;
use super::podman::Finished;

/// What a command in the pod came to. Each expectation that is not met ends the test, and shows
/// what the command printed and what the service did meanwhile.
pub struct Outcome<'a> {
    pod: &'a Pod,
    what: &'static str,
    finished: Finished,
}

impl<'a> Outcome<'a> {
    pub fn new(pod: &'a Pod, what: &'static str, finished: Finished) -> Self {
        Self {
            pod,
            what,
            finished,
        }
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

impl Display for Outcome<'_> {
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
        if self.what != "the service" {
            writeln!(
                f,
                "--- the service's log\n{}",
                self.pod.service_log().trim_end()
            )?;
        }
        Ok(())
    }
}
