//! The certificate directory: files, modes, names, whose files are touched, and what a second start
//! does.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use crate::openssl::{Authority, Profile};
use crate::stand_in::{Record, Workbench};
use crate::subject::{dind, dind_without_variables};
use crate::volume::Volume;

/// Official (entrypoint): the nine files, and their modes: keys for root alone, but the client's
/// key for everybody, since jobs may not be root (docker-library/docker#171).
#[test]
fn the_files_have_official_s_names_modes_and_owners() {
    let certs = Volume::disk();
    let bench = Workbench::new(dind_without_variables().volume(&certs, "/certs"));
    bench.run(&[], &[]).expect_start();
    for (file, mode) in [
        ("ca", 0o755),
        ("ca/cert.pem", 0o644),
        ("ca/key.pem", 0o600),
        ("server", 0o755),
        ("server/ca.pem", 0o644),
        ("server/cert.pem", 0o644),
        ("server/key.pem", 0o600),
        ("client", 0o755),
        ("client/ca.pem", 0o644),
        ("client/cert.pem", 0o644),
        ("client/key.pem", 0o644),
    ] {
        let metadata = fs::metadata(certs.path().join(file)).expect(file);
        assert_eq!(metadata.mode() & 0o7777, mode, "{file}");
        assert_eq!((metadata.uid(), metadata.gid()), (0, 0), "{file}");
    }
    let key = fs::read_to_string(certs.path().join("client/key.pem")).unwrap();
    assert!(key.starts_with("-----BEGIN PRIVATE KEY-----"), "not PKCS#8");
    for copy in ["server/ca.pem", "client/ca.pem"] {
        assert_eq!(read(&certs, copy), read(&certs, "ca/cert.pem"), "{copy}");
    }
}

/// Official (entrypoint): one extended key usage each, 825 days; `openssl verify` passes.
#[test]
fn the_certificates_are_official_s_kind() {
    let certs = Volume::disk();
    let bench = Workbench::new(dind_without_variables().volume(&certs, "/certs"));
    bench.run(&[], &[]).expect_start();
    for (file, usage) in [
        ("server", "TLS Web Server Authentication\n"),
        ("client", "TLS Web Client Authentication\n"),
    ] {
        let path = certs.path().join(file).join("cert.pem");
        let text = certificate(&path);
        assert!(text.contains(usage), "{text}");
        let ca = path.with_file_name("ca.pem");
        openssl(&["verify", "-CAfile", text_of(&ca), text_of(&path)]);
        let day = 24 * 60 * 60;
        // `-checkend` fails where the certificate ends before then.
        let ends = |days: i64| !is_valid_for(&path, days * day);
        assert!(!ends(823) && ends(826), "not 825 days: {text}");
    }
    let authority = certificate(&certs.path().join("ca/cert.pem"));
    for part in ["CA:TRUE", "Certificate Sign"] {
        assert!(authority.contains(part), "{part} in {authority}");
    }
}

/// Official (entrypoint): every address of every interface, /etc/hostname, `docker`, `localhost`,
/// the host's name in full and short, and `DOCKER_TLS_SAN` in OpenSSL's syntax.
#[test]
fn the_server_s_names_are_all_of_official_s() {
    let bench = Workbench::new(dind_without_variables());
    let wanted = "DNS:docker.example.com,DNS:*.wild.example,IP:192.0.2.7,IP:2001:db8::7";
    bench.run(&[("DOCKER_TLS_SAN", wanted)], &[]).expect_start();
    let names = names_in(&bench);
    let host = bench.shell("hostname; ip -oneline address 2>/dev/null | grep -v docker0");
    let host = host.expect_success();
    let mut lines = host.output().lines();
    let mut expected = vec!["DNS:docker".to_owned(), "DNS:localhost".to_owned()];
    expected.push(format!("DNS:{}", lines.next().unwrap()));
    for line in lines {
        let address = line.split_whitespace().nth(3).unwrap();
        let address = address.split('/').next().unwrap();
        if !address.contains(':') {
            expected.push(format!("IP Address:{address}"));
        }
    }
    expected.push("IP Address:127.0.0.1".to_owned());
    expected.push("IP Address:0:0:0:0:0:0:0:1".to_owned());
    for name in ["docker.example.com", "*.wild.example"] {
        expected.push(format!("DNS:{name}"));
    }
    expected.push("IP Address:192.0.2.7".to_owned());
    expected.push("IP Address:2001:DB8:0:0:0:0:0:7".to_owned());
    for name in expected {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
}

/// Official (entrypoint): OpenSSL's other kinds of names, too. A second start finds them there.
#[test]
fn names_that_nobody_dials_are_in_the_certificate() {
    let certs = Volume::disk();
    let bench = Workbench::new(dind_without_variables().volume(&certs, "/certs"));
    let value = "URI:spiffe://example.com/docker,email:ci@example.com,DNS:dind-0";
    for _ in 0..2 {
        bench.run(&[("DOCKER_TLS_SAN", value)], &[]).expect_start();
        let text = certificate(&certs.path().join("server/cert.pem"));
        for name in [
            "URI:spiffe://example.com/docker",
            "email:ci@example.com",
            "DNS:dind-0",
            "DNS:docker",
        ] {
            assert!(text.contains(name), "{name} is not in {text}");
        }
    }
}

/// Official (entrypoint): keys that are there are kept, and clients of the first start still work.
#[test]
fn a_second_start_keeps_the_keys() {
    let certs = Volume::disk();
    let bench = Workbench::new(dind_without_variables().volume(&certs, "/certs"));
    bench.run(&[], &[]).expect_start();
    let keys = ["ca/key.pem", "server/key.pem", "client/key.pem"];
    let before = keys.map(|key| read(&certs, key));
    fs::copy(
        certs.path().join("client/ca.pem"),
        certs.path().join("first.pem"),
    )
    .unwrap();
    bench.run(&[], &[]).expect_start();
    assert_eq!(keys.map(|key| read(&certs, key)), before);
    let (first, server) = (
        certs.path().join("first.pem"),
        certs.path().join("server/cert.pem"),
    );
    openssl(&["verify", "-CAfile", text_of(&first), text_of(&server)]);
}

/// Official (entrypoint): new names, and certificates that have run out, mean new certificates at
/// the next start, under the same CA.
#[test]
fn a_second_start_takes_new_names_in() {
    let certs = Volume::disk();
    let bench = Workbench::new(dind_without_variables().volume(&certs, "/certs"));
    bench.run(&[], &[]).expect_start();
    let authority = read(&certs, "ca/key.pem");
    assert!(!names_in(&bench).contains(&"DNS:new.example.com".to_owned()));
    let wanted = [("DOCKER_TLS_SAN", "DNS:new.example.com")];
    bench.run(&wanted, &[]).expect_start();
    assert!(names_in(&bench).contains(&"DNS:new.example.com".to_owned()));
    assert_eq!(read(&certs, "ca/key.pem"), authority);
}

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

    /// Official's list of names ends where a name cannot be read: without /etc/hostname, `docker`
    /// and `localhost` are not in the certificate either.
    #[test]
    fn a_missing_etc_hostname_loses_no_name() {
        let bench = Workbench::new(dind_without_variables());
        bench
            .shell("umount /etc/hostname; rm -f /etc/hostname; ! cat /etc/hostname")
            .expect_success();
        bench.run(&[], &[]).expect_start();
        let names = names_in(&bench);
        for name in ["DNS:docker", "DNS:localhost"] {
            assert!(
                names.contains(&name.to_owned()),
                "{name} is not among {names:?}"
            );
        }
    }

    /// Official's list ends as well where `hostname -f` fails, because nobody knows the host's full
    /// name: the short one is missing then.
    #[test]
    fn a_full_host_name_that_nobody_knows_loses_no_name() {
        let bench = Workbench::new(dind_without_variables());
        bench
            .shell(
                "hostname my-pod.example.test; umount /etc/hosts; echo > /etc/hosts
                 printf '#!/bin/sh\\n[ \"$1\" != -f ] && exec /usr/bin/hostname \"$@\"' \\
                     > /usr/local/sbin/hostname; chmod +x /usr/local/sbin/hostname; ! hostname -f",
            )
            .expect_success();
        bench.run(&[], &[]).expect_start();
        let names = names_in(&bench);
        for name in [
            "DNS:docker",
            "DNS:localhost",
            "DNS:my-pod",
            "DNS:my-pod.example.test",
        ] {
            assert!(
                names.contains(&name.to_owned()),
                "{name} is not among {names:?}"
            );
        }
    }

    /// Official wants to write `ca/cert.pem` wherever there is a `ca/key.pem`, and ends where it
    /// cannot, however good all the rest is.
    #[test]
    fn a_good_set_is_used_where_all_of_it_is_read_only_and_its_ca_s_key_is_there() {
        let certs = Volume::disk();
        let bench = Workbench::new(dind_without_variables().volume(&certs, "/certs"));
        bench.run(&[], &[]).expect_start();
        assert!(certs.path().join("ca/key.pem").exists());
        let before = certs.files();
        let read_only = certs.clone().read_only();
        let bench = Workbench::new(dind_without_variables().volume(&read_only, "/certs"));
        bench.run(&[], &[]).expect_start();
        certs.expect_unchanged(&before);

        // The control: a CA's key alone makes no set.
        for side in ["server", "client"] {
            fs::remove_dir_all(certs.path().join(side)).unwrap();
        }
        let outcome = bench.run(&[], &[]).expect_no_start().transcript;
        outcome.expect_failure().expect("CERTS-READONLY");
    }

    /// Official's names run together where /etc/hostname does not end its line: the certificate is
    /// for `5bb024aa03b4docker`, and not for `docker`.
    #[test]
    fn names_do_not_run_together() {
        let bench = Workbench::new(dind_without_variables());
        bench
            .shell("printf my-pod > /etc/hostname")
            .expect_success();
        bench.run(&[], &[]).expect_start();
        let names = names_in(&bench);
        for name in ["DNS:docker", "DNS:my-pod"] {
            assert!(
                names.contains(&name.to_owned()),
                "{name} is not among {names:?}"
            );
        }
    }

    /// Official hands `DOCKER_TLS_SAN` to OpenSSL as it is, and a bare name or a space ends the
    /// service (jackin-project/jackin#60).
    #[test]
    fn bare_names_and_spaces_are_accepted() {
        let bench = Workbench::new(dind_without_variables());
        for (value, expected) in [
            ("dind-0", &["DNS:dind-0"][..]),
            ("DNS:a, DNS:b", &["DNS:a", "DNS:b"]),
            (
                "192.0.2.7, dind-0 ,",
                &["IP Address:192.0.2.7", "DNS:dind-0"],
            ),
        ] {
            bench.run(&[("DOCKER_TLS_SAN", value)], &[]).expect_start();
            let names = names_in(&bench);
            for name in expected {
                assert!(
                    names.contains(&(*name).to_owned()),
                    "{name} is not among {names:?}"
                );
            }
        }
    }

    /// Official's certificate has no names at all where `DOCKER_TLS_SAN` holds a quote, and every
    /// client fails.
    #[test]
    fn what_is_no_name_is_refused() {
        let bench = Workbench::new(dind_without_variables());
        for value in ["it's", "DNS:a b", "IP:docker", "DNS:"] {
            bench
                .run(&[("DOCKER_TLS_SAN", value)], &[])
                .expect_no_start()
                .transcript
                .expect_failure()
                .expect("DOCKER_TLS_SAN")
                .expect(value);
        }
    }

    /// Official makes three RSA keys of 4096 bits, for 6 to 22 seconds; the runner may have given
    /// up by then.
    #[test]
    fn keys_are_made_quickly() {
        let certs = Volume::disk();
        let bench = Workbench::new(dind_without_variables().volume(&certs, "/certs"));
        let first = bench.run(&[], &[]);
        assert!(first.start.is_some(), "{}", first.transcript);
        let again = bench.run(&[], &[]);
        // The second run makes no keys; RSA-4096 would make the first many times as long.
        let (first, again) = (first.transcript.took(), again.transcript.took());
        assert!(first < again * 4, "first {first:.1?}, again {again:.1?}");
    }

    /// Official's certificates all say `docker:dind`, whoever made them. Ours say `dind-init`, which
    /// tells whose files may be replaced; no client asks for more than names, chain and usage.
    #[test]
    fn subjects_say_who_made_them() {
        let certs = Volume::disk();
        let bench = Workbench::new(dind_without_variables().volume(&certs, "/certs"));
        bench.run(&[], &[]).expect_start();
        for (file, subject) in [("ca", "CA"), ("server", "server"), ("client", "client")] {
            let text = certificate(&certs.path().join(file).join("cert.pem"));
            let expected = format!("Subject: CN = dind-init {subject}");
            assert!(text.contains(&expected), "{text}");
        }
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

    /// Official writes a key into whatever file is there, with that file's mode: an empty
    /// `ca/key.pem` of mode 0644 becomes a CA key that everybody reads.
    #[test]
    fn a_private_key_is_private_whatever_was_in_its_place() {
        let certs = Volume::disk();
        for directory in ["ca", "server"] {
            fs::create_dir(certs.path().join(directory)).unwrap();
            let file = certs.path().join(directory).join("key.pem");
            fs::write(&file, "").unwrap();
            fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        }
        let bench = Workbench::new(dind_without_variables().volume(&certs, "/certs"));
        bench.run(&[], &[]).expect_start();
        // And the next start finds a set that is whole.
        bench.run(&[], &[]).expect_start();
        for key in ["ca/key.pem", "server/key.pem"] {
            let metadata = fs::metadata(certs.path().join(key)).unwrap();
            assert!(metadata.len() > 0, "{key} is empty");
            assert_eq!(metadata.mode() & 0o777, 0o600, "{key}");
        }
    }
}

/// The server certificate's names, as OpenSSL prints them.
fn names_in(bench: &Workbench) -> Vec<String> {
    let certificate = bench.shell("cat /certs/server/cert.pem").expect_success();
    let directory = Volume::disk();
    let path = directory.path().join("cert.pem");
    fs::write(&path, certificate.output()).unwrap();
    let text = openssl(&[
        "x509",
        "-in",
        text_of(&path),
        "-noout",
        "-ext",
        "subjectAltName",
    ]);
    let names = text.lines().nth(1).unwrap_or_default();
    names
        .split(',')
        .map(|name| name.trim().to_owned())
        .collect()
}

fn certificate(path: &Path) -> String {
    openssl(&["x509", "-in", text_of(path), "-noout", "-text"])
}

fn is_valid_for(path: &Path, seconds: i64) -> bool {
    let seconds = seconds.to_string();
    let words = [
        "x509",
        "-in",
        text_of(path),
        "-noout",
        "-checkend",
        &seconds,
    ];
    let done = Command::new("openssl").args(words).output();
    done.expect("openssl starts").status.success()
}

fn openssl(words: &[&str]) -> String {
    let done = Command::new("openssl")
        .args(words)
        .output()
        .expect("openssl starts");
    let complaint = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "openssl {words:?}: {complaint}");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

fn read(volume: &Volume, file: &str) -> Vec<u8> {
    fs::read(volume.path().join(file)).expect(file)
}

fn text_of(path: &Path) -> &str {
    path.to_str().unwrap()
}
