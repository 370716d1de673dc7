//! Our own sets: made, kept, replaced.

use std::{fs, time::Duration};

use dind_init::testing::{
    facts::certificates::{Access, CertificateDirectory},
    pki::{ClientAction, ClientKeyInTheMaking, ServerAction, decide, prepare},
    settings::ClientKey,
};
use time::Duration as Span;

use crate::{
    corporate_pki::Pki,
    scene::{Scene, ids, names},
};

#[test]
fn an_empty_directory_gets_a_whole_set_with_officials_names_and_modes() {
    let mut scene = Scene::new();
    scene.settings.client_key = ClientKey::Rsa2048;
    let started = scene.start().unwrap();
    scene.assert_good();
    let files: Vec<_> = scene
        .snapshot()
        .into_iter()
        .map(|(name, file)| format!("{:o} {name}", file.mode))
        .collect();
    assert_eq!(
        files,
        [
            "644 client/ca.pem",
            "644 client/cert.pem",
            "644 client/key.pem",
            "644 server/ca.pem",
            "644 server/cert.pem",
            "600 server/key.pem",
        ]
    );
    for directory in ["", "server", "client"] {
        assert_eq!(scene.mode(directory), 0o755, "{directory}");
    }
    assert_eq!(started.findings, []);
    assert_eq!(started.tls.key, scene.path("server/key.pem"));
    let server = started.server.unwrap();
    assert_eq!(server.key_pem, scene.read("server/key.pem"));
    assert_eq!(server.certificate_pem, scene.read("server/cert.pem"));
    assert_eq!(format!("{server:?}"), "ServerIdentity", "no key is shown");
}

#[test]
fn what_is_issued_has_the_names_and_the_validity_that_were_asked_for() {
    let mut scene = Scene::new();
    scene.settings.names = names("DNS:dind.example,*.docker.example,IP:fd00::1");
    scene.settings.days = 30;
    scene.job.docker_host = names("tls.example").pop();
    let scene = scene.started();
    let server = scene.certificate("server/cert.pem");
    for name in names("docker,localhost,127.0.0.1,10.0.0.5,dind.example,fd00::1,tls.example") {
        assert!(server.covers(&name), "{name}");
    }
    for file in ["server/ca.pem", "server/cert.pem", "client/cert.pem"] {
        let certificate = scene.certificate(file);
        let seconds = |moment: time::OffsetDateTime| moment.unix_timestamp();
        assert_eq!(
            seconds(certificate.not_before),
            seconds(scene.now - Span::HOUR)
        );
        assert_eq!(
            seconds(certificate.not_after),
            seconds(scene.now + Span::days(30))
        );
    }
}

#[test]
fn a_good_set_is_kept_byte_for_byte() {
    let mut scene = Scene::new().started();
    let before = scene.snapshot();
    // Fewer names are wanted than it has, and a fifth of its life is over.
    scene.names = names("docker");
    scene.now += Span::days(165);
    let certificates = scene.start().unwrap();
    assert_eq!(scene.snapshot(), before);
    assert_eq!(certificates.decision.server, ServerAction::Keep);
    assert_eq!(certificates.decision.client, ClientAction::Keep);
}

#[test]
fn a_set_that_lacks_a_name_or_is_past_half_its_life_or_is_damaged_is_replaced() {
    type Change = fn(&mut Scene);
    let changes: [(&str, Change); 6] = [
        ("a new name", |scene| {
            scene.settings.names = names("new.example");
        }),
        ("past half its life", |scene| scene.now += Span::days(413)),
        ("expired", |scene| scene.now += Span::days(900)),
        ("no client key", |scene| {
            fs::remove_file(scene.path("client/key.pem")).unwrap();
        }),
        ("client/ emptied", |scene| {
            fs::remove_dir_all(scene.path("client")).unwrap();
        }),
        ("an empty server key", |scene| {
            scene.put("server/key.pem", "")
        }),
    ];
    for (what, change) in changes {
        let mut scene = Scene::new().started();
        let before = scene.snapshot();
        change(&mut scene);
        let certificates = scene.start().unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(certificates.decision.server, ServerAction::Issue, "{what}");
        let changed = scene.changed_since(&before);
        let mut all: Vec<_> = before.into_keys().collect();
        assert!(
            scene.snapshot().keys().eq(&all),
            "{what}: nothing is left over"
        );
        all.retain(|name| !changed.contains(name));
        assert!(all.is_empty(), "{what}: {all:?} stayed");
        if !what.contains("life") && !what.contains("expired") {
            scene.assert_good();
        }
    }
}

#[test]
fn a_stale_ca_is_gone_before_the_new_set_is_there() {
    let mut scene = Scene::new().started();
    scene.settings.names = names("new.example");
    let prepared = prepare(&scene.mounts, &scene.wanted(), Duration::ZERO).unwrap();
    assert_eq!(fs::read_dir(scene.path("client")).unwrap().count(), 0);
    assert!(
        scene
            .certificate("server/cert.pem")
            .covers(&names("new.example")[0]),
        "dockerd can start already"
    );
    let key = ClientKeyInTheMaking::start(ClientKey::EcdsaP256);
    prepared.pending.unwrap().publish(key).unwrap();
    scene.assert_good();
}

#[test]
fn the_cas_key_is_written_only_where_ca_is_on_a_volume() {
    let mut scene = Scene::new();
    scene.mount("", "/v", "rw", "ext4");
    let scene = scene.started();
    assert_eq!(scene.mode("ca/key.pem"), 0o600);
    assert_eq!(scene.mode("ca/cert.pem"), 0o644);
    scene.assert_good();

    // As an interrupted `openssl genrsa` leaves it.
    let mut scene = Scene::holding(&[("ca/key.pem", "")]);
    scene.mount("", "/v", "rw", "ext4");
    let scene = scene.started();
    assert!(!scene.read("ca/key.pem").is_empty());

    let mut scene = Scene::new();
    scene.mount("client", "/v", "rw", "ext4");
    assert!(!scene.started().path("ca").exists());

    let mut scene = Scene::new();
    scene.mount("", "/v", "rw", "ext4");
    scene.job.builds_directory = Some(scene.root().to_owned());
    assert!(!scene.started().path("ca").exists(), "jobs read /builds");
}

#[test]
fn under_a_kept_ca_a_server_that_lacks_a_name_gets_another_certificate_for_its_key() {
    let mut scene = Scene::new();
    scene.mount("", "/v", "rw", "ext4");
    let mut scene = scene.started();
    let before = scene.snapshot();
    scene.settings.names = names("new.example");
    drop(scene.start().unwrap());
    scene.assert_good();
    assert_eq!(
        scene.changed_since(&before),
        ["server/ca.pem", "server/cert.pem"]
    );
}

#[test]
fn an_old_client_certificate_under_a_younger_ca_is_made_anew_for_its_key() {
    let mut scene = Scene::new();
    scene.mount("", "/v", "rw", "ext4");
    scene.settings.days = 800;
    drop(scene.start().unwrap());
    // The same CA, a client certificate of short life.
    scene.settings.days = 10;
    scene.put("client/ca.pem", "");
    drop(scene.start().unwrap());
    let before = scene.snapshot();
    scene.now += Span::days(6);
    let certificates = scene.start().unwrap();
    assert_eq!(certificates.decision.client, ClientAction::Recertify);
    let changed = scene.changed_since(&before);
    assert!(
        changed.contains(&"client/cert.pem".to_owned()),
        "{changed:?}"
    );
    assert!(
        !changed.contains(&"client/ca.pem".to_owned()),
        "{changed:?}"
    );
    assert!(
        !changed.contains(&"client/key.pem".to_owned()),
        "{changed:?}"
    );
    scene.assert_good();
}

/// `ca/` of a start before, whose key was not kept, or is another one now.
#[test]
fn a_ca_certificate_of_ours_without_its_key_is_in_nobodys_way() {
    for key in [None, Some(Pki::new().key())] {
        let mut scene = Scene::new();
        scene.mount("", "/v", "rw", "ext4");
        let scene = scene.started();
        fs::remove_file(scene.path("ca/key.pem")).unwrap();
        if let Some(key) = &key {
            scene.put("ca/key.pem", key);
        }
        fs::remove_dir_all(scene.path("client")).unwrap();
        let certificates = scene.start().unwrap();
        assert_eq!(certificates.decision.client, ClientAction::Issue);
        scene.assert_good();
        if let Some(key) = key {
            assert_eq!(scene.read("ca/key.pem"), key.as_bytes());
        }
    }
    // What is no certificate may be the user's.
    Scene::holding(&[("ca/cert.pem", "garbage")]).refused("CERTS-INCOMPLETE");
}

/// No CA key is there, so that one half cannot be mended alone. Each half holds by itself.
#[test]
fn a_pair_of_which_one_half_does_not_trust_the_other_is_replaced() {
    let other = Scene::new().started();
    for (bundles, action) in [
        (&["client/ca.pem"][..], ServerAction::Issue),
        (&["server/ca.pem"], ServerAction::Issue),
        (&["client/ca.pem", "server/ca.pem"], ServerAction::Keep),
    ] {
        let scene = Scene::new().started();
        let both = [scene.read("server/ca.pem"), other.read("client/ca.pem")].concat();
        for name in ["client/ca.pem", "client/cert.pem", "client/key.pem"] {
            scene.put(name, other.read(name));
        }
        for name in bundles {
            scene.put(name, &both);
        }
        let decision = scene.start().unwrap().decision;
        assert_eq!(decision.server, action, "{bundles:?}");
        if action == ServerAction::Issue {
            assert_eq!(decision.client, ClientAction::Issue, "{bundles:?}");
            scene.assert_good();
        }
    }
}

/// On a shared volume another job can lay a whole set with our names there, and wait for clients
/// whose words it can read. A key that we made lies here alone, and is ours.
#[test]
fn a_good_set_whose_key_somebody_else_can_have_is_replaced() {
    let scene = Scene::new().started();
    let copy = scene.root().join("copy");
    for side in ["server", "client"] {
        assert_eq!(scene.decide().unwrap().server, ServerAction::Keep);
        fs::hard_link(scene.path(side).join("key.pem"), &copy).unwrap();
        assert_eq!(
            scene.decide().unwrap().server,
            ServerAction::Issue,
            "{side}"
        );
        fs::remove_file(&copy).unwrap();
    }
}

#[test]
fn a_bundle_to_which_somebody_added_a_ca_is_theirs_however_well_it_works() {
    let scene = Scene::new().started();
    let ours = String::from_utf8(scene.read("client/ca.pem")).unwrap();
    scene.put(
        "client/ca.pem",
        format!("{ours}{}", Pki::new().certificate()),
    );
    scene.refused("CERTS-FOREIGN");
}

#[test]
fn a_pair_that_lacks_a_name_is_kept_where_one_side_cannot_be_written() {
    let mut scene = Scene::new().started();
    scene.settings.names = names("new.example");
    assert_eq!(scene.decide().unwrap().server, ServerAction::Issue);
    let closed: [fn(&mut CertificateDirectory) -> &mut Access; 2] = [
        |found| &mut found.server.access,
        |found| &mut found.client.access,
    ];
    for side in closed {
        let mut found = scene.survey();
        *side(&mut found) = Access::ReadOnly;
        let decision = decide(&found, &scene.wanted()).unwrap();
        assert_eq!(decision.server, ServerAction::Keep);
        assert_eq!(decision.client, ClientAction::Keep);
        assert_eq!(
            ids(&decision.findings),
            [("CERTS-NAME", "warning".to_owned())]
        );
    }
}

#[test]
fn the_lock_is_held_until_it_is_dropped() {
    let scene = Scene::new();
    let first = scene.start().unwrap();
    let second = scene.start().unwrap_err();
    assert_eq!(second.reason.id, "CERTS-IN-USE");
    drop(first);
    assert!(scene.start().is_ok());
}

#[test]
fn certificates_that_the_job_cannot_see_are_an_error_but_only_in_a_gitlab_job() {
    let mut scene = Scene::new();
    scene.mount("server", "/v", "rw", "ext4");
    assert_eq!(ids(&scene.decide().unwrap().findings), []);
    scene.job.in_gitlab = true;
    for state in ["client would be made in", "client lies in"] {
        let decision = scene.decide().unwrap();
        assert_eq!(
            ids(&decision.findings),
            [("CERTS-UNSHARED", "error".to_owned())]
        );
        let cause = &decision.findings[0].cause;
        assert!(cause.contains(state), "{cause}");
        fs::create_dir_all(scene.path("client")).unwrap();
    }
    scene.job.builds_directory = Some(scene.root().to_owned());
    assert_eq!(ids(&scene.decide().unwrap().findings), []);
    scene.job.builds_directory = None;
    scene.mount("client", "/v", "rw", "ext4");
    assert_eq!(ids(&scene.decide().unwrap().findings), []);
}

#[test]
fn the_plan_is_told_in_a_few_lines() {
    let mut scene = Scene::new();
    scene.mount("", "/v", "rw", "ext4");
    scene.names = names("docker,10.0.0.5");
    assert_eq!(
        scene.decide().unwrap().to_string(),
        format!(
            "CA: make a new one, and write it to {}\n\
             server: issue for docker, 10.0.0.5\n\
             client: issue with a new key",
            scene.path("ca").display()
        )
    );
}
