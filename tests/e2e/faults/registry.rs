//! A registry that speaks plain HTTP, and a job that says so, or does not.

use super::*;
use crate::busybox::IMPORT_BUSYBOX;

/// Beside the service, in a container of its own.
const REGISTRY: &str = r#"
    echo '{version: 0.1, storage: {inmemory: {}}, http: {addr: ":5000"}}' > /tmp/registry.yml
    exec docker-registry serve /tmp/registry.yml"#;

/// A name for the pod's own address, since a loopback one needs no TLS.
const NAME: &str = "reg.test:5000";

/// The registry is a package of this suite alone.
fn pod(log: &RunnerLog) -> Plan {
    with_certs(Pod::new(Suite::Trixie))
        .other_service(REGISTRY)
        .entrypoint_script(
            "echo \"$(hostname -I | cut -d ' ' -f 1) reg.test\" >> /etc/hosts; \
             exec dockerd-entrypoint.sh $FLAGS",
        )
        .gitlab_job(&Volume::disk())
        .runner_log(log)
}

fn push_and_pull(pod: &Pod) -> Transcript<'_> {
    pod.job(&format!(
        "set -e\n{IMPORT_BUSYBOX}
        docker tag busybox {NAME}/busybox
        docker push {NAME}/busybox
        docker image rm busybox {NAME}/busybox
        docker pull {NAME}/busybox"
    ))
}

/// dockerd tries TLS first all the same, and logs that as if it were the end.
#[test]
fn one_that_is_declared_insecure_is_no_error() {
    for (name, value) in [
        ("FLAGS", "--insecure-registry=reg.test:5000"),
        ("DIND_INSECURE_REGISTRIES", NAME),
        // A range that any name may lie in.
        ("FLAGS", "--insecure-registry=10.0.0.0/8"),
    ] {
        let log = RunnerLog::new();
        let pod = pod(&log).variable(name, value).start();
        push_and_pull(&pod).expect_success();
        assert_eq!(log.text().unwrap(), "", "{name}");
    }
}

#[test]
fn one_that_is_not_declared_is_told() {
    let log = RunnerLog::new();
    let pod = pod(&log).start();
    push_and_pull(&pod).expect_failure();
    wait_for(&log, "error REGISTRY-PLAIN-HTTP");
}
