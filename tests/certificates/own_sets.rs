//! The user's own sets in `server/` and `client/`: verified, used, never written.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

use dind_init::testing::pki::{ClientAction, ServerAction};
use time::Duration;

use crate::{
    corporate_pki::Pki,
    scene::{Scene, ids, names},
};

/// Only the findings' ids and severities; nothing may have been written, nor locked.
#[track_caller]
fn used(scene: &Scene) -> Vec<(&'static str, String)> {
    let before = scene.snapshot();
    let certificates = scene.start().unwrap();
    assert_eq!(scene.changed_since(&before), [""; 0]);
    assert_eq!(certificates.decision.server, ServerAction::UseOwn);
    assert!(certificates.lock.is_none(), "many may use one set");
    assert!(certificates.pending.is_none());
    ids(&certificates.findings)
}

fn error(id: &'static str) -> (&'static str, String) {
    (id, "error".into())
}

fn warning(id: &'static str) -> (&'static str, String) {
    (id, "warning".into())
}

#[test]
fn a_complete_pki_is_used_as_it_is() {
    let scene = Scene::new();
    Pki::new().lay_all(&scene);
    assert_eq!(used(&scene), []);
    assert_eq!(scene.decide().unwrap().client, ClientAction::UseOwn);
}

#[test]
fn intermediates_in_cert_pem_are_followed() {
    let scene = Scene::new();
    let root = Pki::new();
    let (issuing, issuing_key) = root.issue("/CN=Issuing", "basicConstraints=critical,CA:TRUE");
    let intermediate = Pki::new();
    // The same directory, with the key and certificate of the intermediate in place of a root's.
    let intermediate = intermediate.replaced(&issuing, &issuing_key);
    let (server, key) = intermediate.server();
    root.lay(&scene, "server", (format!("{server}{issuing}"), key));
    root.lay(&scene, "client", root.client());
    assert_eq!(used(&scene), []);

    // Without it the chain ends in nothing.
    let (server, key) = intermediate.server();
    root.lay(&scene, "server", (server, key));
    scene.refused("CERTS-MISMATCH");
}

#[test]
fn a_self_signed_server_certificate_that_is_its_own_ca_is_used() {
    let scene = Scene::new();
    let pki = Pki::with(
        "/CN=docker",
        &[
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-addext",
            "subjectAltName=DNS:docker",
        ],
        "CA:FALSE",
    );
    pki.lay(&scene, "server", (pki.certificate(), pki.key()));
    assert_eq!(used(&scene), [warning("CERTS-INCOMPLETE")]);
}

#[test]
fn names_that_the_server_certificate_lacks_are_told() {
    let mut scene = Scene::new();
    Pki::new().lay_all(&scene);
    scene.job.docker_host = names("tls.example").pop();
    let finding = scene.decide().unwrap().findings.remove(0);
    assert_eq!(used(&scene), [error("CERTS-NAME")]);
    assert_eq!(
        finding.cause,
        format!(
            "{} (CN=dind.example) is for docker, dind.example, not for tls.example.",
            scene.path("server/cert.pem").display()
        )
    );
    scene.job.docker_host = names("dind.example").pop();
    assert_eq!(used(&scene), []);
    scene.settings.names = names("other.example");
    assert_eq!(used(&scene), [warning("CERTS-NAME")]);
}

#[test]
fn a_client_set_that_does_not_fit_is_an_error_that_does_not_stop_dockerd() {
    let pki = Pki::new();
    let other = Pki::new();
    let scene = Scene::new();
    pki.lay(&scene, "server", pki.server());
    assert_eq!(used(&scene), [warning("CERTS-INCOMPLETE")], "no client/");

    scene.put("client/ca.pem", pki.certificate());
    assert_eq!(used(&scene), [error("CERTS-INCOMPLETE")], "only a CA");

    other.lay(&scene, "client", other.client());
    assert_eq!(
        used(&scene),
        [error("CERTS-MISMATCH"), error("CERTS-MISMATCH")],
        "neither trusts the other"
    );

    pki.lay(&scene, "client", (pki.client().0, pki.client().1));
    assert_eq!(used(&scene), [error("CERTS-MISMATCH")], "another key");

    pki.lay(
        &scene,
        "client",
        pki.issue("/CN=job", "extendedKeyUsage=serverAuth"),
    );
    assert_eq!(used(&scene), [error("CERTS-USAGE")]);

    pki.lay(&scene, "client", pki.client());
    assert_eq!(used(&scene), []);
}

#[test]
fn a_client_s_key_that_only_its_owner_may_read_is_told_and_used() {
    let scene = Scene::new();
    Pki::new().lay_all(&scene);
    let key = scene.path("client/key.pem");
    for (mode, expected) in [
        (0o400, &[warning("CERTS-UNREADABLE-KEY")][..]),
        (0o444, &[]),
    ] {
        fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
        assert_eq!(used(&scene), expected, "{mode:o}");
    }
}

#[test]
fn a_server_set_that_dockerd_or_clients_would_refuse_is_refused() {
    let pki = Pki::new();
    let other = Pki::new();
    let (certificate, key) = pki.server();
    let lay = |certificate: &str, key: &str| {
        let scene = Scene::new();
        pki.lay_all(&scene);
        scene.put("server/cert.pem", certificate);
        scene.put("server/key.pem", key);
        scene
    };
    lay(&other.server().0, &other.server().1).refused("CERTS-MISMATCH");
    let (others, others_key) = other.server();
    let finding = lay(&others, &others_key).refused("CERTS-MISMATCH");
    assert!(
        finding.cause.contains("no CA of ca.pem signed it"),
        "{finding}"
    );
    let finding = lay(&certificate, &others_key).refused("CERTS-MISMATCH");
    assert!(
        finding.cause.contains("key.pem is not the key of cert.pem"),
        "{finding}"
    );
    lay(&certificate, "garbage").refused("CERTS-UNREADABLE");
    lay("garbage", &key).refused("CERTS-UNREADABLE");
    let finding = lay(&certificate, "").refused("CERTS-INCOMPLETE");
    assert!(
        finding
            .cause
            .ends_with("holds ca.pem and cert.pem but no key.pem."),
        "{finding}"
    );
    let (client, client_key) = pki.client();
    lay(&client, &client_key).refused("CERTS-USAGE");

    let mut scene = lay(&certificate, &key);
    scene.now += Duration::days(21);
    let finding = scene.refused("CERTS-EXPIRED");
    assert!(
        finding.cause.contains("(CN=dind.example) expired on 20"),
        "{finding}"
    );
    scene.now -= Duration::days(23);
    scene.refused("CERTS-NOT-YET-VALID");
    scene.now += Duration::days(2);
    assert_eq!(used(&scene), [], "nothing else was wrong with it");
}

#[test]
fn a_ca_that_is_none_or_has_expired_is_refused() {
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let scene = Scene::new();
    Pki::with("/CN=No CA", &curve, "CA:FALSE").lay_all(&scene);
    let finding = scene.refused("CERTS-USAGE");
    assert!(
        finding
            .cause
            .contains("ca.pem (CN=No CA) is not marked as a CA"),
        "{finding}"
    );
}

#[test]
fn what_cannot_be_checked_here_is_used_with_a_warning() {
    let curve = |name| ["-newkey", "ec", "-pkeyopt", name];
    for (pki, digest, what) in [
        (Pki::new(), "-sha1", "UnsupportedSignatureAlgorithm"),
        // OpenSSL's clients know the curve, Go's do not.
        (
            Pki::with(
                "/CN=Brainpool",
                &curve("ec_paramgen_curve:brainpoolP256r1"),
                "CA:TRUE",
            ),
            "-sha256",
            "UnsupportedSignatureAlgorithmForPublicKey",
        ),
    ] {
        let scene = Scene::new();
        pki.lay_all(&scene);
        let extensions = "subjectAltName=DNS:docker\nextendedKeyUsage=serverAuth";
        let server = pki.issue_with(digest, "/CN=old", extensions);
        pki.lay(&scene, "server", server);
        let findings = used(&scene);
        assert!(
            findings.contains(&warning("CERTS-UNVERIFIED")),
            "{findings:?}"
        );
        assert!(
            findings.iter().all(|(_, severity)| severity == "warning"),
            "{findings:?}"
        );
        let cause = scene.decide().unwrap().findings.remove(0).cause;
        let said = format!("cert.pem (CN=old) cannot be checked: {what}.");
        assert!(cause.ends_with(&said), "{cause}");
    }
}
