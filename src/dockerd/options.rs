//! What the user asked of dockerd, by flag or by daemon.json, as far as it changes what this
//! container must be able to do.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    configuration::{self, Configuration},
    pools::{self, Pool},
};
use crate::settings::{Environment, non_empty};

/// dockerd's own default (moby `daemon/config`).
const DEFAULT_MTU: u32 = 1500;

/// The options that preflight must know.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Options {
    /// `--data-root`, `-g`.
    pub data_root: PathBuf,
    pub mtu: u32,
    /// `--mtu`, or daemon.json's.
    pub mtu_is_given: bool,
    /// `--default-network-opt`, or daemon.json's `default-network-opts`.
    pub network_options_are_given: bool,
    /// `--dns` is given.
    pub dns: bool,
    /// The user chose addresses: `--bip`, `--fixed-cidr`, `--default-address-pool`.
    pub addresses: bool,
    /// False for `--iptables=false`, and where dockerd speaks nftables itself (Docker 29).
    pub iptables: bool,
    /// False for `--bridge=none`.
    pub default_bridge: bool,
    /// False for `--ip-forward=false`.
    pub ip_forward: bool,
    /// `--storage-driver`, `-s`, or `DOCKER_DRIVER`, which overrides both (moby#46254).
    pub storage_driver: Option<String>,
    /// It is `DOCKER_DRIVER` that says so.
    pub driver_is_docker_driver: bool,
    /// daemon.json's `features` say that images are containerd's, or are to become so.
    pub containerd_images: bool,
    /// `--default-address-pool`, or daemon.json's; `None` for dockerd's own, and where they cannot
    /// be read, which dockerd says itself.
    pub pools: Option<Vec<Pool>>,
    /// The default bridge gets an address of dockerd's choice.
    pub chooses_bridge_address: bool,
}

impl Options {
    /// From dockerd's command line, and the daemon.json that it names.
    pub fn read(argv: &[OsString], environment: Environment<'_>, is_root: bool) -> Self {
        let configuration = Configuration::read(&configuration_path(argv));
        Self::new(argv, &configuration, environment, is_root)
    }

    pub fn new(
        argv: &[OsString],
        configuration: &Configuration,
        environment: Environment<'_>,
        is_root: bool,
    ) -> Self {
        let text = |name: &str, short| {
            flag(argv, name, short).or_else(|| match configuration.value(name)? {
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            })
        };
        let is_set = |flag_name: &str, key: &str| {
            flag(argv, flag_name, None).is_some() || configuration.value(key).is_some()
        };
        let home = || non_empty(environment, "HOME").unwrap_or_else(|| "/".into());
        let default_root = || match is_root {
            true => "/var/lib/docker".into(),
            false => Path::new(&home()).join(".local/share/docker"),
        };
        Self {
            data_root: text("data-root", Some('g'))
                .or_else(|| text("graph", None))
                .map_or_else(default_root, PathBuf::from),
            // dockerd takes 0 for its default, and complains of what is no number.
            mtu: text("mtu", None)
                .and_then(|mtu| mtu.parse().ok())
                .filter(|mtu| *mtu > 0)
                .unwrap_or(DEFAULT_MTU),
            mtu_is_given: is_set("mtu", "mtu"),
            network_options_are_given: is_set("default-network-opt", "default-network-opts"),
            dns: is_set("dns", "dns"),
            addresses: is_set("bip", "bip")
                || is_set("fixed-cidr", "fixed-cidr")
                || is_set("default-address-pool", "default-address-pools")
                || text("bridge", Some('b')).is_some(),
            iptables: text("iptables", None).is_none_or(|value| value != "false")
                && text("firewall-backend", None).is_none_or(|value| value != "nftables"),
            default_bridge: text("bridge", Some('b')).is_none_or(|value| value != "none"),
            ip_forward: text("ip-forward", None).is_none_or(|value| value != "false"),
            driver_is_docker_driver: non_empty(environment, "DOCKER_DRIVER").is_some(),
            storage_driver: non_empty(environment, "DOCKER_DRIVER")
                .or_else(|| text("storage-driver", Some('s'))),
            containerd_images: ["containerd-snapshotter", "containerd-migration"]
                .iter()
                .any(|name| {
                    configuration.value("features").map(|f| &f[*name]) == Some(&true.into())
                }),
            pools: pools::given(argv, configuration),
            chooses_bridge_address: text("bridge", Some('b')).is_none()
                && !is_set("bip", "bip")
                && !is_set("fixed-cidr", "fixed-cidr"),
        }
    }

    /// Whether dockerd makes overlay mounts, by itself or as it was told.
    pub fn wants_overlay(&self) -> bool {
        matches!(
            self.storage_driver.as_deref(),
            None | Some("overlay2" | "overlayfs")
        )
    }
}

/// The daemon.json that dockerd is going to read.
pub fn configuration_path(argv: &[OsString]) -> PathBuf {
    flag(argv, "config-file", None)
        .map_or_else(|| configuration::DEFAULT_PATH.into(), PathBuf::from)
}

/// The value of a flag, in every spelling that dockerd takes (spf13/pflag); the last one counts.
fn flag(argv: &[OsString], long: &str, short: Option<char>) -> Option<String> {
    flags(argv, long, short).pop()
}

/// The values of a flag that may be given several times.
pub fn flags(argv: &[OsString], long: &str, short: Option<char>) -> Vec<String> {
    let mut values = Vec::new();
    let mut words = argv.iter().map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        let rest = match (word.strip_prefix("--"), word.strip_prefix('-')) {
            (Some(name), _) => name.strip_prefix(long),
            (None, Some(name)) => short.and_then(|short| name.strip_prefix(short)),
            (None, None) => None,
        };
        let is_long = word.starts_with("--");
        match rest {
            Some("") => values.extend(words.next().map(|next| next.into_owned())),
            Some(rest) => match rest.strip_prefix('=') {
                Some(inline) => values.push(inline.to_owned()),
                None if !is_long => values.push(rest.to_owned()),
                None => {}
            },
            None => {}
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &str, daemon_json: &str) -> Options {
        let argv: Vec<OsString> = arguments.split_whitespace().map(OsString::from).collect();
        Options::new(&argv, &Configuration::parse(daemon_json), &|_| None, true)
    }

    #[test]
    fn the_data_directory_is_found_in_every_spelling() {
        for arguments in ["--data-root=/d", "--data-root /d", "-g /d", "-g=/d", "-g/d"] {
            let found = options(&format!("dockerd -D {arguments} --mtu=1400"), "");
            assert_eq!(found.data_root, Path::new("/d"), "{arguments}");
            assert_eq!(found.mtu, 1400, "{arguments}");
        }
        let file = options("dockerd", r#"{"data-root": "/f", "mtu": 1300}"#);
        assert_eq!(
            (file.data_root.as_path(), file.mtu),
            (Path::new("/f"), 1300)
        );
    }

    #[test]
    fn without_any_wish_everything_is_dockerd_s_default() {
        let defaults = options("dockerd --host=fd:// --data-rooted=/x --graph-x", "");
        assert_eq!(defaults.data_root, Path::new("/var/lib/docker"));
        assert_eq!(defaults.mtu, 1500);
        assert!(defaults.iptables && defaults.wants_overlay());
        assert!(!defaults.dns && !defaults.addresses);
    }

    #[test]
    fn what_the_user_chose_is_known() {
        let chosen = options(
            "--dns 10.0.0.2 --bip=10.1.0.1/24 --iptables=false -s vfs",
            "",
        );
        assert!(chosen.dns && chosen.addresses && !chosen.iptables);
        assert!(chosen.default_bridge && !options("-b none", "").default_bridge);
        assert!(!options("--firewall-backend=nftables", "").iptables);
        assert!(!chosen.wants_overlay());
        let file = options(
            "dockerd",
            r#"{"dns": ["10.0.0.2"], "default-address-pools": [], "iptables": false}"#,
        );
        assert!(file.dns && file.addresses && !file.iptables);
    }

    #[test]
    fn docker_driver_overrides_the_flag_and_a_user_s_own_directory_is_below_home() {
        let environment = |name: &str| match name {
            "DOCKER_DRIVER" => Some("vfs".to_owned()),
            "HOME" => Some("/home/rootless".to_owned()),
            _ => None,
        };
        let argv = ["-s".into(), "overlay2".into()];
        let options = Options::new(&argv, &Configuration::default(), &environment, false);
        assert_eq!(options.storage_driver.as_deref(), Some("vfs"));
        let expected = "/home/rootless/.local/share/docker";
        assert_eq!(options.data_root, Path::new(expected));
    }
}
