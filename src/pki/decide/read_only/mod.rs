//! Read-only volumes: what they are, what lies there, and what to write into config.toml.

use std::path::PathBuf;

use super::refusals::{KUBERNETES_NAMES, is_lone_ca, kubernetes_names, list, server_beside};
use crate::{
    facts::{
        certificates::{Directory, Presence},
        mounts::VolumeKind,
    },
    pki::origin::ForeignFile,
    reasons::{Finding, certs, hole::Hole},
};

/// Refuses a directory that is read-only and holds nothing that can be used.
pub(super) fn read_only(directory: &Directory, foreign: &[ForeignFile]) -> Finding {
    let names = kubernetes_names(directory);
    let cause = format!(
        "{} {}. {}.",
        directory.path.display(),
        whereabouts(directory),
        contents(directory, foreign)
    );
    if names.iter().any(|name| name.starts_with("tls.")) {
        return renaming(directory, &names, cause);
    }
    let volume = volume_to_mount(directory);
    let at = (Hole::Directory, volume.display().to_string());
    match directory.volume {
        _ if config_toml_volume(directory.volume).is_some() => {
            if is_lone_ca(directory, foreign) {
                let file = directory.names.first().map_or("file", String::as_str);
                let noun = (Hole::Volume, volume_noun(directory.volume).to_owned());
                let file = (Hole::File, file.to_owned());
                certs::READONLY.advised(cause, certs::READONLY_LONE_CA, [at, noun, file])
            } else {
                let server = server_beside(directory);
                certs::READONLY.advised(cause, certs::READONLY_VOLUME, [at, server])
            }
        }
        VolumeKind::RootFileSystem => certs::READONLY.advised(cause, certs::READONLY_ROOT, []),
        _ => certs::READONLY.met_with(cause, [at]),
    }
}

/// `is a read-only Secret volume`, with what tells it from others.
fn whereabouts(directory: &Directory) -> String {
    let verb = match directory.presence {
        Presence::Missing => "is missing, and would lie on",
        _ => "is",
    };
    let Some(mount) = &directory.mount else {
        return format!("{verb} a read-only file system");
    };
    match directory.volume {
        VolumeKind::RootFileSystem if directory.presence == Presence::Missing => {
            format!("{verb} the container's own file system, which is read-only")
        }
        VolumeKind::RootFileSystem => {
            "lies on the container's own file system, which is read-only".into()
        }
        VolumeKind::Other => format!(
            "{verb} a read-only volume ({} of {}, mounted at {})",
            mount.root.display(),
            mount.source,
            mount.point.display()
        ),
        kind if mount.point == directory.path => format!("{verb} a read-only {kind}"),
        kind => format!(
            "{verb} a read-only {kind} (mounted at {})",
            mount.point.display()
        ),
    }
}

fn contents(directory: &Directory, foreign: &[ForeignFile]) -> String {
    let others: Vec<_> = directory
        .names
        .iter()
        .filter(|name| !foreign.iter().any(|file| file.name == name.as_str()))
        .map(String::as_str)
        .collect();
    match (foreign.is_empty(), others.len()) {
        (true, 0) => "It is empty".into(),
        (true, _) => format!("It holds {}", shortened(&others)),
        (false, 0) => format!("It holds {}", list(foreign)),
        (false, _) => format!("It holds {}; and {}", list(foreign), shortened(&others)),
    }
}

fn renaming(directory: &Directory, names: &[&str], cause: String) -> Finding {
    let volume = config_toml_volume(directory.volume).unwrap_or("secret");
    let items: Vec<_> = KUBERNETES_NAMES
        .iter()
        .filter(|(theirs, _)| names.contains(theirs))
        .map(|(theirs, dockers)| format!("\"{theirs}\" = \"{dockers}\""))
        .collect();
    certs::NAMING.met_with(
        cause,
        [
            (Hole::Directory, directory.path.display().to_string()),
            (Hole::Volume, volume.to_owned()),
            (Hole::Items, items.join(", ")),
            server_beside(directory),
        ],
    )
}

/// The place of what is read-only: `server/` is below it too, unless only `client/` is mounted.
fn volume_to_mount(directory: &Directory) -> PathBuf {
    match &directory.mount {
        Some(mount) if directory.path.starts_with(&mount.point) => mount.point.clone(),
        _ => directory.path.clone(),
    }
}

fn config_toml_volume(kind: VolumeKind) -> Option<&'static str> {
    match kind {
        VolumeKind::Secret | VolumeKind::SecretOrConfigMap => Some("secret"),
        VolumeKind::ConfigMap => Some("config_map"),
        _ => None,
    }
}

fn volume_noun(kind: VolumeKind) -> &'static str {
    match kind {
        VolumeKind::ConfigMap => "ConfigMap",
        VolumeKind::SecretOrConfigMap => "Secret or ConfigMap",
        _ => "Secret",
    }
}

fn shortened(names: &[&str]) -> String {
    match names.len() {
        0..=6 => names.join(", "),
        more => format!("{} and {} more", names[..6].join(", "), more - 6),
    }
}

#[cfg(test)]
mod tests;
