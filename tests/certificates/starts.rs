//! Our own sets: made, kept, replaced.

use std::{fs, time::Duration};

use dind_init::testing::{
    pki::{ClientAction, ClientKeyInTheMaking, ServerAction, prepare},
    settings::ClientKey,
};
use time::Duration as Span;

use crate::scene::{Scene, ids, names};

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
    let decision = scene.decide().unwrap();
    assert_eq!(
        ids(&decision.findings),
        [("CERTS-UNSHARED", "error".to_owned())]
    );
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
