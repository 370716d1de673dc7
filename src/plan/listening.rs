//! Where dockerd listens: the socket that is ours, and which of the user's hosts are.

use std::path::{Path, PathBuf};

use super::User;
use crate::dockerd::{
    configuration::Configuration,
    flags::Flags,
    hosts::{port_of, tcp_address, unix_path},
};

/// The group of the unix socket, where its user names one.
pub(super) fn group(flags: &Flags, configuration: &Configuration) -> Option<String> {
    let of_flags = flags.group.clone();
    of_flags.or_else(|| configuration.group().map(str::to_owned))
}

pub(super) fn socket_path(docker_host: &str, user: &User) -> PathBuf {
    match docker_host.strip_prefix("unix://") {
        Some(path) if !path.is_empty() => path.into(),
        _ if user.is_root => "/var/run/docker.sock".into(),
        _ => user.runtime_directory.join("docker.sock"),
    }
}

/// Whether a host of the user is one that dockerd is given anyway.
///
/// Our port is bound on every address, so a host that names a single one would collide with it.
pub(super) fn is_ours(host: &str, port: u16, unix: &Path) -> bool {
    if let Some(path) = unix_path(host) {
        return without_var(path) == without_var(unix);
    }
    if host.starts_with("fd://") {
        return true;
    }
    match tcp_address(host) {
        Some(address) => port_of(address).is_none_or(|number| number == Some(port)),
        None => false,
    }
}

/// `/var/run` is `/run` in every image.
fn without_var(path: &Path) -> PathBuf {
    path.strip_prefix("/var/run")
        .map_or_else(|_| path.to_owned(), |rest| Path::new("/run").join(rest))
}
