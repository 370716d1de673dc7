//! The service's life, from its first instant to dockerd's exit status.

use std::{ffi::OsString, path::Path, sync::Arc, time::Instant};

use nix::{
    sys::{prctl, signal::Signal},
    unistd::{Pid, Uid, User as Account},
};
use time::OffsetDateTime;

use crate::{
    dockerd::{
        configuration::{self, Configuration},
        flags::{Flags, Invocation},
        launch::{self, Launch},
        readiness::Readiness,
        rootless::{self, Rootless},
    },
    error_daemon,
    facts::{
        identity::{self, Identity},
        mounts::Mounts,
    },
    log,
    opening::Opening,
    pki::{self, Certificates, ClientKeyInTheMaking, Job, Wanted},
    plan::{Plan, User},
    reasons::{Finding, daemon, privilege},
    settings::{CertificateSettings, Settings, process_environment, subject_names::SubjectName},
    setup,
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
    become_reaper();
    let readiness = Readiness::bind().map_err(|error| daemon::init("NOTIFY_SOCKET", &error))?;

    let mounts = Mounts::read().unwrap_or_default();
    let sockets = plan
        .sockets
        .as_ref()
        .map(|sockets| Sockets::bind(sockets, &mounts).map(Arc::new))
        .transpose()?;
    let mut certificates = tls
        .map(|certificates| prepare_certificates(certificates, settings, &mounts))
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
    let environment = prepare_machine(settings, uid, &mounts, &readiness)?;

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

/// Orphans come to us, as they do to PID 1.
fn become_reaper() {
    if Pid::this() != Pid::from_raw(1) && prctl::set_child_subreaper(true).is_err() {
        tracing::warn!(
            "not PID 1 and not a subreaper: processes that dockerd orphans stay zombies"
        );
    }
}

/// Brings the certificate directory into order, all but a client's new key.
pub fn prepare_certificates(
    certificates: &CertificateSettings,
    settings: &Settings,
    mounts: &Mounts,
) -> Result<Certificates, Finding> {
    let names = certificate_names(certificates, settings);
    let made = pki::prepare(
        mounts,
        &wanted(certificates, settings, &names),
        pki::PATIENCE,
    )?;
    made.findings.iter().for_each(log::finding);
    Ok(made)
}

/// All names of this container; reads them.
pub fn certificate_names(
    certificates: &CertificateSettings,
    settings: &Settings,
) -> Vec<SubjectName> {
    Identity::read().server_names(&certificates.names, &settings.docker_host)
}

/// What the certificates are wanted for.
pub fn wanted<'a>(
    certificates: &'a CertificateSettings,
    settings: &Settings,
    names: &'a [SubjectName],
) -> Wanted<'a> {
    Wanted {
        settings: certificates,
        names,
        job: Job {
            docker_host: identity::tcp_host(&settings.docker_host).and_then(SubjectName::from_host),
            in_gitlab: settings.in_gitlab_job,
            builds_directory: settings.builds_directory.clone(),
        },
        now: OffsetDateTime::now_utc(),
    }
}

/// Does what dockerd needs of the machine; returns the variables it gets.
fn prepare_machine(
    settings: &Settings,
    uid: Uid,
    mounts: &Mounts,
    readiness: &Readiness,
) -> Result<Vec<(OsString, OsString)>, Finding> {
    for path in setup::pid_files::remove_stale(Path::new("/run")) {
        tracing::info!(
            "removed {}, left by an earlier life of this container",
            path.display()
        );
    }
    let mut environment = vec![("NOTIFY_SOCKET".into(), readiness.address().into())];
    let backend = setup::iptables::Backend::choose(settings.iptables_legacy.as_deref());
    match backend.version() {
        Ok(version) => tracing::info!("{version}: {}", backend.why),
        Err(finding) => log::finding(&finding),
    }
    environment.extend(backend.path().map(|path| ("PATH".into(), path)));
    if uid.is_root() {
        setup::mounts::prepare(mounts)?
            .iter()
            .for_each(log::finding);
        if let Some(finding) = setup::cgroup::nest(Path::new("/sys/fs/cgroup")) {
            log::finding(&finding);
        }
        // Tells dockerd, as systemd's convention is, that it is in a container.
        environment.push(("container".into(), "docker".into()));
    } else {
        let account = Account::from_uid(uid).ok().flatten();
        let name = account.map(|account| account.name).unwrap_or_default();
        rootless::check(uid.as_raw(), &name).map_err(|missing| privilege::rootless(&missing))?;
    }
    Ok(environment)
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

    fn answer_for_dockerd(&self, sockets: &Sockets) {
        let tls = self.certificates.as_ref().and_then(|made| {
            error_daemon::server_config(&made.tls.certificate, &made.tls.key)
                .inspect_err(|error| tracing::warn!("TLS clients get no answer: {error}"))
                .ok()
        });
        let explanation = "the Docker daemon is stopping, because its service container was \
                           asked to end.\nA job's Docker commands must come before that.";
        if let Err(error) = error_daemon::start(sockets, tls, explanation.into()) {
            tracing::warn!("clients get no answer while dockerd stops: {error}");
        }
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
        if let Some(sockets) = &self.sockets {
            self.answer_for_dockerd(sockets);
        }
    }
}
