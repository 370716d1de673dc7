//! Mirrors and insecure registries that variables name, beside those of flags and daemon.json.

use std::fs;

use crate::pod::{Plan, Pod};
use crate::suite::Suite;
use crate::volume::Volume;

const INFO: &str = "docker info --format '{{.RegistryConfig.Mirrors}} {{.RegistryConfig.InsecureRegistryCIDRs}} {{json .RegistryConfig.IndexConfigs}}'";

#[test]
fn variables_alone_are_enough() {
    let pod = wanted(Pod::new(Suite::Bookworm)).start();
    pod.job(INFO)
        .expect_success()
        .expect("[https://mirror.example/]")
        .expect("insecure.example:5000");
}

#[test]
fn flags_of_the_service_stay() {
    let pod = wanted(Pod::new(Suite::Trixie))
        .command(&["--registry-mirror=https://flag.example"])
        .start();
    let outcome = pod.job(INFO).expect_success();
    outcome
        .expect("https://mirror.example/")
        .expect("https://flag.example/");
}

/// The same list by flag would end dockerd: here it is in daemon.json, which cannot be written.
#[test]
fn a_daemon_json_keeps_what_it_says_and_gets_the_rest() {
    let file = Volume::disk();
    let json = r#"{"registry-mirrors": ["https://file.example"], "labels": ["of=the-file"]}"#;
    fs::write(file.path().join("daemon.json"), json).unwrap();
    let pod = wanted(Pod::new(Suite::Trixie))
        .volume(&file.clone().read_only(), "/etc/docker")
        .start();
    pod.job(&format!("{INFO}; docker info --format '{{{{.Labels}}}}'"))
        .expect_success()
        .expect("[https://file.example/ https://mirror.example/]")
        .expect("insecure.example:5000")
        .expect("of=the-file");
    let log = pod.service_log();
    assert!(log.contains("note DAEMON-CONFIGURED"), "{log}");
    let after = fs::read_to_string(file.path().join("daemon.json")).unwrap();
    assert_eq!(after, json);
}

fn wanted(plan: Plan) -> Plan {
    plan.certs(&Volume::memory())
        .variable("DIND_REGISTRY_MIRRORS", "https://mirror.example")
        .variable("DIND_INSECURE_REGISTRIES", "insecure.example:5000")
}
