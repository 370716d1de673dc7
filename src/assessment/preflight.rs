//! Everything that can be known before dockerd is started: facts and trials, side by side, judged
//! all together.

use std::{
    env,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::unistd::Uid;
use serde_json::Value;

use crate::{
    adjustments::{self, Adjustments, pools::Neighbour},
    dockerd::{
        configuration::Configuration,
        launch,
        options::{self, Options},
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
        self,
        client::{api_version, own_hosts},
        graph_drivers, registry_values,
    },
    plan::Plan,
    reasons::{Finding, Reason, Severity, daemon, privilege},
    report::Report,
    settings::{Settings, process_environment},
    setup::iptables::Backend,
    system::background::Background,
    trials::{self, Outcome, Trials, names::Resolution},
};

/// Docker older than 24 says this of a mirror with a path (moby `registry/config.go`).
const NO_PATHS: &str = "path, query, or fragment at end of the URI";
/// Where a containerd of the system's own is looked for, before one is started (moby
/// `cmd/dockerd/daemon_unix.go`).
const CONTAINERD_S_SOCKET: &str = "/run/containerd/containerd.sock";
/// The first Docker that knows `--firewall-backend`.
const NFTABLES_SINCE: Option<DockerVersion> = Some(DockerVersion {
    major: 29,
    minor: 0,
});

/// How long another daemon may take to let go of the data directory.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What was found.
#[derive(Debug)]
pub struct Preflight {
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
    /// dockerd is there, and containerd is not.
    pub lacks_containerd: bool,
    pub nft_is_installed: bool,
    /// What systemd leaves while it runs (`man 3 sd_booted`).
    pub runs_systemd: bool,
    /// Asked for only where something depends on it.
    pub docker: Option<DockerVersion>,
}

/// Looks at everything; changes nothing. Waits for up to `patience` where the data directory is in
/// use.
pub fn run(
    plan: &Plan,
    settings: &Settings,
    mounts: &Mounts,
    uid: Uid,
    patience: Duration,
) -> Preflight {
    let deadline = Instant::now() + trials::LIMIT;
    let mut options = Options::read(&plan.argv, &process_environment, uid.is_root());
    if plan.takes_flags {
        let mirrors = registry_values::of_variables(&settings.registry_options.mirrors);
        options.registries.extend(mirrors);
    }
    let storage = Storage::read(&options.data_root, mounts);
    let trials = Trials::start(&storage, options.wants_overlay(), uid.is_root(), patience);
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
    let mut network = Network::read(mounts);
    let mtu = adjustments::mtu(settings.mtu, &options, &network)
        .filter(|_| plan.takes_flags && uid.is_root());
    let takes_paths = dockerd
        .clone()
        .filter(|_| registry_values::have_paths(&options));
    let takes_paths = takes_paths.map(|dockerd| {
        Background::start(move || program::contains(&dockerd, NO_PATHS) == Some(false))
    });
    let knows_option = mtu.and(dockerd.clone()).map(|dockerd| {
        Background::start(move || {
            program::contains(&dockerd, adjustments::NETWORK_OPTION) == Some(true)
        })
    });
    let backend = Backend::choose(settings.iptables_legacy.as_deref());
    if backend.legacy && options.iptables {
        network.nftables_rules = nftables::filter_rules();
    }
    let trials = trials.finish(options.iptables.then_some(&backend));
    let job = ClientVariables::read(&process_environment);
    let has_dockerd = dockerd.is_some();
    let docker = dockerd
        .filter(|_| depends_on_the_version(&options, &trials, &job))
        .and_then(|dockerd| {
            let asked = Background::start(move || DockerVersion::ask(&dockerd));
            asked.wait(deadline)?
        });
    let facts = Facts {
        privileges: Privileges::read(),
        control_groups: ControlGroups::read(mounts, Path::new(control_groups::ROOT)),
        graph_drivers: graph_drivers.wait(deadline).unwrap_or_default(),
        storage,
        network,
        iptables_is_installed: backend.is_installed(),
        lacks_containerd: has_dockerd
            && !launch::found_in_path("containerd")
            && !Path::new(CONTAINERD_S_SOCKET).exists(),
        nft_is_installed: launch::found_in_path("nft"),
        runs_systemd: Path::new("/run/systemd/system").is_dir(),
        docker,
    };
    let ignored = |finding| settings.ignored.apply(finding);
    let judged = judge(&facts, trials, &options, uid.is_root(), &backend, settings);
    let takes_paths = takes_paths.is_none_or(|known| known.wait(deadline) != Some(false));
    let judged = judged
        .into_iter()
        .chain(registry_values::findings(&options, takes_paths))
        .chain(plan.own_hosts.as_ref().and_then(own_hosts::unserved))
        .chain(api_version::finding(
            &job,
            facts.docker,
            options.oldest_api.as_deref(),
        ));
    let mut findings: Vec<_> = judged.map(ignored).collect();
    let mut adjustments = Adjustments::default();
    // A dockerd that is not started has no networks; without root they are inside of rootlesskit's,
    // which has an MTU of its own.
    if uid.is_root() && findings.iter().all(|f| f.severity != Severity::Fatal) {
        let knows_option = knows_option.is_some_and(|known| known.wait(deadline) == Some(true));
        adjust_networks(
            &mut adjustments,
            (mtu, knows_option),
            names,
            &options,
            &facts.network,
        );
    }
    if plan.takes_flags {
        let configuration = Configuration::read(&options::configuration_path(&plan.argv));
        adjustments.complete_registries(&settings.registry_options, &plan.argv, &configuration);
    }
    findings.extend(adjustments.findings.into_iter().map(ignored));
    Preflight {
        facts,
        backend,
        uses_iptables: options.iptables,
        findings,
        flags: adjustments.flags,
        configuration: adjustments
            .configuration
            .map(|map| Value::Object(map).to_string()),
    }
}

/// Makes dockerd's networks fit this container's, or says where they do not.
///
/// `names`: those that networks are to keep away from; `None` where they are not ours to choose.
fn adjust_networks(
    adjustments: &mut Adjustments,
    (mtu, knows_option): (Option<adjustments::Mtu>, bool),
    names: Option<Resolution>,
    options: &Options,
    network: &Network,
) {
    match mtu {
        Some(mtu) => {
            adjustments.pass_mtu(mtu, options, network, knows_option);
            let too_large = mtu
                .is_given
                .then(|| findings::network::mtu(network, options));
            adjustments.findings.extend(too_large.flatten());
        }
        None => {
            let found = findings::network::mtu(network, options)
                .or_else(|| findings::network::mtu_of_the_job_s_networks(network, options));
            adjustments.findings.extend(found);
        }
    }
    match names {
        Some(names) => {
            let addresses = names.finish().into_iter();
            let others: Vec<_> = addresses
                .map(|(what, address)| Neighbour { what, address })
                .collect();
            adjustments.move_pools(network, &others);
        }
        None => {
            let found = findings::network::pool_overlap(network, options);
            adjustments.findings.extend(found);
        }
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

fn dockerd_program(plan: &Plan) -> Option<PathBuf> {
    launch::program(plan.argv.first()?, &env::var_os("PATH")?)
}

/// All findings of facts and trials. What follows from a finding that is there is left out.
fn judge(
    facts: &Facts,
    mut trials: Trials,
    options: &Options,
    is_root: bool,
    backend: &Backend,
    settings: &Settings,
) -> Vec<Finding> {
    let mut found = findings::privileges::findings(&facts.privileges, &trials, options, is_root);
    let is_restricted = found
        .iter()
        .any(|finding| finding.severity == Severity::Fatal);
    if is_restricted {
        // Nothing could be mounted, no rules could be made, and that is all they say.
        trials = Trials {
            write: trials.write,
            locked: trials.locked,
            ..Trials::default()
        };
    }
    if is_root && !is_restricted {
        found.extend(findings::control_groups::findings(
            &facts.control_groups,
            settings.cgroup_namespace,
        ));
        found.extend(findings::control_groups::systemd_driver(
            options,
            facts.runs_systemd,
        ));
    }
    found.extend(findings::storage::findings(
        &facts.storage,
        &facts.graph_drivers,
        facts.docker,
        &trials,
        options,
        is_root,
    ));
    // Without root dockerd's networks are inside of rootlesskit's, which has an MTU of its own.
    if is_root && !is_restricted {
        let network = &facts.network;
        found.extend(findings::network::findings(
            network,
            &trials,
            options,
            backend.legacy,
        ));
        if options.iptables && !facts.iptables_is_installed {
            found.push(daemon::no_iptables());
        }
        if options.nftables && !facts.nft_is_installed && facts.docker >= NFTABLES_SINCE {
            found.push(daemon::no_nft());
        }
        if !options.has_containerd && facts.lacks_containerd {
            found.push(daemon::no_containerd());
        }
    }
    found
}

impl Preflight {
    /// Reports all findings but the first fatal one, which is returned: it ends the service.
    pub fn report(&self, report: &Report) -> Result<(), Finding> {
        let is_fatal = |finding: &&Finding| finding.severity == Severity::Fatal;
        let first = self.findings.iter().find(is_fatal);
        for finding in &self.findings {
            if first.is_none_or(|first| !std::ptr::eq(first, finding)) {
                report.finding(finding);
            }
        }
        first.map_or(Ok(()), |finding| Err(finding.clone()))
    }

    /// Whether this was found already, so that a step that runs into it need not say so again.
    pub fn has(&self, reason: &Reason) -> bool {
        // Without privileges all else that is refused needs no words of its own.
        let explains = |found: &Reason| *found == *reason || *found == privilege::NOT_PRIVILEGED;
        self.findings.iter().any(|found| explains(found.reason))
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.privileges)?;
        writeln!(f, "{}", self.control_groups)?;
        writeln!(f, "{}", self.storage)?;
        write!(f, "{}", self.network)
    }
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::*;
    use crate::{
        facts::{
            control_groups::Version,
            network::Mtu,
            privileges::{Capabilities, Status, UidMap},
            storage::Room,
        },
        trials::{
            data_root::Failure,
            namespaced::{Refusal, Step},
        },
    };

    /// A container with everything wrong but its privileges.
    fn facts(effective: u64) -> Facts {
        Facts {
            privileges: Privileges {
                status: Ok(Status {
                    effective: Capabilities(effective),
                    no_new_privileges: false,
                    seccomp: 0,
                }),
                apparmor: None,
                in_sysbox: false,
                uid_map: Ok(UidMap::parse("0 0 4294967295")),
            },
            control_groups: ControlGroups {
                version: Version::V2,
                read_only: Some("/sys/fs/cgroup".into()),
                ..ControlGroups::default()
            },
            storage: Storage {
                data_root: "/var/lib/docker".into(),
                existing: "/var/lib/docker".into(),
                file_system: "overlay".into(),
                mount_point: "/".into(),
                room: Ok(Room {
                    read_only: false,
                    bytes: 1 << 40,
                    inodes: None,
                }),
            },
            graph_drivers: GraphDrivers::default(),
            network: Network {
                mtu: Some(Mtu {
                    interface: "eth0".into(),
                    bytes: 1400,
                }),
                ..Network::default()
            },
            iptables_is_installed: true,
            lacks_containerd: false,
            nft_is_installed: true,
            runs_systemd: false,
            docker: None,
        }
    }

    fn trials() -> Trials {
        Trials {
            overlay: Outcome::Failed(Refusal {
                step: Step::Mount,
                errno: Errno::EINVAL,
            }),
            nat: Outcome::Failed("TABLE_ADD failed".into()),
            ..Trials::default()
        }
    }

    fn settings() -> Settings {
        Settings::parse(&|_| None).unwrap()
    }

    fn ids(facts: &Facts, trials: Trials, is_root: bool) -> Vec<&'static str> {
        let options = Options::new(&[], &Configuration::default(), &|_| None, is_root);
        let backend = Backend {
            legacy: false,
            why: "",
        };
        judge(facts, trials, &options, is_root, &backend, &settings())
            .iter()
            .map(|finding| finding.reason.id)
            .collect()
    }

    #[test]
    fn all_findings_come_at_once_in_the_order_of_the_layers() {
        assert_eq!(
            ids(&facts(u64::MAX), trials(), true),
            [
                "CGROUP-READONLY",
                "STORAGE-ON-OVERLAY",
                "NETWORK-NAT-MISSING"
            ]
        );
    }

    #[test]
    fn without_iptables_dockerd_does_not_start_unless_it_is_told_to_do_without() {
        let mut facts = facts(u64::MAX);
        facts.iptables_is_installed = false;
        let found = |argument: &str| {
            let options = [argument.into()];
            let options = Options::new(&options, &Configuration::default(), &|_| None, true);
            let backend = Backend {
                legacy: false,
                why: "",
            };
            let found = judge(
                &facts,
                Trials::default(),
                &options,
                true,
                &backend,
                &settings(),
            );
            let fatal = found.into_iter().filter(|f| f.severity == Severity::Fatal);
            fatal.map(|finding| finding.reason.id).collect::<Vec<_>>()
        };
        assert_eq!(found(""), ["DAEMON-IPTABLES"]);
        assert_eq!(found("--bridge=none"), ["DAEMON-IPTABLES"]);
        assert_eq!(found("--iptables=false"), [""; 0]);
        assert_eq!(found("--firewall-backend=nftables"), [""; 0]);
    }

    #[test]
    fn programs_that_dockerd_needs_are_missed_where_it_needs_them() {
        let found = |argument: &str, docker: Option<DockerVersion>| {
            let facts = Facts {
                lacks_containerd: true,
                nft_is_installed: false,
                docker,
                ..facts(u64::MAX)
            };
            let options = Options::new(
                &[argument.into()],
                &Configuration::default(),
                &|_| None,
                true,
            );
            let backend = Backend {
                legacy: false,
                why: "",
            };
            let trials = Trials::default();
            let found = judge(&facts, trials, &options, true, &backend, &settings());
            let fatal = found.into_iter().filter(|f| f.severity == Severity::Fatal);
            fatal.map(|finding| finding.reason.id).collect::<Vec<_>>()
        };
        let docker = |major| Some(DockerVersion { major, minor: 0 });
        assert_eq!(found("", None), ["DAEMON-MISSING"]);
        assert_eq!(found("--containerd=/c.sock", None), [""; 0]);
        let nftables = "--firewall-backend=nftables";
        assert_eq!(
            found(nftables, docker(29)),
            ["DAEMON-NFTABLES", "DAEMON-MISSING"]
        );
        // An older one does not know the flag, and says so.
        assert_eq!(found(nftables, docker(28)), ["DAEMON-MISSING"]);
    }

    #[test]
    fn without_privileges_only_that_is_said_and_what_is_wrong_beside_it() {
        assert_eq!(ids(&facts(0), trials(), true), ["NOT-PRIVILEGED"]);
        let read_only = Trials {
            write: Outcome::Failed(Failure::ReadOnly),
            ..trials()
        };
        assert_eq!(
            ids(&facts(0), read_only, true),
            ["NOT-PRIVILEGED", "STORAGE-READONLY"]
        );
    }

    #[test]
    fn without_root_control_groups_and_networks_are_rootlesskit_s() {
        assert_eq!(ids(&facts(0), Trials::default(), false), [""; 0]);
    }
}
