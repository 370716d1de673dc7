//! What facts and trials mean, all together.

use super::{machine::Facts, missing_program::MissingProgram};
use crate::{
    dockerd::options::Options,
    facts::docker_version::DockerVersion,
    findings,
    reasons::{Finding, Severity, daemon},
    settings::Settings,
    setup::iptables::Backend,
    trials::Trials,
};

/// The first Docker that knows `--firewall-backend`.
const NFTABLES_SINCE: Option<DockerVersion> = Some(DockerVersion {
    major: 29,
    minor: 0,
});

/// All findings of facts and trials. What follows from a finding that is there is left out.
pub fn judge(
    facts: &Facts,
    mut trials: Trials,
    options: &Options,
    backend: &Backend,
    settings: &Settings,
) -> Vec<Finding> {
    let mut found = findings::privileges::findings(&facts.privileges, &trials, options);
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
    let is_root = options.is_root;
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
    }
    let starts_containerd = is_root && !is_restricted && !options.has_containerd;
    match facts.missing_program {
        Some(MissingProgram::Dockerd) => found.push(daemon::no_dockerd()),
        Some(MissingProgram::Containerd) if starts_containerd => {
            found.push(daemon::no_containerd());
        }
        Some(MissingProgram::Containerd) | None => {}
    }
    found
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::*;
    use crate::{
        dockerd::configuration::Configuration,
        facts::{
            control_groups::{ControlGroups, Version},
            graph_drivers::GraphDrivers,
            network::{Mtu, Network},
            privileges::{Capabilities, Privileges, Status, UidMap},
            storage::{Room, Storage},
        },
        trials::{
            Outcome,
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
            missing_program: None,
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
        judge(facts, trials, &options, &backend, &settings())
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
            let found = judge(&facts, Trials::default(), &options, &backend, &settings());
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
        let found_without = |missing, argument: &str, docker: Option<DockerVersion>| {
            let facts = Facts {
                missing_program: Some(missing),
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
            let found = judge(&facts, trials, &options, &backend, &settings());
            let fatal = found.into_iter().filter(|f| f.severity == Severity::Fatal);
            fatal.map(|finding| finding.reason.id).collect::<Vec<_>>()
        };
        let found =
            |argument: &str, docker| found_without(MissingProgram::Containerd, argument, docker);
        let docker = |major| Some(DockerVersion { major, minor: 0 });
        assert_eq!(found("", None), ["DAEMON-MISSING"]);
        assert_eq!(found("--containerd=/c.sock", None), [""; 0]);
        let without_dockerd = found_without(MissingProgram::Dockerd, "--containerd=/c.sock", None);
        assert_eq!(without_dockerd, ["DAEMON-MISSING"]);
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
