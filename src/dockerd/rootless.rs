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
    reasons::{Finding, privilege},
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

/// Official's five checks.
pub fn check(uid: u32, user: &str) -> Result<(), Finding> {
    if !super::launch::found_in_path("rootlesskit") {
        return Err(privilege::ROOTLESS_KIT.met("no rootlesskit is in the PATH."));
    }
    for file in ["/etc/subuid", "/etc/subgid"] {
        if !has_sub_ids(&fs::read_to_string(file).unwrap_or_default(), uid, user) {
            return Err(privilege::no_sub_ids(file, user, uid));
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
            return Err(privilege::not_writable(&directory));
        }
    }
    for file in [
        "/proc/sys/kernel/unprivileged_userns_clone",
        "/proc/sys/user/max_user_namespaces",
    ] {
        if fs::read_to_string(file).is_ok_and(|text| text.trim() == "0") {
            return Err(privilege::no_user_namespaces(file, "0"));
        }
    }
    Ok(())
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
    fn sub_ids_are_found_by_name_or_number() {
        assert!(has_sub_ids("rootless:100000:65536", 1000, "rootless"));
        assert!(has_sub_ids("1000:100000:65536", 1000, "rootless"));
        assert!(!has_sub_ids("rootless2:100000:65536", 1000, "rootless"));
    }
}
