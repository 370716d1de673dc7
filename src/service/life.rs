//! What happens beside dockerd while it lives, and in the moment it does not.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use super::Service;
use crate::{
    dockerd::{ended::Ended, help::Help, log::End, output::Output},
    error_daemon::{self, ErrorDaemon},
    facts::memory_limits,
    findings::flags::{self, Given},
    pki::{DirectoryLock, TlsPaths},
    reasons::{Finding, daemon},
    report::{Report, explain},
    service::{memory, opening::Opening, supervise::Events},
    settings::{non_empty, process_environment},
    sockets::Sockets,
};

/// How long dockerd's last words are waited for: processes that it leaves behind may hold its
/// stderr open, and clients are waiting.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// However much it says, a dockerd that is not ready after so many timeouts is explained.
const TIMEOUTS: u32 = 3;

/// What a container is given between SIGTERM and SIGKILL by default, but for the time that it takes
/// to say something: 10 s by `docker stop`, 30 s by a kubelet.
fn usual_grace(in_kubernetes: bool) -> Duration {
    Duration::from_secs(if in_kubernetes { 27 } else { 8 })
}

/// dockerd's life.
pub struct Life {
    started: Instant,
    start_timeout: Duration,
    report: Report,
    output: Output,
    given: Given,
    /// Its program, if there is one.
    dockerd: Option<PathBuf>,
    sockets: Option<Arc<Sockets>>,
    server: Option<TlsPaths>,
    /// Given up when the service is asked to stop.
    lock: Option<DirectoryLock>,
    /// Asks for the end itself where it fails.
    opening: Option<Opening>,
    out_of_memory_before: Option<u64>,
    is_ready: bool,
    asked_to_stop: bool,
    /// When to say that it takes long.
    grace_ends: Option<Instant>,
    /// Answers while dockerd does not.
    error_daemon: Option<ErrorDaemon>,
}

impl Life {
    pub fn new(service: &mut Service<'_>, output: Output, opening: Option<Opening>) -> Self {
        Self {
            started: service.started,
            start_timeout: service.settings.start_timeout,
            report: service.report.clone(),
            output,
            given: service.given.clone(),
            dockerd: service.dockerd_program(),
            sockets: service.sockets.clone(),
            server: service.certificates.as_ref().map(|made| made.tls.clone()),
            lock: service
                .certificates
                .as_mut()
                .and_then(|made| made.lock.take()),
            opening,
            out_of_memory_before: memory_limits::out_of_memory_kills(),
            is_ready: false,
            asked_to_stop: false,
            grace_ends: None,
            error_daemon: None,
        }
    }

    /// Why dockerd ended, unless it was asked to.
    pub fn explanation(&self, ended: Ended) -> Option<Finding> {
        if self.asked_to_stop {
            tracing::info!("dockerd has ended, exit status {}", ended.exit_status());
            return None;
        }
        let kills = memory_limits::out_of_memory_kills().unwrap_or_default()
            - self.out_of_memory_before.unwrap_or_default();
        if ended == Ended::Killed(Signal::SIGKILL) && kills > 0 {
            return Some(daemon::out_of_memory(memory_limits::limit(), kills));
        }
        let finding = self.output.recognised(|log| log.explain(End::Ended(ended)));
        Some(flags::with_what_is_known(finding, &self.given, || {
            self.dockerd.clone().map_or_else(Help::default, Help::ask)
        }))
    }

    /// Why clients have no certificates; known before the signal comes that it sends.
    pub fn publication_failure(&self) -> Option<Finding> {
        self.opening.as_ref()?.failure()
    }

    fn answer_with(&mut self, finding: &Finding) {
        let told = self.report.told(finding.clone());
        let explanation = explain::api_message(&told, &self.report.beside(finding));
        self.answer(&explanation, Some(finding));
    }

    fn answer(&mut self, explanation: &str, finding: Option<&Finding>) {
        let Some(sockets) = &self.sockets else {
            return;
        };
        let tls = match finding {
            Some(finding) => error_daemon::tls(self.server.as_ref(), finding),
            None => self.server.as_ref().and_then(error_daemon::trusted),
        };
        match ErrorDaemon::start(&sockets.descriptors(), tls, explanation) {
            Ok(daemon) => self.error_daemon = Some(daemon),
            Err(error) => tracing::warn!("clients get no answer: {error}"),
        }
    }
}

impl Events for Life {
    fn ready(&mut self) {
        self.is_ready = true;
        // From now on dockerd answers alone.
        self.error_daemon = None;
        let version = self.output.recognised(|log| {
            log.ready();
            log.version().map(str::to_owned)
        });
        self.report.ready(version);
        let seconds = self.started.elapsed().as_secs_f64();
        tracing::info!("dockerd is ready, {seconds:.2} s after the start");
        memory::give_back_code();
    }

    fn asked_to_stop(&mut self, signal: Signal) {
        if self.publication_failure().is_some() {
            tracing::info!(
                "the clients' certificates could not be published: dockerd, which nobody could \
                 use, is ended"
            );
        } else {
            tracing::info!("{signal}: dockerd stops its containers and ends");
        }
        self.asked_to_stop = true;
        let in_kubernetes = non_empty(&process_environment, "KUBERNETES_SERVICE_HOST").is_some();
        self.grace_ends = Some(Instant::now() + usual_grace(in_kubernetes));
        self.report.stopping();
        // The next job may come while the containers of this one still end.
        self.lock = None;
    }

    fn stopping(&mut self) {
        if self.asked_to_stop {
            self.answer(
                "the Docker daemon is stopping, because its service container was asked to end.\n\
                 A job's Docker commands must come before that.",
                None,
            );
        }
    }

    fn ended(&mut self, ended: Ended) {
        if self.asked_to_stop {
            return;
        }
        self.output.settle(LAST_WORDS);
        if let Some(finding) = self.explanation(ended) {
            self.answer_with(&finding);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        if self.asked_to_stop {
            return self.grace_ends;
        }
        let waits = !self.is_ready && self.error_daemon.is_none();
        let silent = self.output.last() + self.start_timeout;
        let longest = self.started + self.start_timeout * TIMEOUTS;
        waits.then(|| silent.min(longest))
    }

    fn overdue(&mut self) {
        if self.asked_to_stop {
            self.grace_ends = None;
            self.report.finding(&daemon::slow_stop());
            return;
        }
        let waited = self.started.elapsed();
        let finding = self
            .output
            .recognised(|log| log.explain(End::NotReady(waited)));
        self.report.failure(&finding);
        self.answer_with(&finding);
    }
}
