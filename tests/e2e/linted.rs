//! What lint says of Helm values is what happens in the pod that the runner makes of them.

use std::fs;
use std::process::Command;

use crate::gitlab::RunnerLog;
use crate::pod::{Plan, Pod};
use crate::pods::registry::{Access, LOGIN, REGISTRY, Registry};
use crate::suite::Suite;
use crate::volume::Volume;

/// A Secret with a registry's CA over the certificates, in the first of two runners.
const VALUES: &str = include_str!("../lint/override-values.yaml");

#[test]
fn the_values_before_and_after_the_repair() {
    let registry = Registry::start(Access::Password);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("override-values.yaml");
    fs::write(&path, VALUES).unwrap();
    let path = path.to_str().unwrap();

    let (status, report) = lint(&["--format=json", path]);
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let id = report["findings"][0]["id"].as_str().unwrap();
    assert_eq!((status, id), (1, "CERTS-READONLY"));

    let log = RunnerLog::new();
    let pod = pod_of(&fs::read_to_string(path).unwrap(), &registry)
        .runner_log(&log)
        .start();
    pod.job("docker info").expect_failure();
    let told = log.text().unwrap();
    assert!(crate::faults::names(&told, id), "{told}");
    drop(pod);

    let (status, diff) = lint(&["--fix", path]);
    assert_eq!(status, 0, "{diff}");
    let repaired = fs::read_to_string(path).unwrap();
    let log = RunnerLog::new();
    let pod = pod_of(&repaired, &registry).runner_log(&log).start();
    pod.job(&format!("docker info >/dev/null && {LOGIN} {REGISTRY}"))
        .expect_success()
        .expect("Login Succeeded");
    assert_eq!(log.text().unwrap(), "");
}

fn lint(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_dind-init"))
        .arg("lint")
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), text)
}

/// The pod that the first runner's volumes make, read by other parsers than lint's own.
fn pod_of(values: &str, registry: &Registry) -> Plan {
    let values: serde_yaml_ng::Value = serde_yaml_ng::from_str(values).unwrap();
    let config: toml::Table =
        toml::from_str(values["runners"]["config"].as_str().unwrap()).unwrap();
    let runner = &config["runners"][0]["kubernetes"];
    assert_eq!(runner["privileged"].as_bool(), Some(true));
    let mut pod = Pod::new(Suite::Trixie)
        .gitlab_job(&Volume::disk())
        .knowing(registry);
    for (kind, volumes) in runner["volumes"].as_table().unwrap() {
        for volume in volumes.as_array().unwrap() {
            let content = match kind.as_str() {
                "secret" => Volume::secret(&[("ca.pem", &registry.ca())]),
                "empty_dir" => Volume::memory(),
                other => panic!("no such volume in this file: {other}"),
            };
            pod = pod.volume(&content, volume["mount_path"].as_str().unwrap());
        }
    }
    pod
}
