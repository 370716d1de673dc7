//! What happens beside dockerd while it lives, and in the moment it does not.

use std::{
    io,
    path::PathBuf,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use super::{
    Service,
    bound::Bound,
    failure::{Failure, Telling},
    memory,
    publication::Publication,
    supervise::Events,
};
use crate::{
    dockerd::{ended::Ended, flags::Given, help::Help, log::End, output::Output},
    error_daemon::ErrorDaemon,
    facts::memory_limits,
    findings::flags,
    reasons::{Finding, daemon},
    report::Report,
    settings::{non_empty, process_environment},
};

/// How long dockerd's last words are waited for: processes that it leaves behind may hold its
/// stderr open, and clients are waiting. Who is killed has none.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// However much it says, a dockerd that is not ready after so many timeouts is explained.
const TIMEOUTS: u32 = 3;

/// How long after dockerd is ready its last words about the start have been heard, and what only the
/// start needed is needed no more.
const SETTLED: Duration = Duration::from_secs(1);

/// What a container is given between SIGTERM and SIGKILL by default, but for the time that it takes
/// to say something: 10 s by `docker stop`, 30 s by a kubelet.
fn usual_grace(in_kubernetes: bool) -> Duration {
    Duration::from_secs(if in_kubernetes { 27 } else { 8 })
}

/// dockerd's life.
pub struct Life<'a> {
    started: Instant,
    start_timeout: Duration,
    report: Report,
    output: Output,
    given: Given,
    dockerd: Option<PathBuf>,
    bound: &'a Bound,
    out_of_memory_before: Option<u64>,
    start: Start,
    course: Course,
    /// Answers while dockerd does not.
    error_daemon: Option<ErrorDaemon>,
}

/// How far dockerd's start is.
enum Start {
    Underway,
    /// It serves; `settles`: when to give back what only the start needed.
    Ready {
        settles: Instant,
    },
    Settled,
}

/// Where this life is going.
enum Course {
    /// On and on.
    On,
    /// To an end that somebody asked for; `grace_ends`: when to say that it takes long.
    Asked { grace_ends: Option<Instant> },
    /// To an end, since nobody could use this dockerd.
    Useless(Finding),
    /// dockerd ended by itself.
    Ended(Finding),
}

impl<'a> Life<'a> {
    pub fn new(service: &Service<'_>, bound: &'a Bound, output: Output) -> Self {
        Self {
            started: service.started,
            start_timeout: service.settings.start_timeout,
            report: service.report.clone(),
            output,
            given: service.given.clone(),
            dockerd: service.dockerd.clone(),
            bound,
            out_of_memory_before: memory_limits::out_of_memory_kills(),
            start: Start::Underway,
            course: Course::On,
            error_daemon: None,
        }
    }

    /// The exit status of a service that was asked to end, or why it ended by itself.
    pub fn conclude(self, ended: Ended) -> Result<u8, Failure> {
        let failure = |finding: Finding, status| Failure {
            finding,
            status,
            telling: Telling::Done,
        };
        match self.course {
            Course::Useless(finding) => {
                let status = finding.reason.layer.exit_status();
                Err(failure(finding, status))
            }
            Course::Ended(finding) => Err(failure(finding, ended.exit_status())),
            Course::On | Course::Asked { .. } => {
                tracing::info!("dockerd has ended, exit status {}", ended.exit_status());
                Ok(ended.exit_status())
            }
        }
    }

    fn explanation(&self, ended: Ended) -> Finding {
        let kills = kills_since(
            self.out_of_memory_before,
            memory_limits::out_of_memory_kills(),
        );
        match (ended, kills) {
            (Ended::Killed(Signal::SIGKILL), Some(kills @ 1..)) => {
                daemon::out_of_memory(memory_limits::limit(), kills)
            }
            _ => {
                let finding = self.output.recognised(|log| log.explain(End::Ended(ended)));
                flags::with_what_is_known(finding, &self.given, || {
                    self.dockerd.clone().map_or_else(Help::default, Help::ask)
                })
            }
        }
    }

    fn explain(&mut self, finding: &Finding) {
        let answering = self.bound.explain(finding, &self.report);
        self.keep(answering);
    }

    fn keep(&mut self, answering: io::Result<Option<ErrorDaemon>>) {
        match answering {
            Ok(daemon) => self.error_daemon = daemon,
            Err(error) => tracing::warn!("clients get no answer: {error}"),
        }
    }
}

/// When a start is explained whose dockerd has said something last at `last`, and is not ready.
fn start_is_overdue(started: Instant, last: Instant, timeout: Duration) -> Instant {
    (last + timeout).min(started + timeout * TIMEOUTS)
}

/// How many processes the kernel has killed meanwhile; `None` where that is not known.
fn kills_since(before: Option<u64>, now: Option<u64>) -> Option<u64> {
    // A counter that went down is another one: the control group was made anew.
    now.zip(before)
        .map(|(now, before)| now.saturating_sub(before))
}

impl Events for Life<'_> {
    fn ready(&mut self) {
        self.start = Start::Ready {
            settles: Instant::now() + SETTLED,
        };
        // From now on dockerd answers alone.
        self.error_daemon = None;
        let version = self.output.recognised(|log| {
            log.ready();
            log.version().map(str::to_owned)
        });
        self.report.ready(version);
        let seconds = self.started.elapsed().as_secs_f64();
        tracing::info!("dockerd is ready, {seconds:.2} s after the start");
    }

    fn failed(&mut self) {
        let failure = self
            .bound
            .publication
            .as_ref()
            .and_then(Publication::failure);
        if let (Course::On, Some(finding)) = (&self.course, failure) {
            self.report.failure(&finding);
            tracing::info!(
                "the clients' certificates could not be published: dockerd, which nobody could \
                 use, is ended"
            );
            self.course = Course::Useless(finding);
        }
    }

    fn asked_to_stop(&mut self, signal: Signal) {
        if let Course::Ended(_) = self.course {
            tracing::info!("{signal}: the service ends");
            self.course = Course::Asked { grace_ends: None };
            return;
        }
        tracing::info!("{signal}: dockerd stops its containers and ends");
        let in_kubernetes = non_empty(&process_environment, "KUBERNETES_SERVICE_HOST").is_some();
        self.course = Course::Asked {
            grace_ends: Some(Instant::now() + usual_grace(in_kubernetes)),
        };
        self.report.stopping();
        // The next job may come while the containers of this one still end.
        if let Some(publication) = &self.bound.publication {
            publication.give_up_lock();
        }
    }

    fn stopping(&mut self) {
        if let Course::Asked { .. } = self.course {
            let answering = self.bound.answer(
                "the Docker daemon is stopping, because its service container was asked to end.\n\
                 A job's Docker commands must come before that.",
            );
            self.keep(answering);
        }
    }

    fn ended(&mut self, ended: Ended) {
        if !matches!(self.course, Course::On) {
            return;
        }
        if ended != Ended::Killed(Signal::SIGKILL) {
            self.output.settle(LAST_WORDS);
        }
        let finding = self.explanation(ended);
        // Told first, then answered: a script that ends with the answer ends the job's log.
        self.report.failure(&finding);
        self.explain(&finding);
        self.course = Course::Ended(finding);
    }

    fn deadline(&self) -> Option<Instant> {
        match (&self.course, &self.start) {
            (Course::On, Start::Underway) if self.error_daemon.is_none() => Some(start_is_overdue(
                self.started,
                self.output.last(),
                self.start_timeout,
            )),
            (Course::On, Start::Ready { settles }) => Some(*settles),
            (Course::Asked { grace_ends }, _) => *grace_ends,
            _ => None,
        }
    }

    fn overdue(&mut self) {
        if let Course::Asked { grace_ends } = &mut self.course {
            *grace_ends = None;
            self.report.finding(&daemon::slow_stop());
            return;
        }
        if let Start::Ready { .. } = self.start {
            self.start = Start::Settled;
            memory::give_back_program();
            return;
        }
        let waited = self.started.elapsed();
        let finding = self
            .output
            .recognised(|log| log.explain(End::NotReady(waited)));
        self.report.failure(&finding);
        self.explain(&finding);
    }
}

#[cfg(test)]
mod tests;
