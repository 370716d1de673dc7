//! dockerd, started.

use std::{ffi::OsString, os::fd::OwnedFd, path::Path, thread};

use nix::unistd::Pid;

use super::{
    Service, assessed::Assessed, bound::Bound, certificates, failure::Failure, heard::Heard,
    life::Life, machine, probe::start_probe, publication::Publication, supervise::Supervisor,
};
use crate::{
    assessment::{Assessment, machine::Machine, registries},
    dockerd::{
        configuration::Configuration, insecure_registries::InsecureRegistries, launch::Launch,
        log::Recogniser, output::Output, readiness::Readiness, rootless::Rootless,
    },
    job_directory::abandoned,
    plan::Plan,
    reasons::{Finding, daemon},
    registry::Registries,
    report::Report,
    settings::process_environment,
};

/// dockerd runs, and what it says is followed.
pub struct Launched {
    dockerd: Pid,
    readiness: Readiness,
    output: Output,
}

impl Launched {
    /// Gives dockerd what it needs of this machine, and starts it.
    pub fn new(
        assessed: Assessed,
        service: &Service<'_>,
        bound: &Bound,
        readiness: Readiness,
        oom_score_adj: Option<i32>,
    ) -> Result<Self, Failure> {
        assessed.tell(service)?;
        service.report.assessed();
        let Assessed {
            assessment,
            certificates,
            ..
        } = assessed;
        let insecure = insecure_registries(&assessment);
        let plan = assessment.plan;
        let registries = Registries::set_up(
            &service.settings.registry,
            (assessment.trust, assessment.awaited),
            registries::places(plan.certificates.as_ref(), service.settings, service.uid),
            |finding| service.report.finding(finding),
        );
        let mut environment = machine::prepare(service, &assessment.machine, &readiness)?;
        environment.extend(registries.environment.clone());
        bound.let_clients_in_with_dockerd(&plan)?;

        say_what_starts(&plan);
        let (dockerd, said) = Launch {
            argv: &command_line(&plan, service),
            set: environment,
            removed: plan.removed_variables,
            sockets: bound.sockets.iter().flat_map(|s| s.descriptors()).collect(),
            blocked_signals: &service.signals.original,
            oom_score_adj,
        }
        .spawn()
        .map_err(|error| daemon::missing(&error))?;
        tell_what_filters(&assessment.machine, service.report.clone());
        let heard = Heard::new(service, certificates.as_ref(), &registries);
        let output = follow(said, insecure, heard)?;
        registries.export();
        watch_registries(&registries, service);
        remove_what_others_left(service);
        Ok(Self {
            dockerd,
            readiness,
            output,
        })
    }

    /// Until dockerd's end.
    pub fn live(self, service: &Service<'_>, bound: &Bound) -> Result<u8, Failure> {
        let Self {
            dockerd,
            readiness,
            output,
        } = self;
        let mut life = Life::new(service, bound, output);
        let ended = Supervisor {
            dockerd,
            signals: &service.signals,
            readiness: &readiness,
            failed: bound.publication.as_ref().map(Publication::failed),
            events: &mut life,
        }
        .run();
        life.conclude(ended)
    }
}

/// Those of dockerd's own flags, and of the daemon.json that it is going to read.
fn insecure_registries(assessment: &Assessment) -> InsecureRegistries {
    let plan = &assessment.plan;
    let completed = assessment.configuration.as_ref();
    let completed = completed.map(|(_, text)| Configuration::parse(text));
    let configuration = completed.as_ref().unwrap_or(&plan.configuration);
    InsecureRegistries::new(&plan.argv, configuration)
}

/// Passes dockerd's stderr on and reports what it shows.
fn follow(said: OwnedFd, insecure: InsecureRegistries, heard: Heard) -> Result<Output, Finding> {
    let recogniser = Recogniser::with_insecure(insecure);
    let tell = move |finding: &Finding| heard.tell(finding);
    Output::follow(said, recogniser, tell).map_err(|error| daemon::init("dockerd's stderr", &error))
}

fn command_line(plan: &Plan, service: &Service<'_>) -> Vec<OsString> {
    if service.uid.is_root() {
        return plan.argv.clone();
    }
    Rootless::parse(&process_environment).wrap(plan.argv.clone(), plan.port)
}

/// Asks iptables for its version, where it can be asked: official's log has it, too. Beside
/// everything else, since an iptables that hangs must keep nobody.
fn tell_what_filters(machine: &Machine, report: Report) {
    if machine.has(&daemon::IPTABLES) {
        return;
    }
    let (backend, is_needed) = (machine.backend.clone(), machine.uses_iptables);
    let ask = move || match backend.version() {
        Ok(version) => tracing::info!("{version}: {}", backend.why),
        Err(finding) if is_needed => report.finding(&finding),
        Err(_) => {}
    };
    if let Err(error) = thread::Builder::new().name("iptables".into()).spawn(ask) {
        tracing::warn!("iptables is not asked for its version: {error}");
    }
}

/// Waits for CAs that come later, and asks GitLab's registry for its certificate.
fn watch_registries(registries: &Registries, service: &Service<'_>) {
    let report = service.report.clone();
    registries.watch(move |finding| report.finding(finding));
    let report = service.report.clone();
    start_probe(&service.settings.registry, registries, report);
}

/// Removes what services that were killed have left for other jobs.
fn remove_what_others_left(service: &Service<'_>) {
    let tls = service.certificates.as_ref();
    let own = tls.and_then(|tls| certificates::job_directory(tls, service.settings));
    let report = service.report.clone();
    let claimed = move || report.job_directory().cloned();
    abandoned::remove(claimed, own.map(Path::to_owned));
}

fn say_what_starts(plan: &Plan) {
    for host in &plan.dropped_hosts {
        tracing::info!("--host={host} is left out: dind-init has opened it already");
    }
    match (&plan.sockets, &plan.certificates) {
        (Some(sockets), Some(certificates)) => tracing::info!(
            "starting dockerd: TLS on port {}, clients' certificates in {}/client, and {}",
            sockets.port,
            certificates.directory.display(),
            sockets.unix.display()
        ),
        (Some(sockets), None) => tracing::info!(
            "starting dockerd: no TLS, port {}, and {}; whoever reaches the port is root here",
            sockets.port,
            sockets.unix.display()
        ),
        (None, _) => tracing::info!("starting dockerd with its own sockets"),
    }
}
