//! How what lies in the way of the certificates is moved to where it belongs.

use std::path::Path;

use super::{super::edits, Certificates};
use crate::{
    lint::{
        model::runner::{Executor, Volume, VolumeKind},
        problem::{Edit, Problem, Repair},
        scene::OneRunner,
        source::Located,
    },
    settings::registry::DEFAULT_DIRECTORY as REGISTRY_CA,
};

/// Words in the names of objects that hold more than a CA.
const NAMES_OF_KEYS: &[&str] = &["client", "clients", "key", "keys", "mtls", "server", "tls"];

impl Certificates<'_> {
    /// Where a registry's CA belongs, and what belongs here.
    pub(super) fn moving_fix(&self, volume: &Volume) -> String {
        let file = self.one_runner.source.name();
        let client = self.client.display();
        let target = self.new_target(volume);
        if self.one_runner.runner.executor == Executor::Docker {
            return format!(
                "in {file}, mount a registry's CA at {REGISTRY_CA}, and a volume for the \
                 certificates:\n    volumes = [\"{}:{target}:ro\", \"{client}\"]",
                volume.name
            );
        }
        if !volume.is_made_of_keys() {
            return format!(
                "in {file}, take `read_only = true` out, or mount an empty volume instead:\n{}",
                edits::empty_dir_lines(&self.client)
            );
        }
        let table = match volume.kind {
            VolumeKind::ConfigMap => "config_map",
            VolumeKind::Projected => "projected",
            _ => "secret",
        };
        let sub_path = match &volume.sub_path {
            Some(path) => format!("\n      sub_path = \"{}\"", path.value),
            None => String::new(),
        };
        let mut lines = match self.one_runner.covering(&self.client) {
            Some(other) if other.place != volume.place => String::new(),
            _ => format!("{}\n", edits::empty_dir_lines(&self.client)),
        };
        lines.push_str(&format!(
            "    [[runners.kubernetes.volumes.{table}]]\n      name = \"{}\"\n      \
             mount_path = \"{target}\"{sub_path}",
            volume.name
        ));
        format!(
            "in {file}, move a registry's CA to {REGISTRY_CA}, where it is trusted, and mount an \
             empty volume for the certificates:\n{lines}\nTo use certificates of your own, mount \
             the server's ca.pem, cert.pem and key.pem at {} as well.",
            self.server.display()
        )
    }

    /// As [`Self::moving_fix`] says, where that loses nothing.
    pub(super) fn with_repair(&self, problem: Problem, volume: &Volume) -> Problem {
        match self.moving_edits(volume) {
            Some(edits) => problem.with_repair(Repair {
                file: volume.place.file,
                part: self.one_runner.runner.place.span.start,
                edits,
            }),
            None => problem,
        }
    }

    fn moving_edits(&self, volume: &Volume) -> Option<Vec<Edit>> {
        let OneRunner { runner, source, .. } = self.one_runner;
        let target = self.new_target(volume);
        let mut others = runner.volumes.iter();
        let is_taken = others.any(|other| other.target() == Path::new(&target));
        // A client's key says that this is no registry's CA; so may the object's name.
        let sounds_like_key = |name: &str| {
            let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
            words.any(|word| NAMES_OF_KEYS.contains(&word.to_ascii_lowercase().as_str()))
        };
        let holds_key = |(key, path): &(String, Located<String>)| {
            [key.as_str(), path.value.as_str()]
                .iter()
                .any(|name| name.ends_with("key.pem") || name.ends_with(".key"))
        };
        let is_own_set = volume
            .items
            .as_ref()
            .is_some_and(|it| it.iter().any(holds_key));
        if is_taken || is_own_set || sounds_like_key(&volume.name) || !volume.is_made_of_keys() {
            return None;
        }
        let mut edits = vec![edits::replace_text(
            &volume.mount_path.place,
            &target,
            source,
        )?];
        let stays_covered = self
            .one_runner
            .covering(&self.client)
            .is_some_and(|other| other.place != volume.place);
        if !stays_covered {
            edits.push(edits::empty_dir_before(
                volume,
                &self.client,
                runner,
                source,
            )?);
        }
        Some(edits)
    }

    fn new_target(&self, volume: &Volume) -> String {
        let name = match (&volume.sub_path, volume.is_file()) {
            (Some(path), _) => Path::new(&path.value).file_name(),
            (None, true) => volume.target().file_name(),
            (None, false) => None,
        };
        match name.and_then(|name| name.to_str()) {
            Some(name) => format!("{REGISTRY_CA}/{name}"),
            None => REGISTRY_CA.to_owned(),
        }
    }
}
