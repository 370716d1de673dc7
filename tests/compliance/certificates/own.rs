//! Files that users put there themselves: which are used, which are left alone, and which cannot be
//! worked with.

use std::fs;
use std::path::Path;

use super::{openssl, read, text_of};
use crate::openssl::{Authority, Profile};
use crate::stand_in::{Record, Workbench};
use crate::subject::{dind, dind_without_variables};
use crate::volume::Volume;

/// Official (entrypoint): the certificates are issued under a CA key that the user put there.
#[test]
fn the_user_s_ca_signs() {
    let certs = Volume::disk();
    let ca = certs.path().join("ca");
    fs::create_dir(&ca).unwrap();
    let (key, cert) = (ca.join("key.pem"), ca.join("cert.pem"));
    let words = "req -x509 -newkey rsa:2048 -nodes -days 900 -subj /CN=Mine -keyout";
    let mut words: Vec<&str> = words.split(' ').collect();
    words.extend([text_of(&key), "-out", text_of(&cert)]);
    openssl(&words);
    let before = read(&certs, "ca/key.pem");
    let bench = Workbench::new(dind_without_variables().volume(&certs, "/certs"));
    bench.run(&[], &[]).expect_start();
    assert_eq!(read(&certs, "ca/key.pem"), before);
    let public = openssl(&["pkey", "-in", text_of(&key), "-pubout"]);
    for side in ["server", "client"] {
        let path = certs.path().join(side);
        let trusted = path.join("ca.pem");
        let of_ca = openssl(&["x509", "-in", text_of(&trusted), "-noout", "-pubkey"]);
        assert_eq!(of_ca, public, "{side}/ca.pem is not that CA's");
        openssl(&[
            "verify",
            "-CAfile",
            text_of(&trusted),
            text_of(&path.join("cert.pem")),
        ]);
    }
}

/// Official (entrypoint; docker-library/docker#401): `server/` without `ca/key.pem` is the user's
/// own. It is used as it is, and nothing is written anywhere, so all of it may be read-only, in one
/// volume or in one for each side, and `client/` may be missing.
#[test]
fn the_user_s_own_set_is_used_and_nothing_is_written() {
    let authority = Authority::new("Example Corp Docker CA", Profile::Strict);
    let issue = |server: Option<&Path>, client: Option<&Path>| {
        server.inspect(|path| authority.issue_server(path));
        client.inspect(|path| authority.issue_client(path));
    };
    let [whole, without_client, server, client] = [(); 4].map(|()| Volume::disk());
    issue(
        Some(&whole.path().join("server")),
        Some(&whole.path().join("client")),
    );
    issue(Some(&without_client.path().join("server")), None);
    issue(Some(server.path()), Some(client.path()));

    for volumes in [
        vec![(whole.clone(), "/certs")],
        vec![(whole.read_only(), "/certs")],
        vec![(without_client, "/certs")],
        vec![
            (server.read_only(), "/certs/server"),
            (client.read_only(), "/certs/client"),
        ],
    ] {
        let before: Vec<_> = volumes.iter().map(|(volume, _)| volume.files()).collect();
        let mut plan = dind_without_variables();
        for (volume, target) in &volumes {
            plan = plan.volume(volume, target);
        }
        let start = Workbench::new(plan).run(&[], &[]).expect_start();
        for ((volume, _), before) in volumes.iter().zip(&before) {
            volume.expect_unchanged(before);
        }
        start.expect_serves(&["tcp:2376", "unix:/run/docker.sock"]);
        assert_eq!(
            start.flag("--tlscert").as_deref(),
            Some("/certs/server/cert.pem")
        );
    }
}

/// Official: a server's key that is there stays, whoever made it, and the certificate is for it.
#[test]
fn a_server_s_key_of_somebody_else_gets_a_certificate() {
    let certs = Volume::disk();
    let bench = Workbench::new(dind_without_variables().volume(&certs, "/certs"));
    bench.run(&[], &[]).expect_start();
    let key = certs.path().join("server/key.pem");
    let first = read(&certs, "server/key.pem");
    openssl(&["genrsa", "-out", text_of(&key), "2048"]);
    let foreign = read(&certs, "server/key.pem");
    assert_ne!(first, foreign);

    bench.run(&[], &[]).expect_start();
    assert_eq!(read(&certs, "server/key.pem"), foreign);
    let certificate = certs.path().join("server/cert.pem");
    assert_eq!(
        openssl(&["x509", "-in", text_of(&certificate), "-noout", "-pubkey"]),
        openssl(&["pkey", "-in", text_of(&key), "-pubout"])
    );
    let ca = certs.path().join("client/ca.pem");
    openssl(&["verify", "-CAfile", text_of(&ca), text_of(&certificate)]);
}

/// Official: a client directory that is read-only is the end, and so is a server's certificate that
/// its CA did not sign (the status there is openssl's own, 2).
#[test]
fn what_cannot_work_ends_with_a_status_that_is_not_0() {
    let registry = Authority::new("Example Corp Registry CA", Profile::Strict);
    let read_only = Volume::disk().read_only();
    let foreign = Volume::secret(&[("ca.pem", &registry.certificate())]);
    let unchained = Volume::disk();
    registry.issue_server(&unchained.path().join("server"));
    let other = Authority::new("Another CA", Profile::Strict).certificate();
    fs::write(unchained.path().join("server/ca.pem"), other).unwrap();
    let garbage = Volume::disk();
    fs::create_dir(garbage.path().join("ca")).unwrap();
    fs::write(garbage.path().join("ca/key.pem"), "no key\n").unwrap();
    for (volume, target) in [
        (&read_only, "/certs"),
        (&read_only, "/certs/client"),
        (&foreign, "/certs/client"),
        (&unchained, "/certs"),
        (&garbage, "/certs"),
    ] {
        let before = volume.files();
        let record = Record::new();
        // Where it is started after all, it ends at once.
        let plan = dind().variable("STAND_IN", "0").stand_in(&record);
        let pod = plan.volume(volume, target).start();
        pod.service_end().expect_failure();
        assert!(record.start().is_none(), "dockerd was started");
        volume.expect_unchanged(&before);
    }
}

mod differs {
    use super::*;

    /// Official overwrites `ca.pem` and `cert.pem` in a writable `client/`, whoever made them: a
    /// registry's CA that was put there is gone.
    #[test]
    fn a_file_that_is_not_ours_is_not_overwritten() {
        let registry = Authority::new("Example Corp Registry CA", Profile::Strict);
        let certs = Volume::disk();
        fs::write(certs.path().join("ca.pem"), registry.certificate()).unwrap();
        let before = certs.files();
        let record = Record::new();
        let pod = dind().certs(&certs).stand_in(&record).start();
        pod.service_end().expect_failure().expect("ca.pem");
        certs.expect_unchanged(&before);
    }

    /// Official with nothing but `ca/cert.pem` makes no certificates and says nothing; dockerd then
    /// ends because of a file that is missing.
    #[test]
    fn a_ca_certificate_without_its_key_is_explained() {
        let certs = Volume::disk();
        let authority = Authority::new("Example Corp Docker CA", Profile::Strict);
        fs::create_dir(certs.path().join("ca")).unwrap();
        fs::write(certs.path().join("ca/cert.pem"), authority.certificate()).unwrap();
        let before = certs.files();
        let record = Record::new();
        let pod = dind().volume(&certs, "/certs").stand_in(&record).start();
        pod.service_end()
            .expect_failure()
            .expect("/certs/ca holds cert.pem but no key.pem");
        assert!(record.start().is_none());
        certs.expect_unchanged(&before);
    }
}
