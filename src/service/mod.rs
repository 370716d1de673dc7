//! The service's life, from its first instant to its exit status.

pub mod certificates;
mod failure;
mod heard;
mod life;
mod machine;
mod memory;
mod opening;
mod other_port;
mod probe;
mod supervise;

use std::{
    env,
    ffi::OsString,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use nix::unistd::Uid;

use self::{
    failure::Failure, heard::Heard, life::Life, opening::Opening, other_port::OtherPort,
    probe::start_probe, supervise::Supervisor,
};
use crate::{
    adjustments,
    assessment::{client, preflight, registries},
    dockerd::{
        configuration::{self, Configuration},
        ended::Ended,
        flags::{Flags, Invocation},
        insecure_registries::InsecureRegistries,
        launch::{self, Launch},
        log::Recogniser,
        options,
        output::Output,
        readiness::Readiness,
        rootless::{self, Rootless},
    },
    facts::mounts::Mounts,
    findings::flags::Given,
    job_directory::{JobDirectory, abandoned},
    pki::{self, Certificates, ClientKeyInTheMaking, PendingClient},
    plan::{Plan, User},
    reasons::{self, Finding, daemon},
    registry::Registries,
    report::{Report, log},
    settings::{CertificateSettings, InvalidVariable, Settings, process_environment, variables},
    sockets::Sockets,
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
    let plan = plan(invocation, settings, uid);
    let tls = settings.certificates.as_ref().filter(|_| plan.tls);
    // The slowest step by far, so it is begun before everything else.
    let client_key = tls.map(|certificates| ClientKeyInTheMaking::start(certificates.client_key));
    let mounts = Mounts::read().unwrap_or_default();
    let mut service = Service {
        started,
        settings,
        uid,
        plan,
        tls,
        signals,
        report: Report::new(settings, &mounts),
        given: Given::new(invocation.dockerd_arguments(), &settings.own_arguments),
        mounts,
        sockets: None,
        certificates: None,
        pending: None,
        other_port: None,
    };
    let served = match invalid.split_first() {
        None => service.serve(client_key),
        Some(invalid) => Err(service.refuse(invalid, client_key)),
    };
    let (status, asked_to_end) = match served {
        Ok(status) => (status, true),
        Err(failure) => service.fail(&failure),
    };
    service.clean_up(asked_to_end);
    status
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

/// Where a daemon.json that had to be completed is put.
pub fn configuration_path(uid: Uid) -> PathBuf {
    let runtime = rootless::runtime_directory(&process_environment, uid.as_raw());
    adjustments::configuration_path(uid.is_root(), &runtime)
}

/// The service, as far as it has come.
struct Service<'a> {
    started: Instant,
    settings: &'a Settings,
    uid: Uid,
    plan: Plan,
    /// `None` for plain TCP, and where the user's own command line decides.
    tls: Option<&'a CertificateSettings>,
    signals: Signals,
    report: Report,
    /// The flags for dockerd as its user gave them.
    given: Given,
    mounts: Mounts,
    sockets: Option<Arc<Sockets>>,
    certificates: Option<Certificates>,
    /// What is still to be published for clients.
    pending: Option<(PendingClient, ClientKeyInTheMaking)>,
    /// Held as long as the service lives.
    other_port: Option<OtherPort>,
}

impl Service<'_> {
    /// Returns the exit status when dockerd has ended, or was not started, because the service was
    /// asked to end.
    fn serve(&mut self, client_key: Option<ClientKeyInTheMaking>) -> Result<u8, Failure> {
        let oom_score_adj = launch::protect_from_out_of_memory();
        machine::become_reaper();
        let readiness = Readiness::bind().map_err(|error| daemon::init("NOTIFY_SOCKET", &error))?;
        let misspelt = variables::misspelt(env::vars_os().map(|(name, _)| name));
        misspelt.iter().for_each(|f| self.report.finding(f));
        let findings = client::findings(&self.plan, self.settings, &self.mounts);
        findings.iter().for_each(|f| self.report.finding(f));
        let no_unix_socket = self.bind()?;
        self.other_port = OtherPort::explain(&self.plan, &self.settings.docker_host, &findings);
        let preflight = preflight::run(
            &self.plan,
            self.settings,
            &self.mounts,
            self.uid,
            preflight::PATIENCE,
        );
        self.plan.add_flags(&preflight.flags);
        let written = preflight.configuration.as_deref().map(|text| {
            let path = configuration_path(self.uid);
            self.plan.use_configuration(&path);
            adjustments::write_configuration(&path, text)
                .map_err(|error| daemon::init(&format!("writing {}", path.display()), &error))
        });
        // Made even if dockerd cannot run: without certificates no client could be told why.
        let made = self.make_certificates(client_key);
        if let Some(signal) = signals::pending_stop() {
            // What is found where a wait was cut short may not be so.
            tracing::info!("{signal}: ended before dockerd was started");
            return Ok(Ended::Killed(signal).exit_status());
        }
        // All of it is told, and the first stands for the rest.
        let refusals = [
            preflight.report(&self.report).err(),
            no_unix_socket,
            made.err(),
            written.and_then(Result::err),
        ];
        let mut refusals = refusals.into_iter().flatten();
        if let Some(first) = refusals.next() {
            refusals.for_each(|finding| self.report.finding(&finding));
            return Err(first.into());
        }
        if self.sockets.is_none() {
            // dockerd opens its port itself, so clients' certificates come first.
            self.publish()?;
        }
        let registries = Registries::set_up(
            &self.settings.registry,
            registries::places(self.tls, self.settings, self.uid),
            |finding| self.report.finding(finding),
        );
        let mut environment = machine::prepare(
            self.settings,
            self.uid,
            &self.mounts,
            &preflight,
            &readiness,
            &self.report,
        )?;
        environment.extend(registries.environment.clone());

        self.say_what_starts();
        let (dockerd, said) = Launch {
            argv: &self.command_line(),
            set: environment,
            removed: self.plan.removed_variables,
            sockets: self.sockets.iter().flat_map(|s| s.descriptors()).collect(),
            blocked_signals: &self.signals.original,
            oom_score_adj,
        }
        .spawn()
        .map_err(|error| daemon::missing(&error))?;
        let output = self.follow(said, &registries)?;
        let report = self.report.clone();
        registries.watch(move |finding| report.finding(finding));
        start_probe(&self.settings.registry, &registries, self.report.clone());

        let opening = match (&self.sockets, self.pending.take()) {
            (Some(sockets), Some((client, key))) => {
                Some(Opening::start(client, key, Arc::clone(sockets)))
            }
            (Some(sockets), None) => {
                sockets.tcp.open()?;
                None
            }
            (None, _) => None,
        };
        abandoned::remove(
            self.report.job_directory().cloned(),
            self.tls
                .and_then(|tls| certificates::job_directory(tls, self.settings))
                .map(Path::to_owned),
        );
        let mut life = Life::new(self, output, opening);
        let ended = Supervisor {
            dockerd,
            signals: &self.signals,
            readiness: &readiness,
            events: &mut life,
        }
        .run();
        let explained = life.explanation(ended);
        if let Some(finding) = life.publication_failure() {
            return Err(finding.into());
        }
        let status = ended.exit_status();
        match explained {
            None => Ok(status),
            Some(finding) => Err(Failure { finding, status }),
        }
    }

    /// Opens the sockets; returns why there is none at a path.
    fn bind(&mut self) -> Result<Option<Finding>, Finding> {
        let Some(plan) = &self.plan.sockets else {
            return Ok(None);
        };
        let (sockets, no_unix_socket) = Sockets::bind(plan, &self.mounts)?;
        self.sockets = Some(Arc::new(sockets));
        Ok(no_unix_socket)
    }

    /// All but what waits for the client's key.
    fn make_certificates(&mut self, key: Option<ClientKeyInTheMaking>) -> Result<(), Finding> {
        if let Some(tls) = self.tls {
            let mut made = self.prepare_certificates(tls)?;
            made.findings.iter().for_each(|f| self.report.finding(f));
            self.pending = made.pending.take().zip(key);
            self.certificates = Some(made);
        }
        Ok(())
    }

    fn prepare_certificates(&self, tls: &CertificateSettings) -> Result<Certificates, Finding> {
        let prepare = |wait| certificates::prepare(tls, self.settings, &self.mounts, wait);
        match (prepare(Duration::ZERO), &self.sockets) {
            (Err(finding), Some(sockets)) if finding.reason.id == reasons::certs::IN_USE.id => {
                // A client that holds the other dind's certificates is not refused meanwhile.
                sockets.tcp.listen_closed()?;
                prepare(pki::PATIENCE)
            }
            (made, _) => made,
        }
    }

    fn publish(&mut self) -> Result<(), Finding> {
        match self.pending.take() {
            Some((client, key)) => client.publish(key),
            None => Ok(()),
        }
    }

    /// Passes dockerd's stderr on and reports what it shows.
    fn follow(&self, said: OwnedFd, registries: &Registries) -> Result<Output, Finding> {
        let heard = Heard::new(self, registries);
        let configuration = Configuration::read(&options::configuration_path(&self.plan.argv));
        let insecure = InsecureRegistries::new(&self.plan.argv, &configuration);
        let recogniser = Recogniser::with_insecure(insecure);
        let tell = move |finding: &Finding| heard.tell(finding);
        Output::follow(said, recogniser, tell)
            .map_err(|error| daemon::init("dockerd's stderr", &error))
    }

    fn dockerd_program(&self) -> Option<PathBuf> {
        launch::program(self.plan.argv.first()?, &env::var_os("PATH")?)
    }

    fn command_line(&self) -> Vec<OsString> {
        if self.uid.is_root() {
            return self.plan.argv.clone();
        }
        Rootless::parse(&process_environment).wrap(self.plan.argv.clone(), self.plan.port)
    }

    fn say_what_starts(&self) {
        for host in &self.plan.dropped_hosts {
            tracing::info!("--host={host} is left out: dind-init has opened it already");
        }
        match (&self.plan.sockets, self.tls) {
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

    /// A service that was not asked to end leaves the job the reason why it did.
    fn clean_up(&self, asked_to_end: bool) {
        if let Some(unix) = self.sockets.as_ref().and_then(|s| s.unix.as_ref()) {
            unix.unlink();
        }
        if let Some(tls) = self.tls {
            certificates::remove(tls, self.settings);
        }
        let job = self.report.job_directory().filter(|_| asked_to_end);
        if let Some(Err(error)) = job.map(JobDirectory::remove) {
            tracing::warn!("the job's directory stays: {error}");
        }
    }
}
