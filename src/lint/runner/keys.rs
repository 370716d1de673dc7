//! The keys that lint reads, and what is almost one of them.
//!
//! A key that is like none is no concern of lint's: the runner gets new ones with each version.

use super::table::{Reader, Table};
use crate::lint::model::runner::MisspeltKey;

/// Of `[[runners]]`.
pub const RUNNER: &[&str] = &[
    "docker",
    "environment",
    "executor",
    "feature_flags",
    "kubernetes",
    "limit",
];

/// Of `[runners.docker]`.
pub const DOCKER: &[&str] = &[
    "allowed_privileged_services",
    "image",
    "network_mode",
    "privileged",
    "runtime",
    "services",
    "services_privileged",
    "services_security_opt",
    "volumes",
];

/// Of `[runners.kubernetes]`.
pub const KUBERNETES: &[&str] = &[
    "image",
    "pod_security_context",
    "pod_spec",
    "privileged",
    "runtime_class_name",
    "service_container_security_context",
    "services",
    "volumes",
];

/// Of `[[runners.….services]]`.
pub const SERVICE: &[&str] = &["alias", "command", "entrypoint", "environment"];

/// Of `[runners.kubernetes.….security_context]`.
pub const SECURITY_CONTEXT: &[&str] = &["privileged", "read_only_root_filesystem", "run_as_user"];

/// Of `[runners.kubernetes.volumes]`.
pub const VOLUMES: &[&str] = &[
    "config_map",
    "empty_dir",
    "host_path",
    "projected",
    "secret",
];

/// Of each of those.
pub const VOLUME: &[&str] = &["host_path", "items", "mount_path", "read_only", "sub_path"];

impl Reader<'_> {
    /// Notes the table's keys that are almost one of these.
    pub fn look_for_slips(&mut self, table: Table<'_>, keys: &[&'static str]) {
        for (written, span) in table.written_keys() {
            if let Some(meant) = meant(written, keys) {
                let misspelt = MisspeltKey {
                    written: written.to_owned(),
                    meant,
                    place: self.place(span),
                };
                self.misspelt.push(misspelt);
            }
        }
    }
}

/// The runner reads keys whatever their case (BurntSushi/toml), but not as Kubernetes writes them.
fn meant(written: &str, keys: &[&'static str]) -> Option<&'static str> {
    let is_read = |key: &&str| key.eq_ignore_ascii_case(written);
    if keys.iter().any(is_read) {
        return None;
    }
    let plain = |name: &str| name.replace(['_', '-'], "").to_ascii_lowercase();
    let distance = |key: &str| match plain(key) == plain(written) {
        true => 0,
        false => strsim::damerau_levenshtein(key, written),
    };
    let near = keys.iter().map(|key| (distance(key), *key));
    let near = near.filter(|(distance, key)| *distance <= typing_errors(key));
    near.min().map(|(_, key)| key)
}

fn typing_errors(key: &str) -> usize {
    match key.len() {
        0..=8 => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_noticed_and_another_key_of_the_runner_s_is_none() {
        for (written, keys, expected) in [
            ("priviledged", KUBERNETES, Some("privileged")),
            ("privilaged", DOCKER, Some("privileged")),
            ("Privileged", DOCKER, None),
            ("service_privileged", DOCKER, Some("services_privileged")),
            ("mountPath", VOLUME, Some("mount_path")),
            ("mount-path", VOLUME, Some("mount_path")),
            ("subPath", VOLUME, Some("sub_path")),
            ("readOnly", VOLUME, Some("read_only")),
            ("emptyDir", VOLUMES, Some("empty_dir")),
            ("secrets", VOLUMES, Some("secret")),
            ("volume", DOCKER, Some("volumes")),
            ("enviroment", RUNNER, Some("environment")),
        ] {
            assert_eq!(meant(written, keys), expected, "{written}");
        }
        // What the runner's documentation has beside them.
        for (others, keys) in [
            (
                "id url token name shell output_limit machine custom cache ssh unhealthy_interval",
                RUNNER,
            ),
            (
                "allowed_images allowed_services allowed_privileged_images volumes_from volume_driver \
              volume_keep security_opt network_mtu isolation user ulimit links host service_cpus \
              services_limit services_devices services_tmpfs pull_policy helper_image",
                DOCKER,
            ),
            (
                "namespace node_selector pod_labels pod_annotations services_limit host priorityclassname \
              build_container_security_context helper_image pull_policy service_account",
                KUBERNETES,
            ),
            (
                "run_as_group run_as_non_root fs_group capabilities proc_mount selinux_type",
                SECURITY_CONTEXT,
            ),
            ("pvc nfs csi ephemeral", VOLUMES),
            (
                "name medium size_limit mount_propagation driver fs_type path server sources",
                VOLUME,
            ),
            ("name variables pull_policy", SERVICE),
        ] {
            for other in others.split_whitespace() {
                assert_eq!(meant(other, keys), None, "{other}");
            }
        }
    }
}
