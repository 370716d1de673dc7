//! What is made: files, modes, kinds and subjects.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::{certificate, is_valid_for, openssl, read, text_of};
use crate::stand_in::Workbench;
use crate::subject::dind_without_variables;
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

mod differs {
    use super::*;

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
            let expected = format!("Subject: CN=dind-init {subject}");
            assert!(text.contains(&expected), "{text}");
        }
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
