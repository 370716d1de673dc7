//! Read-only volumes: what they are, what lies there, and what to write into config.toml.

use std::path::{Path, PathBuf};

use super::refusals::{KUBERNETES_NAMES, empty_dir, is_lone_ca, kubernetes_names, list, sibling};
use crate::{
    facts::{
        certificates::{CA_CERTIFICATES, CERTIFICATE, Directory, KEY, Presence},
        mounts::VolumeKind,
    },
    pki::origin::ForeignFile,
    reasons::{Finding, certs},
    settings::registry::DEFAULT_DIRECTORY as REGISTRY_CA,
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
        return certs::NAMING.found(cause, renaming_fix(directory, &names));
    }
    certs::READONLY.found(cause, read_only_fix(directory, foreign))
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

fn read_only_fix(directory: &Directory, foreign: &[ForeignFile]) -> String {
    let lines = empty_dir(&volume_to_mount(directory));
    let Some(volume) = config_toml_volume(directory.volume) else {
        return format!(
            "mount it writable, or mount a writable volume there (Kubernetes executor, \
             config.toml):\n{lines}"
        );
    };
    if is_lone_ca(directory, foreign) {
        return format!(
            "in the runner's config.toml, move that {} to {REGISTRY_CA}, where its {} is trusted for every \
             registry, and mount an empty volume here:\n{lines}\n[[runners.kubernetes.volumes.{volume}]]\n  name = \"…\"\n  \
             mount_path = \"{REGISTRY_CA}\"\n  read_only = true",
            volume_noun(directory.volume),
            directory.names.first().map_or("file", String::as_str)
        );
    }
    format!(
        "to use your own certificates, mount the server's {CA_CERTIFICATES}, {CERTIFICATE} and \
         {KEY} at {} as well.\nTo have them made, mount an empty volume here instead \
         (config.toml):\n{lines}",
        sibling(directory, "server")
    )
}

fn renaming_fix(directory: &Directory, names: &[&str]) -> String {
    let volume = config_toml_volume(directory.volume).unwrap_or("secret");
    let items: Vec<_> = KUBERNETES_NAMES
        .iter()
        .filter(|(theirs, _)| names.contains(theirs))
        .map(|(theirs, dockers)| format!("    \"{theirs}\" = \"{dockers}\""))
        .collect();
    format!(
        "in the runner's config.toml, rename the files, and mount the server's set at {} too:\n\
         [[runners.kubernetes.volumes.{volume}]]\n  name = \"…\"\n  mount_path = \"{}\"\n  \
         read_only = true\n  [runners.kubernetes.volumes.{volume}.items]\n{}",
        sibling(directory, "server"),
        directory.path.display(),
        items.join("\n")
    )
}

/// The place of what is read-only: `server/` is below it too, unless only `client/` is mounted.
fn volume_to_mount(directory: &Directory) -> PathBuf {
    match (&directory.mount, directory.path.parent()) {
        (Some(mount), Some(parent)) if mount.point == Path::new("/") => parent.to_owned(),
        (Some(mount), _) if directory.path.starts_with(&mount.point) => mount.point.clone(),
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
