//! What the user asked of dockerd, by flag or by daemon.json, as far as it changes what this
//! container must be able to do.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    configuration::Configuration,
    pools::{self, Pool},
};
use crate::settings::{Environment, non_empty};

/// dockerd's own default (moby `daemon/config`).
const DEFAULT_MTU: u32 = 1500;

/// The options that preflight must know.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Options {
    /// Else dockerd runs inside of rootlesskit's namespaces.
    pub is_root: bool,
    /// `--data-root`, `-g`.
    pub data_root: PathBuf,
    pub mtu: u32,
    /// `--mtu`, or daemon.json's.
    pub mtu_is_given: bool,
    /// `--default-network-opt`, or daemon.json's `default-network-opts`.
    pub network_options_are_given: bool,
    /// `--dns` is given.
    pub dns: bool,
    /// The default network gets IPv6, too.
    pub ipv6: bool,
    /// The user chose addresses: `--bip`, `--fixed-cidr`, `--default-address-pool`.
    pub addresses: bool,
    /// False for `--iptables=false`, and where dockerd speaks nftables itself.
    pub iptables: bool,
    /// `--firewall-backend=nftables` (Docker 29 and newer).
    pub nftables: bool,
    /// False for `--bridge=none`.
    pub default_bridge: bool,
    /// False for `--ip-forward=false`.
    pub ip_forward: bool,
    /// `--storage-driver`, `-s`, or `DOCKER_DRIVER`, which overrides both (moby#46254).
    pub storage_driver: Option<String>,
    /// It is `DOCKER_DRIVER` that says so.
    pub driver_is_docker_driver: bool,
    /// `features` say that images are containerd's, or are to become so.
    pub containerd_images: bool,
    /// `features` say that images are not containerd's, which Docker 29 has by default.
    pub graph_drivers: bool,
    /// `native.cgroupdriver` of `--exec-opt`, or daemon.json's.
    pub cgroup_driver: Option<String>,
    /// `--containerd`: it is not dockerd that starts it.
    pub has_containerd: bool,
    /// `DOCKER_MIN_API_VERSION`, or daemon.json's (Docker 25 and newer).
    pub oldest_api: Option<String>,
    /// `--registry-mirror` and `--insecure-registry`, as they were given.
    pub registries: Vec<RegistryValue>,
    /// `--default-address-pool`, or daemon.json's; `None` for dockerd's own, and where they cannot
    /// be read, which dockerd says itself.
    pub pools: Option<Vec<Pool>>,
    /// The default bridge gets an address of dockerd's choice.
    pub chooses_bridge_address: bool,
}

/// A value of one of the options about registries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RegistryValue {
    /// `registry-mirror` or `insecure-registry`.
    pub flag: &'static str,
    pub value: String,
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    Flag,
    /// daemon.json.
    File,
    /// `DIND_REGISTRY_MIRRORS`, or the component's input; it becomes a flag.
    Variable,
}

impl Options {
    /// From dockerd's command line, and the daemon.json that it names.
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
        let features = |names: &[&str], wanted: bool| {
            let by_flag = flags(argv, "feature", None);
            names.iter().any(|name| {
                let of_the_file = configuration.value("features").map(|f| &f[*name]);
                let flag = format!("{name}={wanted}");
                of_the_file == Some(&wanted.into()) || by_flag.contains(&flag)
            })
        };
        let variable = non_empty(environment, "DOCKER_DRIVER");
        let home = || non_empty(environment, "HOME").unwrap_or_else(|| "/".into());
        let default_root = || match is_root {
            true => "/var/lib/docker".into(),
            false => Path::new(&home()).join(".local/share/docker"),
        };
        Self {
            is_root,
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
            ipv6: argv.iter().any(|word| word == "--ipv6")
                || text("ipv6", None).is_some_and(|value| value != "false"),
            addresses: is_set("bip", "bip")
                || is_set("fixed-cidr", "fixed-cidr")
                || is_set("default-address-pool", "default-address-pools")
                || text("bridge", Some('b')).is_some(),
            iptables: text("iptables", None).is_none_or(|value| value != "false")
                && text("firewall-backend", None).is_none_or(|value| value != "nftables"),
            default_bridge: text("bridge", Some('b')).is_none_or(|value| value != "none"),
            ip_forward: text("ip-forward", None).is_none_or(|value| value != "false"),
            nftables: text("firewall-backend", None).as_deref() == Some("nftables"),
            driver_is_docker_driver: variable.is_some(),
            storage_driver: variable.or_else(|| text("storage-driver", Some('s'))),
            containerd_images: features(&["containerd-snapshotter", "containerd-migration"], true),
            graph_drivers: features(&["containerd-snapshotter"], false),
            cgroup_driver: cgroup_driver(argv, configuration),
            has_containerd: is_set("containerd", "containerd"),
            oldest_api: non_empty(environment, "DOCKER_MIN_API_VERSION")
                .or_else(|| text("min-api-version", None)),
            registries: registries(argv, configuration),
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

fn cgroup_driver(argv: &[OsString], configuration: &Configuration) -> Option<String> {
    let mut options = flags(argv, "exec-opt", None);
    options.extend(strings(configuration, "exec-opts"));
    let driver = |option: &String| {
        option
            .strip_prefix("native.cgroupdriver=")
            .map(str::to_owned)
    };
    options.iter().filter_map(driver).next_back()
}

fn registries(argv: &[OsString], configuration: &Configuration) -> Vec<RegistryValue> {
    let mut values = Vec::new();
    for (flag, key) in [
        ("registry-mirror", "registry-mirrors"),
        ("insecure-registry", "insecure-registries"),
    ] {
        let given = flags(argv, flag, None).into_iter();
        let of_the_file = strings(configuration, key).into_iter();
        let all = given
            .map(|value| (value, Origin::Flag))
            .chain(of_the_file.map(|value| (value, Origin::File)));
        values.extend(all.map(|(value, origin)| RegistryValue {
            flag,
            value,
            origin,
        }));
    }
    values
}

/// The strings of a list in daemon.json.
fn strings(configuration: &Configuration, key: &str) -> Vec<String> {
    let list = configuration.value(key).and_then(Value::as_array);
    let strings = list.into_iter().flatten().filter_map(Value::as_str);
    strings.map(str::to_owned).collect()
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
        assert!(!defaults.dns && !defaults.ipv6 && !defaults.addresses);
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
        assert!(options("--ipv6", "").ipv6 && options("", r#"{"ipv6": true}"#).ipv6);
        assert!(!options("--ipv6=false", "").ipv6);
    }

    #[test]
    fn features_and_engine_options_are_read_from_both_places() {
        let of = |arguments: &str, json: &str| options(arguments, json);
        let systemd = r#"{"exec-opts": ["native.cgroupdriver=systemd"]}"#;
        assert_eq!(of("", systemd).cgroup_driver.as_deref(), Some("systemd"));
        let flag = of("--exec-opt native.cgroupdriver=cgroupfs", "");
        assert_eq!(flag.cgroup_driver.as_deref(), Some("cgroupfs"));
        assert_eq!(of("", "").cgroup_driver, None);
        let off = r#"{"features": {"containerd-snapshotter": false}}"#;
        assert!(of("", off).graph_drivers && !of("", off).containerd_images);
        let on = of("--feature containerd-snapshotter=true", "");
        assert!(on.containerd_images && !on.graph_drivers);
        assert!(of("--firewall-backend=nftables", "").nftables);
        assert!(of("--containerd=/c.sock", "").has_containerd && !of("", "").has_containerd);
    }

    #[test]
    fn values_about_registries_are_read_from_both_places() {
        let read = options(
            "--insecure-registry= --registry-mirror https://m",
            r#"{"insecure-registries": ["r:5000"]}"#,
        );
        let read: Vec<_> = read
            .registries
            .iter()
            .map(|value| (value.flag, value.value.as_str(), value.origin))
            .collect();
        let expected = [
            ("registry-mirror", "https://m", Origin::Flag),
            ("insecure-registry", "", Origin::Flag),
            ("insecure-registry", "r:5000", Origin::File),
        ];
        assert_eq!(read, expected);
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
