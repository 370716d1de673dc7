//! The service's life, from its first instant to dockerd's exit status.

pub mod certificates;
pub mod client;
mod machine;

use std::{ffi::OsString, io, path::Path, sync::Arc, time::Instant};

use nix::{sys::signal::Signal, unistd::Uid};

use crate::{
    dockerd::{
        configuration::{self, Configuration},
        flags::{Flags, Invocation},
        launch::{self, Launch},
        readiness::Readiness,
        rootless::{self, Rootless},
    },
    error_daemon::{self, ErrorDaemon},
    facts::mounts::Mounts,
    log,
    opening::Opening,
    pki::{Certificates, ClientKeyInTheMaking},
    plan::{Plan, User},
    preflight,
    reasons::{Finding, daemon},
    settings::{CertificateSettings, Settings, process_environment},
    signals::Signals,
    sockets::Sockets,
    supervise::{Ended, Events, Supervisor},
};

/// Runs dockerd and returns the exit status; a finding is what kept it from running.
pub fn run(invocation: &Invocation, settings: &Settings, uid: Uid) -> Result<u8, Finding> {
    let started = Instant::now();
    let signals = Signals::block().map_err(|errno| daemon::init("signals", &errno.into()))?;
    let plan = plan(invocation, settings, uid);
    let tls = settings.certificates.as_ref().filter(|_| plan.tls);
    // The slowest step by far, so it is begun before everything else.
    let client_key = tls.map(|certificates| ClientKeyInTheMaking::start(certificates.client_key));
    let oom_score_adj = launch::protect_from_out_of_memory();
    machine::become_reaper();
    let readiness = Readiness::bind().map_err(|error| daemon::init("NOTIFY_SOCKET", &error))?;

    let mounts = Mounts::read().unwrap_or_default();
    client::findings(&plan, settings, &mounts)
        .iter()
        .for_each(log::finding);
    let sockets = plan
        .sockets
        .as_ref()
        .map(|sockets| Sockets::bind(sockets, &mounts).map(Arc::new))
        .transpose()?;
    let preflight = preflight::run(&plan, settings, &mounts, uid, preflight::PATIENCE);
    preflight.report()?;
    let mut certificates = tls
        .map(|certificates| certificates::prepare(certificates, settings, &mounts))
        .transpose()?;
    let mut pending = certificates
        .as_mut()
        .and_then(|made| made.pending.take())
        .zip(client_key);
    if sockets.is_none() {
        // dockerd opens its port itself, so clients' certificates come first.
        pending
            .take()
            .map(|(client, key)| client.publish(key))
            .transpose()?;
    }
    let environment = machine::prepare(settings, uid, &mounts, &preflight, &readiness)?;

    let argv = command_line(&plan, uid);
    say_what_starts(&plan, tls);
    let dockerd = Launch {
        argv: &argv,
        set: environment,
        removed: plan.removed_variables,
        sockets: sockets
            .iter()
            .flat_map(|sockets| sockets.descriptors())
            .collect(),
        blocked_signals: &signals.original,
        oom_score_adj,
    }
    .spawn()
    .map_err(|error| daemon::missing(&error))?;

    let opening = match (&sockets, pending) {
        (Some(sockets), Some((client, key))) => {
            Some(Opening::start(client, key, Arc::clone(sockets)))
        }
        (Some(sockets), None) => {
            sockets.tcp.open()?;
            None
        }
        (None, _) => None,
    };
    let mut life = Life {
        started,
        sockets: sockets.clone(),
        certificates,
        asked_to_stop: false,
        error_daemon: None,
    };
    let ended = Supervisor {
        dockerd,
        signals: &signals,
        readiness: &readiness,
        events: &mut life,
    }
    .run();
    if let Some(sockets) = sockets {
        sockets.unix.unlink();
    }
    if let Some(tls) = tls {
        certificates::remove(tls, settings);
    }
    if let Some(finding) = opening.and_then(|opening| opening.failure()) {
        return Err(finding);
    }
    life.say_how_it_ended(ended);
    Ok(ended.exit_status())
}

/// What would be done; reads daemon.json.
pub fn plan(invocation: &Invocation, settings: &Settings, uid: Uid) -> Plan {
    let arguments: &[OsString] = match invocation {
        Invocation::Defaults(arguments) => arguments,
        _ => &[],
    };
    let path = Flags::parse(&[settings.dockerd_arguments.as_slice(), arguments].concat())
        .config_file
        .unwrap_or_else(|| configuration::DEFAULT_PATH.into());
    Plan::new(
        invocation,
        settings,
        &Configuration::read(Path::new(&path)),
        &User {
            is_root: uid.is_root(),
            runtime_directory: rootless::runtime_directory(&process_environment, uid.as_raw()),
        },
    )
}

fn command_line(plan: &Plan, uid: Uid) -> Vec<OsString> {
    if uid.is_root() {
        return plan.argv.clone();
    }
    Rootless::parse(&process_environment).wrap(plan.argv.clone(), plan.port)
}

fn say_what_starts(plan: &Plan, tls: Option<&CertificateSettings>) {
    for host in &plan.dropped_hosts {
        tracing::info!("--host={host} is open already and left out");
    }
    match (&plan.sockets, tls) {
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

/// What happens beside dockerd while it lives.
struct Life {
    started: Instant,
    sockets: Option<Arc<Sockets>>,
    certificates: Option<Certificates>,
    asked_to_stop: bool,
    /// Answers when dockerd does not any more.
    error_daemon: Option<ErrorDaemon>,
}

impl Life {
    fn say_how_it_ended(&self, ended: Ended) {
        let status = ended.exit_status();
        match ended {
            _ if self.asked_to_stop => tracing::info!("dockerd has ended, exit status {status}"),
            Ended::Exited(_) => tracing::error!("dockerd ended by itself, exit status {status}"),
            Ended::Killed(signal) => {
                tracing::error!("dockerd was ended by {signal}, exit status {status}");
            }
        }
    }

    fn answer_for_dockerd(&self, sockets: &Sockets) -> io::Result<ErrorDaemon> {
        let tls = self.certificates.as_ref().and_then(|made| {
            error_daemon::server_config(&made.tls.certificate, &made.tls.key)
                .inspect_err(|error| tracing::warn!("TLS clients get no answer: {error}"))
                .ok()
        });
        let explanation = "the Docker daemon is stopping, because its service container was \
                           asked to end.\nA job's Docker commands must come before that.";
        ErrorDaemon::start(&sockets.descriptors(), tls, explanation)
    }
}

impl Events for Life {
    fn ready(&mut self) {
        let seconds = self.started.elapsed().as_secs_f64();
        tracing::info!("dockerd is ready, {seconds:.2} s after the start");
    }

    fn asked_to_stop(&mut self, signal: Signal) {
        tracing::info!("{signal}: dockerd stops its containers and ends");
        self.asked_to_stop = true;
        if let Some(made) = &mut self.certificates {
            // The next job may come while the containers of this one still end.
            made.lock = None;
        }
    }

    fn stopping(&mut self) {
        let Some(sockets) = self.sockets.clone() else {
            return;
        };
        match self.answer_for_dockerd(&sockets) {
            Ok(daemon) => self.error_daemon = Some(daemon),
            Err(error) => tracing::warn!("clients get no answer while dockerd stops: {error}"),
        }
    }
}
