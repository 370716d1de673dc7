//! The service's life, from its first instant to its exit status, in stages of which each consumes
//! the one before: [`Bound`] → [`Assessed`] → [`Launched`] → [`Life`].
//!
//! [`Life`]: life::Life

mod assessed;
mod bound;
pub mod certificates;
mod failure;
mod heard;
mod hung_volumes;
mod launched;
mod life;
mod machine;
mod memory;
mod other_port;
mod probe;
mod publication;
mod supervise;
mod tidying;

use std::{env, path::PathBuf, time::Instant};

use nix::unistd::Uid;

use self::{assessed::Assessed, bound::Bound, failure::Failure, launched::Launched};
use crate::{
    assessment::{self, client},
    dockerd::{
        ended::Ended,
        flags::{Given, Invocation},
        launch,
        readiness::Readiness,
    },
    facts::mounts::Mounts,
    pki::ClientKeyInTheMaking,
    plan::Plan,
    reasons::daemon,
    report::{Report, log},
    settings::{CertificateSettings, InvalidVariable, Settings, process_environment, variables},
    system::signals::{self, Signals},
};

/// Runs dockerd, and explains it where that fails. Returns the exit status.
///
/// `invalid` are variables that `settings` could not be made from.
pub fn run(
    invocation: &Invocation,
    settings: &Settings,
    invalid: &[InvalidVariable],
    uid: Uid,
) -> u8 {
    let started = Instant::now();
    let signals = match Signals::block() {
        Ok(signals) => signals,
        Err(errno) => {
            let finding = daemon::init("signals", &errno.into());
            log::finding(&finding);
            return finding.reason.layer.exit_status();
        }
    };
    let plan = Plan::read(invocation, settings, uid);
    // The slowest step by far, so it is begun before everything else.
    let wanted = plan.certificates.as_ref();
    let client_key = wanted.map(|wanted| ClientKeyInTheMaking::start(wanted.client_key));
    let mounts = Mounts::read().unwrap_or_default();
    let service = Service {
        started,
        settings,
        uid,
        certificates: plan.certificates.clone(),
        signals,
        report: Report::new(settings, &mounts),
        given: plan.given.clone(),
        dockerd: assessment::machine::dockerd_program(&plan),
        mounts,
    };
    service.run(plan, client_key, invalid)
}

/// What all stages of a service's life are about.
struct Service<'a> {
    started: Instant,
    settings: &'a Settings,
    uid: Uid,
    /// `None` for plain TCP, and where the user's own command line decides.
    certificates: Option<CertificateSettings>,
    signals: Signals,
    report: Report,
    /// The flags for dockerd as its user gave them.
    given: Given,
    /// Its program, if there is one.
    dockerd: Option<PathBuf>,
    mounts: Mounts,
}

/// How the service came to its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Ending {
    /// Somebody asked for it.
    Asked,
    /// It could not go on, and nobody wanted it to stay.
    ByItself,
}

impl Service<'_> {
    fn run(
        &self,
        plan: Plan,
        client_key: Option<ClientKeyInTheMaking>,
        invalid: &[InvalidVariable],
    ) -> u8 {
        let mut bound = Bound::nothing(&plan, self.settings);
        let served = match invalid.split_first() {
            None => self.serve(&mut bound, &plan, client_key),
            Some(invalid) => Err(self.refuse(&mut bound, &plan, invalid, client_key)),
        };
        let (status, ending) = match served {
            Ok(status) => (status, Ending::Asked),
            Err(failure) => self.fail(&failure, &mut bound),
        };
        self.clean_up(bound, ending);
        status
    }

    /// Returns the exit status when dockerd has ended, or was not started, because the service was
    /// asked to end. What was bound until then stays, to explain a failure.
    fn serve(
        &self,
        bound: &mut Bound,
        plan: &Plan,
        client_key: Option<ClientKeyInTheMaking>,
    ) -> Result<u8, Failure> {
        let oom_score_adj = launch::protect_from_out_of_memory();
        machine::become_reaper();
        let readiness = Readiness::bind().map_err(|error| daemon::init("NOTIFY_SOCKET", &error))?;
        let misspelt = variables::misspelt(env::vars_os().map(|(name, _)| name));
        let unread = variables::unread(&process_environment);
        misspelt
            .into_iter()
            .chain(unread)
            .for_each(|f| self.report.finding(&f));
        self.tell_which_volumes_hang(plan);
        let findings = client::findings(plan, self.settings, &self.mounts);
        findings.iter().for_each(|f| self.report.finding(f));
        *bound = Bound::new(plan, self, client_key)?;
        other_port::explain(plan, &self.settings.docker_host, &findings);
        let assessed = Assessed::new(self, bound, plan);
        if let Some(signal) = signals::pending_stop() {
            // What is found where a wait was cut short may not be so.
            tracing::info!("{signal}: ended before dockerd was started");
            return Ok(Ended::Killed(signal).exit_status());
        }
        Launched::new(assessed, self, bound, readiness, oom_score_adj)?.live(self, bound)
    }
}
