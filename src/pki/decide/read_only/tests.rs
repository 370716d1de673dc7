use std::path::Path;

use super::*;
use crate::{
    facts::mounts::Mounts,
    reasons::{advice::Executor, hole::Surroundings},
};

/// `/certs/client` with these names in it, on a volume that is mounted read-only at `point`.
fn directory(volume: VolumeKind, point: &str, names: &[&str]) -> Directory {
    let mounts = Mounts::parse(&format!("1 0 8:1 /srv/tls {point} ro - ext4 /dev/sdb1 rw"));
    let mut directory = Directory::survey(Path::new("/nowhere"), &mounts);
    directory.path = "/certs/client".into();
    directory.presence = Presence::Present;
    directory.mount = mounts.at(Path::new(point)).cloned();
    directory.volume = volume;
    directory.names = names.iter().map(|&name| name.to_owned()).collect();
    directory
}

fn foreign(name: &'static str) -> ForeignFile {
    ForeignFile {
        name,
        what: "not ours".to_owned(),
        is_ca: false,
    }
}

/// What says only "read-only" sends people to look for a mode or an owner.
#[test]
fn the_volume_is_told_as_whoever_mounted_it_calls_it() {
    use VolumeKind::{ConfigMap, Other, RootFileSystem, Secret};
    let whereabouts_of = |volume, point: Option<&str>, presence| {
        let mut directory = directory(volume, point.unwrap_or("/"), &[]);
        directory.presence = presence;
        directory.mount = directory.mount.filter(|_| point.is_some());
        whereabouts(&directory)
    };
    for (volume, point, there, missing) in [
        (
            Secret,
            Some("/certs/client"),
            "is a read-only Secret volume",
            "is missing, and would lie on a read-only Secret volume",
        ),
        (
            ConfigMap,
            Some("/certs"),
            "is a read-only ConfigMap volume (mounted at /certs)",
            "is missing, and would lie on a read-only ConfigMap volume (mounted at /certs)",
        ),
        (
            Other,
            Some("/certs"),
            "is a read-only volume (/srv/tls of /dev/sdb1, mounted at /certs)",
            "is missing, and would lie on a read-only volume (/srv/tls of /dev/sdb1, mounted \
             at /certs)",
        ),
        (
            RootFileSystem,
            Some("/"),
            "lies on the container's own file system, which is read-only",
            "is missing, and would lie on the container's own file system, which is read-only",
        ),
        (
            Other,
            None,
            "is a read-only file system",
            "is missing, and would lie on a read-only file system",
        ),
    ] {
        assert_eq!(whereabouts_of(volume, point, Presence::Present), there);
        assert_eq!(whereabouts_of(volume, point, Presence::Missing), missing);
    }
}

#[test]
fn what_lies_there_is_listed_each_once_and_no_list_is_endless() {
    let two = [foreign("ca.pem"), foreign("cert.pem")];
    for (names, foreign, said) in [
        (&[][..], &[][..], "It is empty"),
        (&["a", "b"], &[], "It holds a, b"),
        (
            &["a", "b", "c", "d", "e", "f"],
            &[],
            "It holds a, b, c, d, e, f",
        ),
        (
            &["a", "b", "c", "d", "e", "f", "g", "h"],
            &[],
            "It holds a, b, c, d, e, f and 2 more",
        ),
        (
            &["ca.pem", "cert.pem"],
            &two[..],
            "It holds ca.pem, not ours; cert.pem, not ours",
        ),
        (
            &["ca.pem", "cert.pem", "notes"],
            &two[..],
            "It holds ca.pem, not ours; cert.pem, not ours; and notes",
        ),
    ] {
        let directory = directory(VolumeKind::Other, "/certs", names);
        assert_eq!(contents(&directory, foreign), said);
    }
}

/// A fix for another kind of volume than the one that is there cannot be pasted.
#[test]
fn the_fix_is_for_the_volume_that_is_there() {
    use VolumeKind::{ConfigMap, Other, RootFileSystem, Secret, SecretOrConfigMap};
    let kubernetes = Surroundings {
        executor: Some(Executor::Kubernetes),
        ..Surroundings::default()
    };
    let lone_ca = &["registry.crt"][..];
    let set = &["ca.pem", "cert.pem"][..];
    let for_kubernetes = &["ca.crt", "tls.crt"][..];
    for (volume, names, id, words) in [
        (
            Secret,
            lone_ca,
            "CERTS-READONLY",
            "`mount_path` of that Secret to /etc/dind/registry-ca, where its registry.crt is",
        ),
        (
            ConfigMap,
            lone_ca,
            "CERTS-READONLY",
            "`mount_path` of that ConfigMap to /etc/dind/registry-ca",
        ),
        (
            SecretOrConfigMap,
            lone_ca,
            "CERTS-READONLY",
            "`mount_path` of that Secret or ConfigMap to /etc/dind/registry-ca",
        ),
        (
            Secret,
            set,
            "CERTS-READONLY",
            "mount the server's ca.pem, cert.pem and key.pem at /certs/server",
        ),
        (
            Secret,
            for_kubernetes,
            "CERTS-NAMING",
            "[[runners.kubernetes.volumes.secret]] name = \"docker-client-tls\" \
             mount_path = \"/certs/client\" \
             items = { \"ca.crt\" = \"ca.pem\", \"tls.crt\" = \"cert.pem\" }",
        ),
        (
            ConfigMap,
            for_kubernetes,
            "CERTS-NAMING",
            "[[runners.kubernetes.volumes.config_map]]",
        ),
        // Whatever it is, these names come from a Secret.
        (
            Other,
            for_kubernetes,
            "CERTS-NAMING",
            "[[runners.kubernetes.volumes.secret]]",
        ),
        (
            RootFileSystem,
            lone_ca,
            "CERTS-READONLY",
            "read_only_root_filesystem = false",
        ),
        (
            Other,
            lone_ca,
            "CERTS-READONLY",
            "Mount an empty volume for the certificates",
        ),
    ] {
        let directory = directory(volume, "/certs/client", names);
        let finding = read_only(&directory, &[]).told_in(&kubernetes);
        assert_eq!(finding.reason.id, id, "{finding}");
        let fix: Vec<_> = finding.fix.split_whitespace().collect();
        assert!(fix.join(" ").contains(words), "{volume:?} {finding}");
    }
}

/// Below a volume for all of them another one for `client/` alone would leave `server/`
/// read-only.
#[test]
fn what_is_mounted_anew_is_the_whole_of_what_is_read_only() {
    for (point, mounted) in [
        ("/certs", "/certs"),
        ("/certs/client", "/certs/client"),
        // `/certs` is a link to it.
        ("/srv", "/certs/client"),
    ] {
        let directory = directory(VolumeKind::Other, point, &[]);
        assert_eq!(volume_to_mount(&directory), Path::new(mounted), "{point}");
    }
    let mut directory = directory(VolumeKind::Other, "/", &[]);
    directory.mount = None;
    assert_eq!(volume_to_mount(&directory), Path::new("/certs/client"));
}
