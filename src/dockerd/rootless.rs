//! dockerd without root: rootlesskit in front, as official has it.
//!
//! rootlesskit owns the network, so dockerd opens its sockets itself and the promise is official's.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use nix::unistd::{AccessFlags, access};

use crate::{
    dockerd::configuration,
    reasons::{Finding, privilege, settings},
    settings::{Environment, non_empty},
};

/// What rootlesskit is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rootless {
    net: String,
    mtu: String,
    /// Split at white space only, as official leaves it unquoted.
    flags: Vec<String>,
}

impl Rootless {
    pub fn parse(environment: Environment<'_>) -> Self {
        let value = |name: &str, default: &str| {
            non_empty(environment, name).unwrap_or_else(|| default.to_owned())
        };
        Self {
            net: value("DOCKERD_ROOTLESS_ROOTLESSKIT_NET", "slirp4netns"),
            mtu: value("DOCKERD_ROOTLESS_ROOTLESSKIT_MTU", "1500"),
            flags: value("DOCKERD_ROOTLESS_ROOTLESSKIT_FLAGS", "")
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        }
    }

    /// What makes the network; `None` where further flags may name another.
    fn network_driver(&self) -> Option<&str> {
        let is_renamed = self.flags.iter().any(|flag| flag.starts_with("--net"));
        (!is_renamed).then_some(self.net.as_str())
    }

    /// `dockerd …` behind rootlesskit; `port` is published from its network namespace.
    pub fn wrap(&self, dockerd: Vec<OsString>, port: Option<u16>) -> Vec<OsString> {
        let mut argv: Vec<OsString> = [
            "rootlesskit".to_owned(),
            format!("--net={}", self.net),
            format!("--mtu={}", self.mtu),
            "--disable-host-loopback".into(),
            "--port-driver=builtin".into(),
            "--copy-up=/etc".into(),
            "--copy-up=/run".into(),
        ]
        .map(OsString::from)
        .into();
        if let Some(port) = port {
            argv.push("-p".into());
            argv.push(format!("0.0.0.0:{port}:{port}/tcp").into());
        }
        argv.extend(self.flags.iter().map(OsString::from));
        argv.extend(dockerd);
        argv
    }
}

/// The directory of the socket of a user who is not root.
pub fn runtime_directory(environment: Environment<'_>, uid: u32) -> PathBuf {
    non_empty(environment, "XDG_RUNTIME_DIR")
        .map_or_else(|| format!("/run/user/{uid}").into(), PathBuf::from)
}

/// Official's five checks, and what else rootlesskit needs of this container: everything that is
/// missing.
pub fn check(rootless: &Rootless, uid: u32, user: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let driver = rootless.network_driver();
    let missing = missing_programs(driver, super::launch::found_in_path);
    if !missing.is_empty() {
        findings.push(privilege::no_rootless_programs(&missing, uid));
    }
    if missing.contains(&"rootlesskit") {
        // An image that is made for root: what else it lacks for another user follows from that.
        return findings;
    }
    for file in ["/etc/subuid", "/etc/subgid"] {
        if !has_sub_ids(&fs::read_to_string(file).unwrap_or_default(), uid, user) {
            findings.push(privilege::no_sub_ids(file, user, uid));
        }
    }
    let environment = &crate::settings::process_environment;
    let home = env::var("HOME").unwrap_or_default();
    for directory in [
        runtime_directory(environment, uid),
        Path::new(&home).join(".local/share/docker"),
    ] {
        let writable =
            fs::create_dir_all(&directory).is_ok() && access(&directory, AccessFlags::W_OK).is_ok();
        if !writable {
            findings.push(privilege::not_writable(&directory));
        }
    }
    for file in [
        "/proc/sys/kernel/unprivileged_userns_clone",
        "/proc/sys/user/max_user_namespaces",
    ] {
        if fs::read_to_string(file).is_ok_and(|text| text.trim() == "0") {
            findings.push(privilege::no_user_namespaces(file, "0"));
        }
    }
    if driver.is_some_and(needs_tun)
        && let Err(error) = fs::File::options().read(true).write(true).open(TUN)
    {
        findings.push(privilege::no_tun(TUN, &error));
    }
    findings
}

/// A daemon.json where dockerd looks with root alone, and none where this one looks.
pub fn unread_configuration(
    config_file: Option<&str>,
    own: &Path,
    is_there: impl Fn(&Path) -> bool,
) -> Option<Finding> {
    let roots = Path::new(configuration::DEFAULT_PATH);
    let is_unread = config_file.is_none() && is_there(roots) && !is_there(own);
    is_unread.then(|| {
        settings::UNREAD_FILE.met(format!(
            "{} is there, and dockerd without root looks for {} instead.",
            roots.display(),
            own.display()
        ))
    })
}

/// Opening it makes nothing yet (`Documentation/networking/tuntap.rst`).
const TUN: &str = "/dev/net/tun";

/// Whether a network driver of rootlesskit works through a tap device (its `docs/network.md`).
fn needs_tun(driver: &str) -> bool {
    matches!(
        driver,
        "slirp4netns" | "pasta" | "vpnkit" | "gvisor-tap-vsock"
    )
}

/// What rootlesskit is, and what it starts itself.
fn missing_programs(driver: Option<&str>, is_there: impl Fn(&str) -> bool) -> Vec<&str> {
    let of_driver = driver.filter(|name| matches!(*name, "slirp4netns" | "pasta" | "vpnkit"));
    ["rootlesskit", "newuidmap", "newgidmap"]
        .into_iter()
        .chain(of_driver)
        .filter(|program| !is_there(program))
        .collect()
}

fn has_sub_ids(text: &str, uid: u32, user: &str) -> bool {
    text.lines().any(|line| {
        line.split(':')
            .next()
            .is_some_and(|name| name == user || name == uid.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_json_in_root_s_place_is_told_where_it_is_the_only_one() {
        let own = Path::new("/home/rootless/.config/docker/daemon.json");
        let root_s = Path::new(configuration::DEFAULT_PATH);
        for (there, config_file, is_told) in [
            (&[root_s][..], None, true),
            (&[root_s, own], None, false),
            (&[own], None, false),
            (&[], None, false),
            (&[root_s], Some(configuration::DEFAULT_PATH), false),
        ] {
            let found = unread_configuration(config_file, own, |path| there.contains(&path));
            assert_eq!(found.is_some(), is_told, "{there:?} {config_file:?}");
            let names = |finding: Finding| finding.cause.contains(&own.display().to_string());
            assert!(found.is_none_or(names));
        }
    }

    #[test]
    fn rootlesskit_gets_the_official_flags() {
        let rootless = Rootless::parse(&|name| {
            (name == "DOCKERD_ROOTLESS_ROOTLESSKIT_FLAGS").then(|| "--debug -p 80:80/tcp".into())
        });
        let argv = rootless.wrap(vec!["dockerd".into()], Some(2376));
        let argv: Vec<_> = argv.iter().map(|word| word.to_str().unwrap()).collect();
        assert_eq!(
            argv.join(" "),
            "rootlesskit --net=slirp4netns --mtu=1500 --disable-host-loopback \
             --port-driver=builtin --copy-up=/etc --copy-up=/run -p 0.0.0.0:2376:2376/tcp \
             --debug -p 80:80/tcp dockerd"
        );
    }

    #[test]
    fn what_a_network_driver_needs_is_known() {
        let driver = |net: &'static str, flags: &'static str| {
            let rootless = Rootless::parse(&move |name| {
                Some(match name {
                    "DOCKERD_ROOTLESS_ROOTLESSKIT_NET" => net.to_owned(),
                    "DOCKERD_ROOTLESS_ROOTLESSKIT_FLAGS" => flags.to_owned(),
                    _ => return None,
                })
            });
            rootless.network_driver().map(str::to_owned)
        };
        assert_eq!(driver("", "").as_deref(), Some("slirp4netns"));
        assert_eq!(driver("", "--net=host"), None);
        assert!(needs_tun("slirp4netns") && needs_tun("pasta"));
        assert!(!needs_tun("host") && !needs_tun("lxc-user-nic"));

        let all = |_: &str| true;
        assert_eq!(missing_programs(Some("slirp4netns"), all), [""; 0]);
        let none = |_: &str| false;
        let expected = ["rootlesskit", "newuidmap", "newgidmap", "pasta"];
        assert_eq!(missing_programs(Some("pasta"), none), expected);
        assert_eq!(missing_programs(Some("host"), none), expected[..3]);
        assert_eq!(missing_programs(None, none), expected[..3]);
    }

    #[test]
    fn sub_ids_are_found_by_name_or_number() {
        assert!(has_sub_ids("rootless:100000:65536", 1000, "rootless"));
        assert!(has_sub_ids("1000:100000:65536", 1000, "rootless"));
        assert!(!has_sub_ids("rootless2:100000:65536", 1000, "rootless"));
    }
}
