//! What `[runners.docker]` says.

use super::located_values;
use crate::lint::{
    model::runner::{Runner, Volume, VolumeKind},
    runner::{
        keys,
        table::{Reader, Table},
    },
    source::{Located, Place},
};

pub fn read(reader: &mut Reader<'_>, section: Table<'_>, runner: &mut Runner) {
    reader.look_for_slips(section, keys::DOCKER);
    runner.services_privileged = reader.boolean(section, "services_privileged");
    runner.has_security_options = section.get("services_security_opt").is_some();
    runner.has_other_network = section.get("network_mode").is_some();
    let runtime = reader.string(section, "runtime");
    runner.has_other_runtime =
        runtime.is_some_and(|runtime| !["", "runc"].contains(&runtime.value.as_str()));
    let allowed = reader.strings(section, "allowed_privileged_services");
    runner.allowed_privileged_services = allowed.map(located_values);
    if let Some(volumes) = reader.strings(section, "volumes") {
        runner.volumes = volumes.value.into_iter().map(docker_volume).collect();
        runner.volume_list = Some(volumes.place);
    }
}

/// `/path`, `/host:/path`, `name:/path`, each with `:mode` or without.
fn docker_volume(entry: Located<String>) -> Volume {
    let text = &entry.value;
    // A colon that is a part of a path is Docker's error, and told apart by the rules.
    let (source, rest) = match text.split_once(':') {
        Some((path, mode)) if path.starts_with('/') && is_mode(mode) => ("", text.as_str()),
        Some((source, rest)) => (source, rest),
        None => ("", text.as_str()),
    };
    let (path, mode) = match rest.rsplit_once(':') {
        Some((path, mode)) if is_mode(mode) => (path, mode),
        _ => (rest, ""),
    };
    let kind = match source {
        "" => VolumeKind::Cache,
        source if source.starts_with(['/', '.', '~']) => VolumeKind::HostPath,
        _ => VolumeKind::Named,
    };
    // Escapes would move it, so the whole entry is shown where there are any.
    let file = entry.place.file;
    let span = &entry.place.span;
    let is_as_written = span.len() == text.len() + 2;
    let place_of = |part: &str| {
        let offset = part.as_ptr() as usize - text.as_ptr() as usize;
        let start = span.start + 1 + offset;
        Place::new(file, start..start + part.len())
    };
    let place = |part: &str| match is_as_written {
        true => place_of(part),
        false => entry.place.clone(),
    };
    Volume {
        kind,
        name: source.to_owned(),
        mount_path: Located {
            value: path.to_owned(),
            place: place(path),
        },
        sub_path: None,
        read_only: mode
            .split(',')
            .any(|mode| mode == "ro")
            .then(|| place(mode)),
        items: None,
        place: entry.place.clone(),
        has_header: false,
    }
}

/// Not the rest of a path, and no port.
fn is_mode(text: &str) -> bool {
    !text.contains(['/', ':']) && !text.bytes().all(|byte| byte.is_ascii_digit())
}
