//! What a second start keeps, and what it makes anew.

use std::fs;

use super::{names_in, openssl, read, text_of};
use crate::stand_in::Workbench;
use crate::subject::dind_without_variables;
use crate::volume::Volume;

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

mod differs {
    use super::*;

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
}
