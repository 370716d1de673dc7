//! The life of a service that explains.

use std::fs;
use std::thread;

use super::*;
use crate::busybox::IMPORT_BUSYBOX;

/// The exit status of failures about certificates.
const CERTIFICATE_FAILURE: i32 = 70;

#[test]
fn it_explains_until_it_is_asked_to_end_and_ends_with_the_failures_status() {
    let pod = broken_pod(&Volume::disk()).start();
    pod.job("docker info")
        .expect_failure()
        .expect("CERTS-READONLY");
    assert!(!pod.service_has_ended());
    pod.signal("TERM");
    pod.service_end().expect_status(CERTIFICATE_FAILURE);
}

#[test]
fn a_dockerd_that_ended_leaves_its_own_status() {
    let pod = with_certs(Pod::new(Suite::Trixie))
        .gitlab_job(&Volume::disk())
        .command(&["--mtuu=1400"])
        .start();
    pod.job("docker info")
        .expect_failure()
        .expect("DAEMON-FLAG");
    pod.signal("TERM");
    pod.service_end().expect_status(1);
}

#[test]
fn it_ends_at_once_where_that_is_wanted() {
    let pod = broken_pod(&Volume::disk())
        .variable("DIND_ON_FAILURE", "exit")
        .start();
    pod.service_end()
        .expect_status(CERTIFICATE_FAILURE)
        .expect("CERTS-READONLY");
}

#[test]
fn the_job_log_is_left_alone_where_that_is_wanted() {
    let log = RunnerLog::new();
    let pod = broken_pod(&Volume::disk())
        .runner_log(&log)
        .variable("DIND_JOB_LOG", "off")
        .start();
    pod.job("docker info")
        .expect_failure()
        .expect("CERTS-READONLY");
    assert_eq!(log.text().unwrap(), "");
}

#[test]
fn a_runner_log_that_is_not_there_is_not_made() {
    let log = RunnerLog::missing();
    let pod = broken_pod(&Volume::disk()).runner_log(&log).start();
    pod.job("docker info")
        .expect_failure()
        .expect("CERTS-READONLY");
    assert_eq!(log.text(), None);
}

#[test]
fn the_status_file_says_what_failed() {
    let builds = Volume::disk();
    let pod = broken_pod(&builds).start();
    pod.job("docker info").expect_failure();
    let status = status(&builds);
    assert!(status.contains("\"state\":\"failed\""), "{status}");
    assert!(status.contains("\"id\":\"CERTS-READONLY\""), "{status}");
    assert!(status.contains("\"severity\":\"fatal\""), "{status}");
}

#[test]
fn the_status_file_says_that_all_is_well_and_then_that_dockerd_was_killed() {
    let builds = Volume::disk();
    let pod = with_certs(Pod::new(Suite::Trixie))
        .gitlab_job(&builds)
        .start();
    pod.job("docker info").expect_success();
    let well = status(&builds);
    assert!(well.contains("\"state\":\"ready\""), "{well}");
    assert!(well.contains("\"explanation\":null"), "{well}");

    pod.in_service("kill -KILL $(pidof dockerd)")
        .expect_success();
    pod.job("docker info")
        .expect_failure()
        .expect("DAEMON-KILLED");
    let failed = status(&builds);
    assert!(failed.contains("\"state\":\"failed\""), "{failed}");
    assert!(failed.contains("DAEMON-KILLED"), "{failed}");
}

/// A script ends with the command under which dockerd dies, and the job's log ends with it: nothing
/// asks the daemon any more. The inner container, which lives on, is not waited for.
#[test]
fn a_dockerd_that_dies_under_the_jobs_last_command_is_told_at_once() {
    let (builds, log) = (Volume::disk(), RunnerLog::new());
    let pod = with_certs(Pod::new(Suite::Trixie))
        .gitlab_job(&builds)
        .runner_log(&log)
        .start();
    let (written, status) = thread::scope(|scope| {
        scope.spawn(|| {
            let kill = "until pgrep -x httpd; do sleep 0.01; done; pkill -KILL -x dockerd";
            pod.in_service(kill).expect_success();
        });
        let last = format!("set -e\n{IMPORT_BUSYBOX}\ndocker run --rm busybox httpd -f");
        pod.job(&last).expect_failure();
        (log.text().unwrap(), status(&builds))
    });
    assert!(written.contains("DAEMON-KILLED"), "{written}\n{pod}");
    assert!(status.contains("\"state\":\"failed\""), "{status}");

    pod.job("docker info")
        .expect_failure()
        .expect("DAEMON-KILLED");
    pod.signal("TERM");
    let end = pod.service_end();
    let told = |log: &str| log.matches("DAEMON-KILLED: ").count();
    assert_eq!(told(&log.text().unwrap()), told(&written), "told again");
    let told = end.output().matches("fatal DAEMON-KILLED").count();
    assert_eq!(told, 1, "{end}");
}

fn broken_pod(builds: &Volume) -> Plan {
    Pod::new(Suite::Trixie)
        .certs(&Volume::secret(&[("ca.pem", &registry_ca())]))
        .gitlab_job(builds)
}

fn status(builds: &Volume) -> String {
    fs::read_to_string(builds.path().join(".dind-init/7/status.json")).unwrap()
}
