//! What the user asked of dockerd, by flag or by daemon.json, as far as it changes what this
//! container must be able to do.

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::configuration::{self, Configuration};
use crate::facts::network::Subnet;
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
            storage_driver: non_empty(environment, "DOCKER_DRIVER")
                .or_else(|| text("storage-driver", Some('s'))),
            containerd_images: ["containerd-snapshotter", "containerd-migration"]
                .iter()
                .any(|name| {
                    configuration.value("features").map(|f| &f[*name]) == Some(&true.into())
                }),
            pools: pools(argv, configuration),
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

/// A range from which networks get pieces.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pool {
    pub base: Subnet,
    /// The prefix length of a piece.
    pub size: u8,
}

/// All pools that were given and are IPv4.
fn pools(argv: &[OsString], configuration: &Configuration) -> Option<Vec<Pool>> {
    let flags = flags(argv, "default-address-pool", None);
    let pools: Option<Vec<Pool>> = if flags.is_empty() {
        let list = configuration.value("default-address-pools")?.as_array()?;
        let pool = |entry: &Value| {
            let size = entry["size"].as_u64()?.to_string();
            Pool::parse(entry["base"].as_str()?, &size)
        };
        list.iter().map(pool).collect()
    } else {
        flags.iter().map(|text| Pool::parse_flag(text)).collect()
    };
    pools.filter(|pools| !pools.is_empty())
}

/// As dockerd takes it.
impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "base={},size={}", self.base, self.size)
    }
}

impl Pool {
    /// Reads `base=10.0.0.0/8,size=24`.
    fn parse_flag(text: &str) -> Option<Self> {
        let value = |name: &str| {
            let mut fields = text.split(',').filter_map(|field| field.split_once('='));
            fields.find_map(|(key, value)| (key.trim() == name).then(|| value.trim()))
        };
        Self::parse(value("base")?, value("size")?)
    }

    fn parse(base: &str, size: &str) -> Option<Self> {
        let base: Subnet = base.parse().ok()?;
        let size: u8 = size.parse().ok()?;
        (base.prefix..=32)
            .contains(&size)
            .then_some(Self { base, size })
    }

    /// Whether every piece has an address of `taken`, so that none is left.
    pub fn is_used_up(&self, taken: &[Subnet]) -> bool {
        let mut next = u64::from(self.base.first());
        let piece = 1_u64 << (32 - self.size);
        let end = next + self.base.length();
        // Each turn goes behind at least one of `taken`.
        while next < end {
            let from = u32::try_from(next).unwrap_or(u32::MAX);
            let candidate = Subnet::new(from.into(), self.size);
            let Some(other) = taken.iter().find(|other| other.overlaps(&candidate)) else {
                return false;
            };
            let behind = u64::from(other.first()) + other.length();
            next = behind.max(next + piece).next_multiple_of(piece);
        }
        true
    }
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
    fn pools_are_read_from_flags_and_file() {
        let pool = |base: &str, size| Pool {
            base: base.parse().unwrap(),
            size,
        };
        let both = vec![pool("10.1.0.0/16", 24), pool("10.2.0.0/16", 20)];
        let flags = options(
            "--default-address-pool base=10.1.0.0/16,size=24 --default-address-pool=size=20,base=10.2.0.0/16",
            "",
        );
        assert_eq!(flags.pools.as_ref(), Some(&both));
        let json = r#"{"default-address-pools":
            [{"base": "10.1.0.0/16", "size": 24}, {"base": "10.2.0.0/16", "size": 20}]}"#;
        assert_eq!(options("", json).pools, Some(both));
        for unreadable in [
            "base=10.1.0.0/16",
            "base=fd00::/8,size=64",
            "base=10.0.0.0/24,size=16",
        ] {
            let options = options(&format!("--default-address-pool={unreadable}"), "");
            assert_eq!(options.pools, None, "{unreadable}");
        }
        assert_eq!(options("", "").pools, None);
    }

    #[test]
    fn a_pool_is_used_up_when_no_piece_of_it_is_free() {
        let pool = Pool::parse_flag("base=10.213.0.0/24,size=25").unwrap();
        let taken = |list: &[&str]| {
            let subnets: Vec<Subnet> = list.iter().map(|text| text.parse().unwrap()).collect();
            pool.is_used_up(&subnets)
        };
        assert!(taken(&["10.213.0.0/24"]) && taken(&["10.0.0.0/8"]));
        assert!(taken(&["10.213.0.7/32", "10.213.0.200/32"]));
        assert!(!taken(&["10.213.0.7/32"]) && !taken(&["10.213.0.128/25"]));
        assert!(!taken(&[]) && !taken(&["10.214.0.0/16"]));
        let whole = Pool::parse_flag("base=0.0.0.0/0,size=32").unwrap();
        assert!(!whole.is_used_up(&["0.0.0.0/1".parse().unwrap()]));
        assert!(whole.is_used_up(&["0.0.0.0/0".parse().unwrap()]));
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
