//! CA and server certificate, in a process of their own: the first ones are those that count.

use std::{path::Path, time::Duration};

use dind_init::testing::{
    assessment::certificates::{names, wanted},
    facts::mounts::Mounts,
    pki,
    settings::Settings,
};

use crate::clock;

/// Brings the certificate directory into order, and prints how long that took.
pub fn make(directory: &str) {
    let environment = |name: &str| {
        (name == "DOCKER_TLS_CERTDIR").then(|| Path::new(directory).display().to_string())
    };
    let settings = Settings::parse(&environment).expect("these settings are accepted");
    let certificates = settings.certificates.as_ref().expect("a directory is set");
    let mounts = Mounts::read().expect("/proc/self/mountinfo is readable");
    let names = names(certificates, &settings);
    let wanted = wanted(certificates, &settings, &names);

    let start = clock::now();
    let made = pki::prepare(&mounts, &wanted, Duration::ZERO);
    let took = clock::now() - start;

    made.expect("certificates can be made here");
    assert!(Path::new(directory).join("server/ca.pem").exists());
    println!("{}", clock::write(took));
}
