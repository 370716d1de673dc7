//! Files that are not ours, in the way.

use std::fs;

use dind_init::testing::{
    facts::certificates::{Access, CertificateDirectory},
    pki::{ClientAction, ServerAction, decide},
    reasons::{Finding, advice::Executor, hole::Surroundings},
};

use crate::{
    corporate_pki::Pki,
    scene::{Scene, ids, names},
};

/// The decision as it would be if `client/` could not be written.
fn with_client(
    scene: &Scene,
    access: Access,
) -> Result<dind_init::testing::pki::Decision, Finding> {
    let mut found: CertificateDirectory = scene.survey();
    found.client.access = access;
    decide(&found, &scene.wanted())
}

fn kubernetes() -> Surroundings {
    Surroundings {
        executor: Some(Executor::Kubernetes),
        ..Surroundings::default()
    }
}

#[track_caller]
fn refusal(scene: &Scene, access: Access, id: &str) -> String {
    let finding = with_client(scene, access).unwrap_err();
    let finding = finding.told_in(&kubernetes());
    assert_eq!(finding.reason.id, id, "{finding}");
    let text = finding.to_string();
    assert!(text.lines().count() <= 13, "{text}");
    text
}

#[test]
fn a_registry_ca_in_a_read_only_secret_is_explained_and_its_new_place_named() {
    let mut scene = Scene::holding(&[("client/..data/x", "")]);
    scene.put("client/ca.pem", Pki::new().certificate());
    scene.mount("client", "/", "ro", "tmpfs");
    let client = scene.path("client");
    let client = client.display();
    assert_eq!(
        refusal(&scene, Access::ReadOnly, "CERTS-READONLY"),
        format!(
            "CERTS-READONLY: the directory for the TLS certificates is read-only and holds no set \
             that can be used
  Cause: {client} is a read-only Secret volume. It holds ca.pem, a CA certificate O=Example Corp, \
             CN=Example Corp Root CA that is not ours.
  Fix: Change the `mount_path` of that Secret to /etc/dind/registry-ca, where its ca.pem is trusted
    for every registry, and mount an empty volume here, in the runner's config.toml:
        [[runners.kubernetes.volumes.empty_dir]]
          name = \"docker-certs\"
          mount_path = \"{client}\"
          medium = \"Memory\""
        )
    );
}

#[test]
fn every_kind_of_read_only_volume_is_named() {
    let holding_ca = || {
        let scene = Scene::new();
        scene.put("client/ca.pem", Pki::new().certificate());
        scene
    };
    for (root, file_system, has_data_link, says, pastes) in [
        (
            "/",
            "tmpfs",
            true,
            "read-only Secret volume",
            "of that Secret to",
        ),
        (
            "/p/kubernetes.io~configmap/c",
            "ext4",
            true,
            "read-only ConfigMap volume",
            "of that ConfigMap to",
        ),
        (
            "/",
            "ext4",
            true,
            "read-only Secret or ConfigMap volume",
            "of that Secret or ConfigMap to",
        ),
        (
            "/srv/certs",
            "ext4",
            false,
            "read-only volume (/srv/certs of /dev/vda, mounted at",
            "Mount an empty volume",
        ),
    ] {
        let mut scene = holding_ca();
        scene.mount("client", root, "ro", file_system);
        if has_data_link {
            scene.put("client/..data/x", "");
        }
        let text = refusal(&scene, Access::ReadOnly, "CERTS-READONLY");
        assert!(text.contains(says), "{text}");
        assert!(text.contains(pastes), "{text}");
        assert!(text.contains("medium = \"Memory\""), "{text}");
    }
    // A container whose own file system is read-only, and no volume at all.
    let mut scene = Scene::new();
    scene.mount("elsewhere", "/", "ro", "tmpfs");
    let text = refusal(&scene, Access::ReadOnly, "CERTS-READONLY");
    assert!(
        text.contains("the container's own file system, which is read-only"),
        "{text}"
    );
    assert!(text.contains("read_only_root_filesystem = false"), "{text}");
}

#[test]
fn a_read_only_set_is_used_only_with_a_server_that_belongs_to_it() {
    let pki = Pki::new();
    let mut scene = Scene::new();
    scene.mount("client", "/", "ro", "tmpfs");
    scene.put("client/..data/x", "");
    pki.lay(&scene, "client", pki.client());
    let text = refusal(&scene, Access::ReadOnly, "CERTS-READONLY");
    assert!(
        text.contains("cert.pem, a certificate CN=job that is not ours"),
        "{text}"
    );
    assert!(
        text.contains("To use your own certificates, mount the server's"),
        "{text}"
    );

    pki.lay(&scene, "server", pki.server());
    let decision = with_client(&scene, Access::ReadOnly).unwrap();
    assert_eq!(decision.client, ClientAction::UseOwn);

    fs::remove_dir_all(scene.path("server")).unwrap();
    scene.put("ca/key.pem", pki.key());
    scene.put("ca/cert.pem", pki.certificate());
    let decision = with_client(&scene, Access::ReadOnly).unwrap();
    assert_eq!(decision.client, ClientAction::UseOwn);
}

#[test]
fn a_read_only_empty_directory_is_refused() {
    let mut scene = Scene::new();
    fs::create_dir_all(scene.path("client")).unwrap();
    scene.mount("client", "/srv", "ro", "ext4");
    let text = refusal(&scene, Access::ReadOnly, "CERTS-READONLY");
    assert!(text.contains("It is empty."), "{text}");
}

/// Half of what has to be made would be worth nothing: the other half is named, with a CA of the
/// user's or without.
#[test]
fn nothing_is_made_for_one_side_where_the_other_cannot_be_written() {
    let pki = Pki::new();
    let (key, certificate) = (pki.key(), pki.certificate());
    let own_ca = [("ca/key.pem", &*key), ("ca/cert.pem", &*certificate)];
    for files in [&[][..], &own_ca] {
        let scene = Scene::holding(files);
        type Side = fn(&mut CertificateDirectory) -> &mut Access;
        let sides: [(&str, Side); 2] = [
            ("server", |found| &mut found.server.access),
            ("client", |found| &mut found.client.access),
        ];
        for (name, side) in sides {
            let mut found = scene.survey();
            *side(&mut found) = Access::ReadOnly;
            let finding = decide(&found, &scene.wanted()).unwrap_err();
            assert_eq!(finding.reason.id, "CERTS-READONLY", "{finding}");
            let path = scene.path(name);
            let said = format!("{} is missing", path.display());
            assert!(finding.cause.starts_with(&said), "{finding}");
        }
        assert!(scene.decide().is_ok(), "nothing else is in the way");
    }
}

#[test]
fn a_set_of_ours_that_became_read_only_is_used_as_long_as_it_holds() {
    let scene = Scene::new().started();
    assert_eq!(
        with_client(&scene, Access::ReadOnly).unwrap().client,
        ClientAction::Keep
    );
}

#[test]
fn a_directory_that_is_read_only_as_a_whole_is_used_as_long_as_it_holds() {
    let mut scene = Scene::new();
    scene.mount("", "/v", "rw", "ext4");
    let mut scene = scene.started();
    scene.mount("", "/v", "ro", "ext4");
    scene.settings.names = names("new.example");
    let mut found = scene.survey();
    for directory in [&mut found.ca, &mut found.server, &mut found.client] {
        directory.access = Access::ReadOnly;
    }
    let decision = decide(&found, &scene.wanted()).unwrap();
    assert_eq!(decision.server, ServerAction::Keep);
    assert_eq!(
        ids(&decision.findings),
        [("CERTS-NAME", "warning".to_owned())],
        "the server's name cannot be added"
    );

    // And where it is empty, the whole is to be mounted anew.
    let mut scene = Scene::new();
    fs::create_dir_all(&scene.settings.directory).unwrap();
    scene.mount("", "/v", "ro", "ext4");
    let text = refusal(&scene, Access::ReadOnly, "CERTS-READONLY");
    assert!(
        text.contains("client is missing, and would lie on a read-only volume"),
        "{text}"
    );
    let whole = format!("mount_path = \"{}\"", scene.settings.directory.display());
    assert!(text.contains(&whole), "{text}");
}

#[test]
fn foreign_files_in_a_writable_directory_are_never_overwritten() {
    let pki = Pki::new();
    let (certificate, key) = pki.client();
    let cases: [(&[(&str, &str)], &str); 5] = [
        (
            &[("client/ca.pem", &pki.certificate())],
            "ca.pem, a CA certificate O=Example Corp, CN=Example Corp Root CA that is not ours.",
        ),
        (
            &[("client/cert.pem", &certificate)],
            "cert.pem, a certificate CN=job that is not ours.",
        ),
        (
            &[("client/key.pem", &key)],
            "key.pem, a private key that is not ours.",
        ),
        (
            &[("client/ca.pem", "hello")],
            "ca.pem, a file that holds no certificate.",
        ),
        (
            &[("client/key.pem", "hello")],
            "key.pem, a file that holds no private key in PEM.",
        ),
    ];
    for (files, says) in cases {
        let finding = Scene::holding(files).refused("CERTS-FOREIGN");
        assert!(finding.cause.ends_with(says), "{finding}");
    }
}

#[test]
fn a_ca_that_was_added_to_ours_is_not_lost() {
    let mut scene = Scene::new().started();
    let ours = String::from_utf8(scene.read("client/ca.pem")).unwrap();
    scene.put("client/ca.pem", ours + &Pki::new().certificate());
    scene.settings.names = names("new.example");
    scene.refused("CERTS-FOREIGN");
}

#[test]
fn kubernetes_names_are_told_from_dockers() {
    let pki = Pki::new();
    let (certificate, key) = pki.client();
    let holding = || {
        Scene::holding(&[
            ("client/ca.crt", &pki.certificate()),
            ("client/tls.crt", &certificate),
            ("client/tls.key", &key),
        ])
    };
    let warns = |scene: &Scene| {
        let certificates = scene.start().unwrap();
        assert_eq!(
            ids(&certificates.findings),
            [("CERTS-NAMING", "warning".to_owned())]
        );
        scene.assert_good();
    };
    let mut scene = holding();
    warns(&scene);
    let under_own_ca = holding();
    under_own_ca.put("ca/key.pem", pki.key());
    under_own_ca.put("ca/cert.pem", pki.certificate());
    warns(&under_own_ca);

    for name in ["ca.pem", "cert.pem", "key.pem"] {
        fs::remove_file(scene.path("client").join(name)).unwrap();
    }
    scene.put("client/..data/x", "");
    scene.mount("client", "/", "ro", "tmpfs");
    let text = refusal(&scene, Access::ReadOnly, "CERTS-NAMING");
    assert!(text.contains("\"tls.crt\" = \"cert.pem\""), "{text}");
}

#[test]
fn a_lone_ca_crt_in_a_read_only_secret_is_a_registrys() {
    let mut scene = Scene::holding(&[("client/ca.crt", "x"), ("client/..data/x", "")]);
    scene.mount("client", "/", "ro", "tmpfs");
    let text = refusal(&scene, Access::ReadOnly, "CERTS-READONLY");
    assert!(text.contains("It holds ca.crt."), "{text}");
    assert!(text.contains("/etc/dind/registry-ca"), "{text}");
}

#[test]
fn a_file_mounted_by_sub_path_is_noticed() {
    let mut scene = Scene::new();
    scene.put("client/ca.pem", Pki::new().certificate());
    scene.mount("client/ca.pem", "/..2026_11_23/ca.pem", "ro", "tmpfs");
    let finding = scene.refused("CERTS-SUBPATH");
    assert!(
        finding
            .cause
            .contains("client/ca.pem is a mount of its own"),
        "{finding}"
    );
}

#[test]
fn a_directory_of_somebody_elses_is_told_with_its_owner_and_mode() {
    let scene = Scene::new();
    fs::create_dir_all(scene.path("client")).unwrap();
    let text = refusal(&scene, Access::Denied, "CERTS-DENIED");
    assert!(text.contains("may not write to"), "{text}");
    assert!(text.contains("mode 0755"), "{text}");
}

/// Nor is it taken for missing: a CA of the user's would be passed over, and another one made.
#[test]
fn what_is_no_file_is_not_read() {
    let refuses = |scene: &Scene, name| {
        fs::create_dir_all(scene.path(name)).unwrap();
        let finding = scene.refused("CERTS-IO");
        let said = format!("{name}: not a regular file");
        assert!(finding.cause.contains(&said), "{finding}");
    };
    for name in ["ca/key.pem", "server/cert.pem", "client/ca.pem"] {
        refuses(&Scene::new(), name);
    }
    // Nor where nothing but the client's set would be made, under the user's own CA.
    let pki = Pki::new();
    let (key, certificate) = (pki.key(), pki.certificate());
    let scene = Scene::holding(&[("ca/key.pem", &key), ("ca/cert.pem", &certificate)]);
    pki.lay(&scene, "server", pki.server());
    refuses(&scene, "client/ca.pem");
    for side in ["ca", "server", "client"] {
        Scene::holding(&[(side, "a file")]).refused("CERTS-IO");
    }
}
