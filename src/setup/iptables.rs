//! Which iptables dockerd gets: nftables or legacy, in the official order.

use std::{
    env,
    ffi::OsString,
    fs,
    path::Path,
    process::{Command, Output},
};

use crate::{
    dockerd::launch,
    reasons::{Finding, daemon},
};

/// Where the official image keeps links to the legacy programs under their plain names.
const LEGACY_DIRECTORY: &str = "/usr/local/sbin/.iptables-legacy";

/// Tables that the legacy interface has in this network namespace; they exist only once used.
const LEGACY_TABLES: [&str; 3] = [
    "/proc/net/ip_tables_names",
    "/proc/net/ip6_tables_names",
    "/proc/net/arp_tables_names",
];

/// The backend, and how it was told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Backend {
    pub legacy: bool,
    pub why: &'static str,
}

impl Backend {
    /// `wish` is `DOCKER_IPTABLES_LEGACY`: set to something for legacy, set but empty for nftables.
    pub fn choose(wish: Option<&str>) -> Self {
        let (legacy, why) = match wish {
            Some("") => {
                load(&["nf_tables"]);
                (false, "DOCKER_IPTABLES_LEGACY is set and empty")
            }
            Some(_) => {
                load(&["ip_tables", "ip6_tables"]);
                (true, "DOCKER_IPTABLES_LEGACY is set")
            }
            None if legacy_is_in_use() => (true, "legacy rules exist here"),
            None => probe(),
        };
        Self { legacy, why }
    }

    /// Whether dockerd will find any iptables at all.
    pub fn is_installed(&self) -> bool {
        let path = self.path().or_else(|| env::var_os("PATH"));
        launch::program("iptables".as_ref(), &path.unwrap_or_default()).is_some()
    }

    /// `PATH` for dockerd, where it must change.
    pub fn path(&self) -> Option<OsString> {
        let directories = env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(LEGACY_DIRECTORY.into()).chain(env::split_paths(&directories));
        // Fails only for a directory with a colon, which came from PATH and so has none.
        self.legacy.then(|| env::join_paths(all).ok())?
    }

    /// What iptables says of itself, such as `iptables v1.8.11 (nf_tables)`.
    pub fn version(&self) -> Result<String, Finding> {
        let mut command = Command::new("iptables");
        command.arg("--version");
        if let Some(path) = self.path() {
            command.env("PATH", path);
        }
        match command.output() {
            Ok(output) if output.status.success() => {
                Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
            }
            Ok(output) => Err(daemon::iptables(&last_line(&output))),
            Err(error) => Err(daemon::iptables(&error.to_string())),
        }
    }
}

fn legacy_is_in_use() -> bool {
    LEGACY_TABLES
        .iter()
        .any(|table| fs::read_to_string(table).is_ok_and(|names| !names.is_empty()))
}

/// Legacy only where nftables does not work even with its module, and legacy does.
fn probe() -> (bool, &'static str) {
    let plain = Path::new("iptables");
    if lists(plain) {
        return (false, "nftables works");
    }
    load(&["nf_tables"]);
    if lists(plain) {
        return (false, "nftables works");
    }
    load(&["ip_tables", "ip6_tables"]);
    if lists(&Path::new(LEGACY_DIRECTORY).join("iptables")) {
        return (true, "nftables does not work here, legacy does");
    }
    (false, "neither nftables nor legacy works here")
}

fn lists(program: &Path) -> bool {
    Command::new(program)
        .arg("-nL")
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Asks the kernel for modules; most containers cannot, and need not.
fn load(modules: &[&str]) {
    for module in modules {
        let _ = Command::new("modprobe").arg(module).output();
    }
}

fn last_line(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    text.trim().lines().last().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_legacy_changes_the_path_and_comes_first_in_it() {
        let backend = |legacy| Backend { legacy, why: "" };
        assert_eq!(backend(false).path(), None);
        let path = backend(true).path().unwrap();
        assert_eq!(
            env::split_paths(&path).next().unwrap(),
            Path::new(LEGACY_DIRECTORY)
        );
    }
}
