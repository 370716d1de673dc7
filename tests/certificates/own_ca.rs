//! The user's own CA in `ca/`, key and all: what is issued, is issued under it.

use dind_init::testing::{
    facts::certificates::Access,
    pki::{ClientAction, ServerAction, decide},
};
use time::Duration;

use crate::{
    corporate_pki::Pki,
    scene::{Scene, ids, names, openssl},
};

fn holding(pki: &Pki) -> Scene {
    Scene::holding(&[
        ("ca/key.pem", &pki.key()),
        ("ca/cert.pem", &pki.certificate()),
    ])
}

#[test]
fn both_sets_are_issued_under_it_and_kept_by_the_next_start() {
    let pki = Pki::new();
    let scene = holding(&pki);
    let before = scene.snapshot();
    drop(scene.start().unwrap());
    scene.assert_good();
    assert_eq!(scene.read("client/ca.pem"), pki.certificate().as_bytes());
    let changed = scene.changed_since(&before);
    assert!(
        changed.iter().all(|name| !name.starts_with("ca/")),
        "{changed:?}"
    );
    let issued = scene.snapshot();
    let certificates = scene.start().unwrap();
    assert_eq!(certificates.decision.client, ClientAction::Keep);
    assert_eq!(scene.changed_since(&issued), [""; 0]);
}

#[test]
fn nothing_issued_outlives_it() {
    let scene = holding(&Pki::new()).started();
    let ca = scene.certificate("ca/cert.pem");
    for file in ["server/cert.pem", "client/cert.pem"] {
        assert_eq!(scene.certificate(file).not_after, ca.not_after);
    }
}

#[test]
fn any_kind_of_key_that_docker_reads_can_sign() {
    let keys: [&[&str]; 4] = [
        &["-newkey", "rsa:2048"],
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"],
        &["-newkey", "ed25519"],
    ];
    for key in keys {
        let scene = holding(&Pki::with("/CN=Any Key", key, "CA:TRUE")).started();
        scene.assert_good();
    }
    // As official made them until January 2020.
    let odd = ["-newkey", "rsa:4196"];
    holding(&Pki::with("/CN=docker:dind CA", &odd, "CA:TRUE"))
        .started()
        .assert_good();
    // PKCS#1, as `openssl genrsa` wrote it before OpenSSL 3.
    let pki = Pki::with("/CN=Old", keys[0], "CA:TRUE");
    let scene = holding(&pki);
    let key = scene.path("ca/key.pem");
    let key = key.to_string_lossy();
    scene.put("ca/key.pem", openssl(&["rsa", "-traditional", "-in", &key]));
    scene.started().assert_good();
}

#[test]
fn a_name_in_any_encoding_is_kept_byte_for_byte_or_refused() {
    for subject in [
        "/C=DE/O=Größe GmbH/CN=Wurzel",
        "/DC=example/DC=corp/CN=Issuing CA 3",
    ] {
        let pki = Pki::with(
            subject,
            &[
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-utf8",
            ],
            "CA:TRUE",
        );
        match holding(&pki).start() {
            Ok(_) => {}
            Err(finding) => assert_eq!(finding.reason.id, "CERTS-USAGE", "{subject}: {finding}"),
        }
    }
    let finding = holding(&Pki::named("/CN=two+OU=in one")).refused("CERTS-USAGE");
    assert!(finding.cause.contains("cannot be used"), "{finding}");
}

#[test]
fn a_key_alone_gets_a_certificate() {
    let pki = Pki::new();
    let scene = Scene::holding(&[("ca/key.pem", &pki.key())]);
    let certificates = scene.start().unwrap();
    assert_eq!(scene.read("ca/key.pem"), pki.key().as_bytes());
    assert_eq!(scene.read("ca/cert.pem"), scene.read("client/ca.pem"));
    scene.assert_good();
    drop(certificates);
    assert_eq!(scene.decide().unwrap().server, ServerAction::Keep);
}

#[test]
fn a_server_key_of_its_own_gets_a_certificate_of_that_ca() {
    let scene = holding(&Pki::new());
    let key = Pki::new().key();
    scene.put("server/key.pem", &key);
    let certificates = scene.start().unwrap();
    assert_eq!(certificates.decision.server, ServerAction::Recertify);
    let plan = certificates.decision.to_string();
    let words = "server: issue with the key that is there for docker, localhost";
    assert!(plan.contains(words), "{plan}");
    assert_eq!(scene.read("server/key.pem"), key.as_bytes());
    scene.assert_good();
}

#[test]
fn a_ca_certificate_that_was_edited_is_given_to_both_sides() {
    let pki = Pki::new();
    let scene = holding(&pki).started();
    let edited = format!("{}\n# the key stays\n", pki.certificate());
    scene.put("ca/cert.pem", &edited);
    let certificates = scene.start().unwrap();
    assert_eq!(certificates.decision.server, ServerAction::Recertify);
    assert_eq!(certificates.decision.client, ClientAction::Issue);
    for side in ["server/ca.pem", "client/ca.pem"] {
        assert_eq!(scene.read(side), edited.as_bytes(), "{side}");
    }
    scene.assert_good();
}

#[test]
fn a_server_set_that_does_not_hold_and_cannot_be_written_is_refused() {
    // It has expired under the CA that is there,
    let mut expired = holding(&Pki::new());
    expired.settings.days = 5;
    let mut expired = expired.started();
    expired.now += Duration::days(6);
    // or is good, but under another.
    let another = Scene::new().started();
    let pki = Pki::new();
    another.put("ca/key.pem", pki.key());
    another.put("ca/cert.pem", pki.certificate());
    for scene in [expired, another] {
        let mut found = scene.survey();
        found.server.access = Access::ReadOnly;
        let finding = decide(&found, &scene.wanted()).unwrap_err();
        assert_eq!(finding.reason.id, "CERTS-READONLY", "{finding}");
        // It would be written otherwise.
        assert_ne!(scene.decide().unwrap().server, ServerAction::Keep);
    }
}

#[test]
fn a_ca_that_cannot_issue_is_refused() {
    let pki = Pki::new();
    let mut scene = holding(&pki);
    scene.now += Duration::days(31);
    scene.refused("CERTS-EXPIRED");
    scene.now -= Duration::days(33);
    scene.refused("CERTS-NOT-YET-VALID");

    let scene = holding(&Pki::with(
        "/CN=No CA",
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        "CA:FALSE",
    ));
    scene.refused("CERTS-USAGE");

    let scene = holding(&pki);
    scene.put("ca/key.pem", Pki::new().key());
    scene.refused("CERTS-MISMATCH");
    scene.put("ca/key.pem", "garbage");
    scene.refused("CERTS-UNREADABLE");
    scene.put("ca/key.pem", pki.key());
    scene.put("ca/cert.pem", "garbage");
    scene.refused("CERTS-UNREADABLE");
    scene.put("ca/cert.pem", pki.certificate());
    scene.put("ca/key.pem", "");
    scene.refused("CERTS-INCOMPLETE");
}

#[test]
fn a_server_set_of_its_own_is_used_and_clients_get_theirs() {
    let pki = Pki::new();
    let scene = holding(&pki);
    pki.lay(&scene, "server", pki.server());
    let before = scene.snapshot();
    let certificates = scene.start().unwrap();
    assert_eq!(certificates.decision.server, ServerAction::UseOwn);
    assert_eq!(ids(&certificates.findings), []);
    let changed = scene.changed_since(&before);
    assert!(
        changed.iter().all(|name| name.starts_with("client/")),
        "{changed:?}"
    );
    scene.assert_good();
}

#[test]
fn a_client_set_of_its_own_is_used_and_the_server_gets_its_own() {
    let pki = Pki::new();
    let scene = holding(&pki);
    pki.lay(&scene, "client", pki.client());
    let before = scene.snapshot();
    let certificates = scene.start().unwrap();
    assert_eq!(certificates.decision.client, ClientAction::UseOwn);
    let changed = scene.changed_since(&before);
    assert!(
        changed.iter().all(|name| name.starts_with("server/")),
        "{changed:?}"
    );
    scene.assert_good();

    // A client set of somebody else is not.
    let other = Pki::new();
    other.lay(&scene, "client", other.client());
    drop(certificates);
    scene.refused("CERTS-FOREIGN");
}

#[test]
fn a_set_of_ours_is_replaced_when_a_ca_appears() {
    let scene = Scene::new().started();
    let pki = Pki::new();
    scene.put("ca/key.pem", pki.key());
    scene.put("ca/cert.pem", pki.certificate());
    drop(scene.start().unwrap());
    assert_eq!(scene.read("client/ca.pem"), pki.certificate().as_bytes());
    scene.assert_good();
}

#[test]
fn a_name_that_is_added_later_is_issued_under_it_too() {
    let mut scene = holding(&Pki::new()).started();
    scene.settings.names = names("later.example");
    drop(scene.start().unwrap());
    assert!(
        scene
            .certificate("server/cert.pem")
            .covers(&names("later.example")[0])
    );
    scene.assert_good();
}
