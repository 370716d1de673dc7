//! Whether inner containers can have control groups.

use std::path::Path;

use crate::{
    dockerd::options::Options,
    facts::control_groups::{ControlGroups, ROOT, Version},
    reasons::{Finding, cgroup},
};

/// What keeps inner containers from control groups of their own; without root that is systemd's.
///
/// `namespace` says whether dockerd is to get a cgroup namespace where this container has none.
pub fn findings(groups: &ControlGroups, namespace: bool) -> Vec<Finding> {
    if let Some(missing) = no_devices(groups) {
        return vec![missing];
    }
    let is_mounted_anew = |mount: &&String| {
        let mut anew = groups.wider.iter().map(|tree| tree.point.as_path());
        namespace && anew.any(|point| point == Path::new(mount))
    };
    let read_only = groups
        .read_only
        .as_ref()
        .filter(|mount| !is_mounted_anew(mount));
    let read_only = read_only.map(|mount| {
        cgroup::READONLY.met(format!(
            "{mount} is mounted read-only, and inner containers get their directories there."
        ))
    });
    read_only
        .into_iter()
        .chain(others(groups, namespace))
        .collect()
}

/// runc asks the container's own systemd for control groups then, and there is none
/// (`libcontainer/cgroups/systemd`, which looks for this directory, as sd_booted(3) does).
pub fn systemd_driver(options: &Options, runs_systemd: bool) -> Option<Finding> {
    let wants = options.cgroup_driver.as_deref() == Some("systemd");
    (wants && !runs_systemd).then(|| {
        cgroup::SYSTEMD_DRIVER.met(
            "dockerd is told native.cgroupdriver=systemd, by `exec-opts` in daemon.json or by \
             --exec-opt, and no systemd runs in this container.",
        )
    })
}

/// What is said of others' groups that can be seen here.
fn others(groups: &ControlGroups, namespace: bool) -> Option<Finding> {
    match groups.wider.first() {
        Some(tree) if namespace => Some(cgroup::namespace(&tree.own)),
        Some(tree) => Some(cgroup::outside(&tree.own, "DIND_CGROUP_NAMESPACE=off")),
        None => groups.whole_tree.then(cgroup::root_of_all),
    }
}

/// dockerd looks for this one v1 controller; on cgroup v2 it has no need to.
fn no_devices(groups: &ControlGroups) -> Option<Finding> {
    let cause = match groups.version {
        Version::V2 => return None,
        Version::V1 | Version::Hybrid if groups.has("devices") => return None,
        Version::None => format!("nothing is mounted at {ROOT}."),
        Version::V1 | Version::Hybrid => format!(
            "below {ROOT} there are {}, and no devices.",
            groups.controllers.join(", ")
        ),
    };
    Some(cgroup::NO_DEVICES.met(cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dockerd::configuration::Configuration, facts::control_groups::Tree};

    fn groups(version: Version, controllers: &[&str]) -> ControlGroups {
        ControlGroups {
            version,
            controllers: controllers.iter().map(|name| (*name).to_owned()).collect(),
            ..ControlGroups::default()
        }
    }

    fn ids(groups: &ControlGroups) -> Vec<&'static str> {
        ids_with(groups, true)
    }

    fn ids_with(groups: &ControlGroups, namespace: bool) -> Vec<&'static str> {
        let found = findings(groups, namespace);
        found.iter().map(|f| f.reason.id).collect()
    }

    #[test]
    fn a_good_container_of_either_version_has_nothing_to_say() {
        for good in [
            groups(Version::V1, &["cpu", "devices"]),
            groups(Version::Hybrid, &["devices"]),
            groups(Version::V2, &["cpu", "memory"]),
        ] {
            assert_eq!(ids(&good), [""; 0], "{good}");
        }
    }

    #[test]
    fn the_driver_of_a_node_needs_the_node_s_systemd() {
        let found = |json: &str, runs_systemd| {
            let options = Options::new(&[], &Configuration::parse(json), &|_| None, true);
            systemd_driver(&options, runs_systemd).map(|finding| finding.reason.id)
        };
        let systemd = r#"{"exec-opts": ["native.cgroupdriver=systemd"]}"#;
        let cgroupfs = r#"{"exec-opts": ["native.cgroupdriver=cgroupfs"]}"#;
        assert_eq!(found(systemd, false), Some("CGROUP-SYSTEMD-DRIVER"));
        assert_eq!(found(systemd, true), None);
        assert_eq!(found(cgroupfs, false), None);
        assert_eq!(found("", false), None);
    }

    #[test]
    fn without_the_devices_controller_dockerd_does_not_start() {
        let mut some = groups(Version::V1, &["cpu", "memory"]);
        some.read_only = Some("/sys/fs/cgroup/cpu".into());
        assert_eq!(ids(&some), ["CGROUP-NO-DEVICES"]);
        assert!(findings(&some, true)[0].cause.contains("cpu, memory"));
        let none = groups(Version::None, &[]);
        assert_eq!(ids(&none), ["CGROUP-NO-DEVICES"]);
    }

    #[test]
    fn a_read_only_tree_names_the_mount() {
        let mut read_only = groups(Version::V2, &["cpu"]);
        read_only.read_only = Some(ROOT.into());
        assert_eq!(ids(&read_only), ["CGROUP-READONLY"]);
        assert!(
            findings(&read_only, true)[0]
                .cause
                .contains("/sys/fs/cgroup is")
        );
    }

    #[test]
    fn the_node_s_whole_tree_is_only_noted() {
        let mut whole = groups(Version::V2, &["cpu"]);
        whole.whole_tree = true;
        assert_eq!(ids(&whole), ["CGROUP-HOST-NAMESPACE"]);
    }

    #[test]
    fn others_groups_are_noted_or_warned_of_where_dockerd_gets_no_namespace() {
        let mut pod = groups(Version::V2, &["cpu"]);
        pod.path = "/kubepods/pod1/2".into();
        pod.whole_tree = true;
        pod.wider = vec![Tree {
            point: ROOT.into(),
            own: "/sys/fs/cgroup/kubepods/pod1/2".into(),
        }];
        assert_eq!(ids(&pod), ["CGROUP-HOST-NAMESPACE"]);
        assert_eq!(ids_with(&pod, false), ["CGROUP-OUTSIDE"]);
        let warning = &findings(&pod, false)[0];
        assert!(warning.cause.contains("/kubepods/pod1/2"), "{warning}");
        // The mount that is put on top of it can be written.
        pod.read_only = Some(ROOT.into());
        assert_eq!(ids(&pod), ["CGROUP-HOST-NAMESPACE"]);
        assert_eq!(ids_with(&pod, false), ["CGROUP-READONLY", "CGROUP-OUTSIDE"]);
    }
}
