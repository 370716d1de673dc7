//! The other side of the matrix: where nothing is wrong, nothing is said.

use super::*;

/// What is shown with `CI_DEBUG_SERVICES`, from start to end.
const LINES: usize = 25;

#[test]
fn a_healthy_pod_gives_no_reason_docker_20() {
    a_healthy_pod_gives_no_reason(Suite::Bookworm);
}

#[test]
fn a_healthy_pod_gives_no_reason_docker_26() {
    a_healthy_pod_gives_no_reason(Suite::Trixie);
}

#[test]
fn a_healthy_pod_gives_no_reason_docker_28() {
    a_healthy_pod_gives_no_reason(Suite::Sid);
}

fn a_healthy_pod_gives_no_reason(suite: Suite) {
    for plan in [with_certs(Pod::new(suite)), Pod::new(suite).plain()] {
        let log = RunnerLog::new();
        // The data directory on a volume, as every dind image declares it.
        let pod = plan
            .gitlab_job(&Volume::disk())
            .runner_log(&log)
            .volume(&Volume::disk(), "/var/lib/docker")
            .start();
        pod.job("docker info").expect_success();
        pod.signal("TERM");
        let end = pod.service_end().expect_status(0);
        assert_eq!(log.text().unwrap(), "", "{end}");
        for severity in ["fatal ", "error ", "warning "] {
            let finding = format!("dind-init: {severity}");
            assert!(!end.output().contains(&finding), "{end}");
        }
        let ours = end.output().lines();
        let ours = ours.filter(|line| line.starts_with("dind-init: ")).count();
        assert!((1..=LINES).contains(&ours), "{ours} lines are ours\n{end}");
    }
}

/// What the service of this very container holds is not taken: its port, its socket, its locks.
#[test]
fn check_does_not_complain_of_the_service_that_it_runs_beside() {
    for plan in [
        with_certs(Pod::new(Suite::Trixie)),
        Pod::new(Suite::Trixie).plain(),
    ] {
        let pod = plan
            .gitlab_job(&Volume::disk())
            .volume(&Volume::disk(), "/var/lib/docker")
            .start();
        pod.job("docker info").expect_success();
        let found = pod.in_service("dind-init check").expect_success();
        for mark in ["×", "‼"] {
            assert!(!found.output().contains(mark), "{found}");
        }
    }
}

/// A runner that has no such file, or another way, does not get one from us.
#[test]
fn a_healthy_pod_makes_no_runner_log() {
    let log = RunnerLog::missing();
    let pod = with_certs(Pod::new(Suite::Trixie))
        .gitlab_job(&Volume::disk())
        .runner_log(&log)
        .start();
    pod.job("docker info").expect_success();
    assert_eq!(log.text(), None);
}
