//! What the official entrypoint leaves: recognised, kept while it is good, else replaced.

use std::{fs, path::Path, sync::OnceLock};

use dind_init::testing::pki::ServerAction;
use tempfile::TempDir;
use time::Duration;

use crate::{
    corporate_pki::Pki,
    scene::{Scene, copy, ids, names, openssl},
};

const LEFT_OVERS: [&str; 5] = [
    "ca/cert.srl",
    "client/csr.pem",
    "client/openssl.cnf",
    "server/csr.pem",
    "server/openssl.cnf",
];

/// A directory as official makes it, with its names, files and modes; the CA's key has official's
/// 4096 bits, the others 2048 to save half a minute.
fn official() -> &'static Path {
    static MADE: OnceLock<TempDir> = OnceLock::new();
    MADE.get_or_init(|| {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name).to_string_lossy().into_owned();
        for directory in ["ca", "server", "client"] {
            fs::create_dir(path(directory)).unwrap();
        }
        openssl(&["genrsa", "-out", &path("ca/key.pem"), "4096"]);
        openssl(&[
            "req",
            "-new",
            "-key",
            &path("ca/key.pem"),
            "-out",
            &path("ca/cert.pem"),
            "-subj",
            "/CN=docker:dind CA",
            "-x509",
            "-days",
            "825",
            "-addext",
            "keyUsage=critical,digitalSignature,keyCertSign",
        ]);
        for (side, extensions) in [
            (
                "server",
                "subjectAltName = DNS:docker,DNS:localhost,IP:127.0.0.1,IP:10.0.0.5\n\
                 extendedKeyUsage = serverAuth\n",
            ),
            ("client", "extendedKeyUsage = clientAuth\n"),
        ] {
            let file = |name: &str| path(&format!("{side}/{name}"));
            openssl(&["genrsa", "-out", &file("key.pem"), "2048"]);
            openssl(&[
                "req",
                "-new",
                "-key",
                &file("key.pem"),
                "-out",
                &file("csr.pem"),
                "-subj",
                &format!("/CN=docker:dind {side}"),
            ]);
            fs::write(file("openssl.cnf"), format!("[ x509_exts ]\n{extensions}")).unwrap();
            openssl(&[
                "x509",
                "-req",
                "-in",
                &file("csr.pem"),
                "-CA",
                &path("ca/cert.pem"),
                "-CAkey",
                &path("ca/key.pem"),
                "-CAcreateserial",
                "-out",
                &file("cert.pem"),
                "-days",
                "825",
                "-extfile",
                &file("openssl.cnf"),
                "-extensions",
                "x509_exts",
            ]);
            fs::copy(path("ca/cert.pem"), file("ca.pem")).unwrap();
        }
        root
    })
    .path()
}

fn scene(parts: &[&str]) -> Scene {
    let scene = Scene::new();
    for part in parts {
        copy(&official().join(part), &scene.path(part));
    }
    scene
}

#[test]
fn a_good_set_of_official_is_kept() {
    for parts in [&["ca", "server", "client"][..], &["server", "client"]] {
        let scene = scene(parts);
        let before = scene.snapshot();
        let certificates = scene.start().unwrap();
        assert_eq!(
            certificates.decision.server,
            ServerAction::Keep,
            "{parts:?}"
        );
        assert_eq!(scene.changed_since(&before), [""; 0], "{parts:?}");
    }
}

#[test]
fn one_that_lacks_a_name_is_replaced_under_its_ca_and_the_left_overs_stay() {
    let mut scene = scene(&["ca", "server", "client"]);
    scene.settings.names = names("new.example");
    let before = scene.snapshot();
    drop(scene.start().unwrap());
    scene.assert_good();
    let changed = scene.changed_since(&before);
    assert!(changed.contains(&"server/cert.pem".to_owned()));
    assert!(!changed.contains(&"ca/key.pem".to_owned()));
    for name in LEFT_OVERS {
        assert!(!changed.contains(&name.to_owned()), "{name}");
    }
    assert_eq!(scene.mode("server/key.pem"), 0o600);
    assert_eq!(
        scene.certificate("server/cert.pem").issuer,
        "CN=docker:dind CA"
    );
}

#[test]
fn without_its_ca_key_it_is_replaced_under_a_ca_of_ours() {
    for parts in [&["server", "client"][..], &["client"], &["server"]] {
        let mut scene = scene(parts);
        scene.settings.names = names("new.example");
        drop(scene.start().unwrap());
        scene.assert_good();
        assert_eq!(
            scene.certificate("client/cert.pem").issuer,
            "CN=dind-init CA"
        );
    }
}

/// Before May 2025 official's CA had no key usage, which strict verification wants.
#[test]
fn a_pair_whose_ca_may_not_sign_by_the_letter_is_replaced_however_young() {
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    for (constraints, action) in [
        ("CA:TRUE", ServerAction::Keep),
        ("CA:true", ServerAction::Issue),
    ] {
        let pki = Pki::with("/CN=docker:dind CA", &curve, constraints);
        let mut scene = Scene::new();
        scene.names = names("docker");
        let names = "subjectAltName=DNS:docker\nextendedKeyUsage=serverAuth";
        pki.lay(&scene, "server", pki.issue("/CN=docker:dind server", names));
        let usage = "extendedKeyUsage=clientAuth";
        pki.lay(&scene, "client", pki.issue("/CN=docker:dind client", usage));
        assert_eq!(scene.decide().unwrap().server, action, "{constraints}");
    }
}

#[test]
fn its_ca_is_renewed_with_the_same_key_when_half_its_life_is_over() {
    let mut scene = scene(&["ca", "server", "client"]);
    scene.now += Duration::days(500);
    let ca = scene.certificate("ca/cert.pem");
    let before = scene.snapshot();
    drop(scene.start().unwrap());
    scene.assert_good();
    let changed = scene.changed_since(&before);
    assert!(changed.contains(&"ca/cert.pem".to_owned()));
    assert!(!changed.contains(&"ca/key.pem".to_owned()));
    let renewed = scene.certificate("ca/cert.pem");
    assert_eq!(renewed.subject, "CN=docker:dind CA");
    assert!(ca.key_identifier.is_some());
    assert_eq!(renewed.key_identifier, ca.key_identifier);
    let old = &before["client/cert.pem"].content;
    let old = dind_init::testing::pki::inspect::Certificate::parse_pem(old).unwrap();
    assert!(
        old[0].is_issued_by(&renewed),
        "what was issued before still verifies"
    );
}

#[test]
fn what_official_leaves_when_it_is_killed_is_replaced() {
    // In the order in which official writes into client/.
    let written = ["key.pem", "csr.pem", "openssl.cnf", "cert.pem", "ca.pem"];
    for count in 2..written.len() {
        let scene = scene(&["ca", "server"]);
        for name in &written[..count] {
            let from = official().join("client").join(name);
            scene.put(&format!("client/{name}"), fs::read(from).unwrap());
        }
        drop(
            scene
                .start()
                .unwrap_or_else(|e| panic!("{count} files: {e}")),
        );
        scene.assert_good();
    }
    let empty = scene(&["ca", "server"]);
    empty.put("client/key.pem", "");
    assert_eq!(ids(&empty.start().unwrap().findings), []);
    empty.assert_good();
}

#[test]
fn a_name_like_officials_is_not_enough() {
    let scene = scene(&["client"]);
    let impostor = Pki::named("/CN=docker:dind CA");
    let (certificate, key) =
        impostor.issue("/CN=docker:dind client", "extendedKeyUsage=clientAuth");
    scene.put("client/cert.pem", certificate);
    scene.put("client/key.pem", key);
    let finding = scene.refused("CERTS-FOREIGN");
    assert!(
        finding
            .cause
            .contains("named CN=docker:dind client but signed by no ca.pem"),
        "{finding}"
    );
}
