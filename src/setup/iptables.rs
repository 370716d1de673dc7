//! Which iptables dockerd gets: nftables or legacy, in the official order.

use std::{
    env,
    ffi::OsString,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    process::Stdio,
};

use crate::{
    dockerd::launch,
    facts::nftables,
    reasons::{Finding, daemon},
    system::child,
};

/// Where the official image keeps links to the legacy programs under their plain names.
const LEGACY_DIRECTORY: &str = "/usr/local/sbin/.iptables-legacy";

/// Tables that the legacy interface has in this network namespace; they exist only once used.
const LEGACY_TABLES: [&str; 3] = [
    "/proc/net/ip_tables_names",
    "/proc/net/ip6_tables_names",
    "/proc/net/arp_tables_names",
];

const NFTABLES_WORKS: &str = "nftables works";

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

    /// Whether it is nftables if that works: nobody asked for either, and nobody made a table of
    /// either that listing could stumble over (`iptables -nL` fails at what only `nft` makes).
    /// Whoever finds by other means that it works need not choose.
    pub fn is_nftables_if_it_works(wish: Option<&str>) -> bool {
        wish.is_none() && !legacy_is_in_use() && nftables::has_filter() == Some(false)
    }

    pub fn nftables() -> Self {
        Self {
            legacy: false,
            why: NFTABLES_WORKS,
        }
    }

    /// What there is to choose where iptables does not even answer.
    pub fn unanswered() -> Self {
        Self {
            legacy: false,
            why: "iptables does not answer",
        }
    }

    /// Whether dockerd will find any iptables at all.
    pub fn is_installed(&self) -> bool {
        self.program().is_some()
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
        version_of(&self.program().unwrap_or_else(|| "iptables".into()))
    }

    fn program(&self) -> Option<PathBuf> {
        let path = self.path().or_else(|| env::var_os("PATH"));
        launch::program("iptables".as_ref(), &path.unwrap_or_default())
    }
}

/// By its words and not by its exit status, which goes to whoever reaps all children.
fn version_of(program: &Path) -> Result<String, Finding> {
    let failed = |error: io::Error| daemon::iptables(&error.to_string());
    let (said, complained) = ask_for_version(program).map_err(failed)?;
    match said.trim() {
        "" => {
            let last_line = complained.trim().lines().last();
            Err(daemon::iptables(last_line.unwrap_or_default()))
        }
        version => Ok(version.to_owned()),
    }
}

/// What it writes on stdout and on stderr. Not waited for: the service reaps all its children.
fn ask_for_version(program: &Path) -> io::Result<(String, String)> {
    let mut child = child::program(program)
        .arg("--version")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    Ok((read(child.stdout.take())?, read(child.stderr.take())?))
}

fn read(source: Option<impl Read>) -> io::Result<String> {
    let mut words = Vec::new();
    source.map_or(Ok(0), |mut source| source.read_to_end(&mut words))?;
    Ok(String::from_utf8_lossy(&words).into_owned())
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
        return (false, NFTABLES_WORKS);
    }
    load(&["nf_tables"]);
    if lists(plain) {
        return (false, NFTABLES_WORKS);
    }
    load(&["ip_tables", "ip6_tables"]);
    if lists(&Path::new(LEGACY_DIRECTORY).join("iptables")) {
        return (true, "nftables does not work here, legacy does");
    }
    (false, "neither nftables nor legacy works here")
}

fn lists(program: &Path) -> bool {
    child::program(program)
        .arg("-nL")
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Asks the kernel for modules; most containers cannot, and need not.
fn load(modules: &[&str]) {
    for module in modules {
        let _ = child::program("modprobe").arg(module).output();
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    use tempfile::tempdir;

    use super::*;

    #[test]
    fn a_program_is_known_by_its_words() {
        let said = |script: &str| {
            let directory = tempdir().unwrap();
            let program = directory.path().join("iptables");
            fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
            version_of(&program)
        };
        let version = said("echo \"iptables $1\"; exit 1").unwrap();
        assert_eq!(version, "iptables --version");
        let finding = said("echo one >&2; echo two >&2").unwrap_err();
        assert_eq!(finding, daemon::iptables("two"));
    }

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
