//! What dockerd is told because of the container it runs in, where its user did not say it: never
//! a flag that is given already, nor one for what daemon.json sets, which dockerd would refuse.

pub mod pools;

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use self::pools::Neighbour;
use crate::{
    dockerd::{configuration::Configuration, options::Options, registry_options},
    facts::network::Network,
    findings::network::USUAL_MTU,
    reasons::{Finding, Severity, daemon, hole::Hole, network},
    settings::{MtuWish, RegistryOptions},
    system::{atomic_file, directory::Directory},
};

/// Flags for dockerd, and findings that say what they are for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Adjustments {
    pub flags: Vec<OsString>,
    /// All of daemon.json, where it has to be completed.
    pub configuration: Option<Map<String, Value>>,
    pub findings: Vec<Finding>,
}

/// The completed daemon.json, in a directory that only this container has.
pub fn configuration_path(is_root: bool, runtime_directory: &Path) -> PathBuf {
    let directory = match is_root {
        true => Path::new("/run"),
        false => runtime_directory,
    };
    directory.join("dind-init/daemon.json")
}

/// Writes it. Only its owner reads it, as whatever was in the user's own may be secret.
pub fn write_configuration(path: &Path, text: &str) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        Directory::make(directory).map_err(|error| error.source)?;
    }
    atomic_file::replace(path, text.as_bytes(), 0o600)
}

/// No IPv4 link has less (RFC 791).
const LEAST: u32 = 68;

/// The flag that gives networks which a job makes the same MTU; Docker has it since 24.0.
pub const NETWORK_OPTION: &str = "default-network-opt";

/// An MTU that dockerd is to have, where it is another than its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mtu {
    pub bytes: u32,
    /// The user said it, for the default network: what is missing are the networks that a job makes.
    pub is_given: bool,
}

/// The MTU that dockerd is to be told, or to be told more about.
pub fn mtu(wish: MtuWish, options: &Options, facts: &Network) -> Option<Mtu> {
    let bytes = match wish {
        MtuWish::Off => return None,
        _ if options.mtu_is_given => {
            let is_half = options.mtu < USUAL_MTU && !options.network_options_are_given;
            return is_half.then_some(Mtu {
                bytes: options.mtu,
                is_given: true,
            });
        }
        MtuWish::Bytes(bytes) => bytes.into(),
        MtuWish::Auto => {
            let out = facts.mtu.as_ref()?.bytes;
            (LEAST..USUAL_MTU).contains(&out).then_some(out)?
        }
    };
    Some(Mtu {
        bytes,
        is_given: false,
    })
}

impl Adjustments {
    /// Passes the MTU on: `--mtu` is for the default bridge alone. `knows_option`: this dockerd has
    /// [`NETWORK_OPTION`].
    pub fn pass_mtu(&mut self, mtu: Mtu, options: &Options, facts: &Network, knows_option: bool) {
        let Mtu { bytes, is_given } = mtu;
        let mut flags = Vec::new();
        if !is_given {
            flags.push(format!("--mtu={bytes}"));
        }
        let covers_all = knows_option && !options.network_options_are_given;
        if covers_all {
            flags.push(format!(
                "--{NETWORK_OPTION}=bridge=com.docker.network.driver.mtu={bytes}"
            ));
        }
        let why = match &facts.mtu {
            _ if is_given => format!("dockerd is told an MTU of {bytes} for its default network"),
            Some(out) if out.bytes == bytes => format!(
                "the way out of this container, {}, takes {bytes} bytes",
                out.interface
            ),
            _ => format!("DIND_MTU is {bytes}"),
        };
        let told = match flags.as_slice() {
            [] => format!("{why}."),
            flags => format!("{why}, so dockerd gets {}.", flags.join(" and ")),
        };
        self.findings.push(if covers_all {
            network::MTU.noted(told).with_severity(Severity::Note)
        } else {
            network::MTU.advised(
                format!(
                    "{told} Networks that a job makes, those of docker compose among them, keep an \
                     MTU of {USUAL_MTU} all the same: {}.",
                    match options.network_options_are_given {
                        true => "their options are given already",
                        false => "this Docker is older than 24, which can be told",
                    }
                ),
                network::MTU_OF_NETWORKS,
                [(Hole::Bytes, bytes.to_string())],
            )
        });
        self.flags.extend(flags.into_iter().map(OsString::from));
    }
}

impl Adjustments {
    /// Keeps Docker's networks away from addresses that are used outside, of `others` too.
    pub fn move_pools(&mut self, facts: &Network, others: &[Neighbour]) {
        let Some((pools, neighbours)) = pools::choose(facts, others) else {
            return;
        };
        let list = |words: Vec<String>| words.join(", ");
        let cause = format!(
            "{} in a range that Docker takes for its networks by itself, so they are put into {}.",
            match neighbours.as_slice() {
                [one] => format!("{one} is"),
                several => format!(
                    "{} are",
                    list(several.iter().map(ToString::to_string).collect())
                ),
            },
            list(pools.iter().map(|pool| pool.base.to_string()).collect())
        );
        let finding = network::POOL_OVERLAP.noted(cause);
        self.findings.push(finding.with_severity(Severity::Note));
        self.flags.extend(
            pools
                .iter()
                .map(|pool| format!("--default-address-pool={pool}").into()),
        );
    }

    /// Adds the mirrors and insecure registries of variables.
    pub fn complete_registries(
        &mut self,
        wanted: &RegistryOptions,
        argv: &[OsString],
        configuration: &Configuration,
    ) {
        let completion = registry_options::complete(wanted, argv, configuration);
        let mut done: Vec<_> = completion
            .flags
            .iter()
            .map(|flag| flag.to_string_lossy().into_owned())
            .collect();
        if completion.configuration.is_some() {
            done.push("a copy of daemon.json whose lists are completed".into());
        }
        if !done.is_empty() {
            let cause = format!("dockerd gets {}.", done.join(", "));
            self.findings.push(daemon::CONFIGURED.noted(cause));
        }
        self.flags.extend(completion.flags);
        self.configuration = completion.configuration;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dockerd::configuration::Configuration, facts::network::Mtu};

    fn network(bytes: u32) -> Network {
        Network {
            mtu: Some(Mtu {
                interface: "eth0".into(),
                bytes,
            }),
            ..Network::default()
        }
    }

    fn options(arguments: &str, daemon_json: &str) -> Options {
        let argv: Vec<_> = arguments.split_whitespace().map(Into::into).collect();
        Options::new(&argv, &Configuration::parse(daemon_json), &|_| None, true)
    }

    fn passed(
        wish: MtuWish,
        bytes: u32,
        arguments: &str,
        daemon_json: &str,
        knows: bool,
    ) -> (String, Option<Severity>) {
        let (options, facts) = (options(arguments, daemon_json), network(bytes));
        let mut adjustments = Adjustments::default();
        if let Some(mtu) = mtu(wish, &options, &facts) {
            adjustments.pass_mtu(mtu, &options, &facts, knows);
        }
        let flags: Vec<_> = adjustments
            .flags
            .iter()
            .map(|f| f.to_str().unwrap())
            .collect();
        (
            flags.join(" "),
            adjustments.findings.first().map(|f| f.severity),
        )
    }

    const BOTH: &str = "--mtu=1400 --default-network-opt=bridge=com.docker.network.driver.mtu=1400";

    #[test]
    fn a_smaller_mtu_is_passed_on_to_every_network_where_dockerd_can() {
        let note = Some(Severity::Note);
        let warning = Some(Severity::Warning);
        let auto = |bytes, knows| passed(MtuWish::Auto, bytes, "", "", knows);
        assert_eq!(auto(1400, true), (BOTH.into(), note));
        assert_eq!(auto(1400, false), ("--mtu=1400".into(), warning));
        for usual in [1500, 9000, 60] {
            assert_eq!(auto(usual, true), (String::new(), None), "{usual}");
        }
        assert_eq!(
            mtu(MtuWish::Auto, &options("", ""), &Network::default()),
            None
        );
    }

    #[test]
    fn what_the_user_said_is_never_said_again() {
        for wish in [MtuWish::Auto, MtuWish::Bytes(1200)] {
            assert_eq!(passed(wish, 1400, "--mtu 1500", "", true).0, "");
        }
        for (arguments, json) in [
            (
                "--default-network-opt=bridge=com.docker.network.driver.mtu=1300",
                "",
            ),
            ("", r#"{"default-network-opts": {"bridge": {}}}"#),
        ] {
            let (flags, severity) = passed(MtuWish::Auto, 1400, arguments, json, true);
            assert_eq!(
                (flags.as_str(), severity),
                ("--mtu=1400", Some(Severity::Warning))
            );
        }
    }

    /// `--mtu` alone is what all guides say, and leaves compose's networks at 1500.
    #[test]
    fn the_user_s_own_mtu_is_completed_for_networks_that_a_job_makes() {
        for (arguments, json) in [("--mtu=1300", ""), ("", r#"{"mtu": 1300}"#)] {
            let option = "--default-network-opt=bridge=com.docker.network.driver.mtu=1300";
            for wish in [MtuWish::Auto, MtuWish::Bytes(1200)] {
                let completed = passed(wish, 1400, arguments, json, true);
                assert_eq!(completed, (option.into(), Some(Severity::Note)));
            }
            let warned = passed(MtuWish::Auto, 1400, arguments, json, false);
            assert_eq!(warned, (String::new(), Some(Severity::Warning)));
            let off = passed(MtuWish::Off, 1400, arguments, json, true);
            assert_eq!(off, (String::new(), None));
        }
        let both = "--mtu=1300 --default-network-opt=bridge=a=b";
        assert_eq!(passed(MtuWish::Auto, 1400, both, "", true).0, "");
    }

    #[test]
    fn dind_mtu_decides_or_leaves_it_alone() {
        assert_eq!(
            passed(MtuWish::Off, 1400, "", "", true),
            (String::new(), None)
        );
        assert_eq!(passed(MtuWish::Bytes(1400), 1500, "", "", true).0, BOTH);
    }
}
