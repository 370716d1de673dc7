//! What dockerd needs of this container: facts and trials, side by side, judged all together.

use std::{
    env,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::unistd::{Uid, User as Account};
use serde_json::Value;

use super::{judgement::judge, missing_program::MissingProgram, networks};
use crate::{
    adjustments::{self, Adjustments},
    dockerd::{
        configuration,
        flags::Flags,
        launch,
        options::Options,
        rootless::{self, Rootless},
    },
    facts::{
        client::ClientVariables,
        control_groups::{self, ControlGroups},
        docker_version::DockerVersion,
        graph_drivers::GraphDrivers,
        mounts::Mounts,
        network::Network,
        nftables,
        privileges::Privileges,
        program,
        storage::Storage,
    },
    findings::{
        client::{api_version, own_hosts},
        graph_drivers, registry_values,
    },
    plan::Plan,
    reasons::{Finding, Reason, Severity, privilege},
    settings::{Settings, process_environment},
    setup::iptables::Backend,
    system::background::{Background, in_time},
    trials::{self, Outcome, Trials, Wanted, data_root::Probe, names::Resolution},
};

/// Docker older than 24 says this of a mirror with a path (moby `registry/config.go`).
const NO_PATHS: &str = "path, query, or fragment at end of the URI";
/// How long another daemon may take to let go of the data directory.
pub const DATA_DIRECTORY_PATIENCE: Duration = Duration::from_secs(5);

/// What was found.
#[derive(Debug)]
pub struct Machine {
    pub facts: Facts,
    /// What dockerd is going to have; chosen here, since its tables are tried.
    pub backend: Backend,
    /// dockerd makes its rules with iptables.
    pub uses_iptables: bool,
    /// In the order in which one brings about the next.
    pub findings: Vec<Finding>,
    /// For dockerd, because of what was found.
    pub flags: Vec<OsString>,
    /// All of daemon.json, where it has to be completed.
    pub configuration: Option<String>,
    /// Where trials were made in the data directory; goes with this.
    _probe: Option<Probe>,
}

impl Machine {
    /// Whether this was found already, so that a step that runs into it need not say so again.
    pub fn has(&self, reason: &Reason) -> bool {
        // Without privileges all else that is refused needs no words of its own.
        let explains = |found: &Reason| *found == *reason || *found == privilege::NOT_PRIVILEGED;
        self.findings.iter().any(|found| explains(found.reason))
    }
}

/// The facts that were judged.
#[derive(Debug)]
pub struct Facts {
    pub privileges: Privileges,
    pub control_groups: ControlGroups,
    pub storage: Storage,
    pub graph_drivers: GraphDrivers,
    pub network: Network,
    pub iptables_is_installed: bool,
    pub missing_program: Option<MissingProgram>,
    pub nft_is_installed: bool,
    /// What systemd leaves while it runs (`man 3 sd_booted`).
    pub runs_systemd: bool,
    /// Asked for only where something depends on it.
    pub docker: Option<DockerVersion>,
}

/// A look at the machine that has begun.
#[derive(Debug)]
pub struct Begun<'a> {
    plan: &'a Plan,
    settings: &'a Settings,
    uid: Uid,
    options: Options,
    trials: trials::Begun,
}

/// Begins with what needs no fact, and takes longest.
pub fn begin<'a>(plan: &'a Plan, settings: &'a Settings, uid: Uid) -> Begun<'a> {
    let mut options = Options::new(
        &plan.argv,
        &plan.configuration,
        &process_environment,
        uid.is_root(),
    );
    if plan.takes_flags {
        let mirrors = registry_values::of_variables(&settings.registry_options.mirrors);
        options.registries.extend(mirrors);
    }
    let trials = Trials::begin(Wanted {
        overlay: options.wants_overlay(),
        rules: options.iptables,
        legacy: settings.iptables_legacy.clone(),
        is_root: uid.is_root(),
    });
    Begun {
        plan,
        settings,
        uid,
        options,
        trials,
    }
}

/// Looks at everything; changes nothing. Waits for up to `patience` where the data directory is in
/// use.
pub fn look(begun: Begun<'_>, mounts: &Mounts, patience: Duration) -> Machine {
    let Begun {
        plan,
        settings,
        uid,
        options,
        trials,
    } = begun;
    let deadline = Instant::now() + trials::LIMIT;
    let storage = {
        let (data_root, mounts) = (options.data_root.clone(), mounts.clone());
        in_time(&[&options.data_root], move || {
            Storage::read(&data_root, &mounts)
        })
    };
    let storage = storage.unwrap_or_else(|| Storage::unanswered(&options.data_root, mounts));
    let trials = trials.start(&storage, patience);
    let moves_pools =
        settings.moves_pools && plan.takes_flags && uid.is_root() && !options.addresses;
    let names = moves_pools.then(|| Resolution::start(&settings.registry.gitlab_hosts));
    let dockerd = dockerd_program(plan);
    let graph_drivers = {
        let (data_root, driver) = (storage.data_root.clone(), options.storage_driver.clone());
        let dockerd = dockerd.clone();
        Background::start(move || {
            GraphDrivers::read(&data_root, driver.as_deref(), dockerd.as_deref())
        })
    };
    let ask_dockerd = |is_asked: bool, is_so: fn(&Path) -> bool| {
        let dockerd = dockerd.clone().filter(|_| is_asked)?;
        Some(Background::start(move || is_so(&dockerd)))
    };
    let mut network = Network::read(mounts);
    let mtu = adjustments::mtu(settings.mtu, &options, &network)
        .filter(|_| plan.takes_flags && uid.is_root());
    let takes_paths = ask_dockerd(registry_values::have_paths(&options), |dockerd| {
        program::contains(dockerd, NO_PATHS) == Some(false)
    });
    let knows_option = ask_dockerd(mtu.is_some(), |dockerd| {
        program::contains(dockerd, adjustments::NETWORK_OPTION) == Some(true)
    });
    let job = ClientVariables::parse(&process_environment);
    let missing_program = MissingProgram::look(plan, dockerd.as_deref());
    let privileges = Privileges::read();
    let control_groups = ControlGroups::read(mounts, Path::new(control_groups::ROOT));
    let (trials, backend, probe) = trials.finish();
    if backend.legacy && options.iptables {
        network.nftables_rules = nftables::filter_rules();
    }
    let docker = dockerd
        .filter(|_| depends_on_the_version(&options, &trials, &job))
        .and_then(|dockerd| {
            let asked = Background::start(move || DockerVersion::ask(&dockerd));
            asked.wait(deadline)?
        });
    let facts = Facts {
        privileges,
        control_groups,
        graph_drivers: graph_drivers.wait(deadline).unwrap_or_default(),
        storage,
        network,
        iptables_is_installed: backend.is_installed(),
        missing_program,
        nft_is_installed: launch::found_in_path("nft"),
        runs_systemd: Path::new("/run/systemd/system").is_dir(),
        docker,
    };
    let ignored = |finding| settings.ignored.apply(finding);
    let judged = judge(&facts, trials, &options, &backend, settings);
    let takes_paths = takes_paths.is_none_or(|known| known.wait(deadline) != Some(false));
    let judged = judged
        .into_iter()
        .chain(registry_values::findings(
            &options.registries,
            &plan.given,
            takes_paths,
        ))
        .chain(plan.own_hosts.as_ref().and_then(own_hosts::unserved))
        .chain(api_version::finding(
            &job,
            facts.docker,
            options.oldest_api.as_deref(),
        ));
    let mut findings: Vec<_> = judged.map(ignored).collect();
    if !uid.is_root() {
        findings.extend(rootless_findings(plan, uid).into_iter().map(ignored));
    }
    let mut adjustments = Adjustments::default();
    // A dockerd that is not started has no networks; without root they are inside of rootlesskit's,
    // which has an MTU of its own.
    if uid.is_root() && findings.iter().all(|f| f.severity != Severity::Fatal) {
        let knows_option = knows_option.is_some_and(|known| known.wait(deadline) == Some(true));
        let network = &facts.network;
        networks::adjust_mtu(&mut adjustments, mtu, knows_option, &options, network);
        networks::adjust_pools(&mut adjustments, names, &options, network);
    }
    if plan.takes_flags {
        adjustments.complete_registries(
            &settings.registry_options,
            &plan.argv,
            &plan.configuration,
        );
    }
    findings.extend(adjustments.findings.into_iter().map(ignored));
    Machine {
        facts,
        backend,
        uses_iptables: options.iptables,
        findings,
        flags: adjustments.flags,
        configuration: adjustments
            .configuration
            .map(|map| Value::Object(map).to_string()),
        _probe: probe,
    }
}

/// Whether this Docker's version makes a difference: asking takes a moment.
fn depends_on_the_version(options: &Options, trials: &Trials, job: &ClientVariables) -> bool {
    let driver = options.storage_driver.as_deref();
    options.nftables
        || driver.is_some_and(graph_drivers::is_no_driver)
        || (driver.is_none() && matches!(trials.overlay, Outcome::Failed(_)))
        || job.api_version.is_some()
}

/// What dockerd lacks that runs without root.
fn rootless_findings(plan: &Plan, uid: Uid) -> Vec<Finding> {
    let account = Account::from_uid(uid).ok().flatten();
    let name = account.map(|account| account.name).unwrap_or_default();
    let wanted = Rootless::parse(&process_environment);
    let mut findings = rootless::check(&wanted, uid.as_raw(), &name);
    let config_file = Flags::parse(&plan.argv).config_file;
    let own = configuration::path_without_root(&process_environment);
    let is_there = |path: &Path| {
        let asked = path.to_owned();
        in_time(&[path], move || asked.is_file()).unwrap_or_default()
    };
    let unread = rootless::unread_configuration(config_file.as_deref(), &own, is_there);
    findings.extend(unread);
    findings
}

/// dockerd, as `PATH` has it.
pub fn dockerd_program(plan: &Plan) -> Option<PathBuf> {
    launch::program(plan.argv.first()?, &env::var_os("PATH")?)
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.privileges)?;
        writeln!(f, "{}", self.control_groups)?;
        writeln!(f, "{}", self.storage)?;
        write!(f, "{}", self.network)
    }
}
