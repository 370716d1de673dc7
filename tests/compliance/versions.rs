//! What has to be true with every Docker that we have: 20.10, 26.1 and 28.5.

use crate::busybox::IMPORT_BUSYBOX;
use crate::pod::Pod;
use crate::subject::dind_on;
use crate::suite::Suite;
use crate::volume::Volume;

/// Official: a job over TLS and over the unix socket; containers, networks and published ports; the
/// end by SIGTERM, with status 0, and a second start on the same data.
fn a_job_s_whole_life(suite: Suite) {
    let (certs, data) = (Volume::disk(), Volume::disk());
    let pod = dind_on(suite)
        .certs(&certs)
        .volume(&data, "/var/lib/docker")
        .start();
    pod.job(&format!(
        "set -e\n{IMPORT_BUSYBOX}
        docker run --rm busybox echo hello from inside
        docker network create inner
        docker run --detach --net inner --publish 8080:80 busybox \
            sh -c 'echo the inner page > /index.html; exec httpd -f -p 80 -h /'
        curl --silent --show-error --fail --retry 10 --retry-connrefused http://docker:8080/"
    ))
    .expect_success()
    .expect("hello from inside")
    .expect("the inner page");
    pod.in_service("env -u DOCKER_TLS_VERIFY docker -H unix:///var/run/docker.sock version")
        .expect_success();
    ends_well(&pod);

    pod.restart_service();
    pod.job("docker image inspect busybox").expect_success();
    ends_well(&pod);
}

/// Official: plain TCP, user flags, GitLab Auto DevOps' arguments.
fn a_plain_job(suite: Suite) {
    let pod = dind_on(suite)
        .plain()
        .command(&[
            "--tls=false",
            "--host=tcp://0.0.0.0:2375",
            "--label=is=kept",
        ])
        .start();
    pod.job("docker info --format '{{.Labels}}'")
        .expect_success()
        .expect("is=kept");
    ends_well(&pod);
}

/// Official: a flag that dockerd does not know ends the service with dockerd's own status.
fn a_bad_flag(suite: Suite) {
    let own = dind_on(suite)
        .entrypoint_script("dockerd --bad-flag; echo \"status $?\"")
        .start();
    let own = own.service_end().expect_success();
    let line = own
        .output()
        .lines()
        .find_map(|line| line.strip_prefix("status "));
    let status = line.unwrap().parse().unwrap();
    let pod = dind_on(suite).command(&["--bad-flag"]).start();
    pod.service_end().expect_status(status).expect("--bad-flag");
}

/// Official: the port that it does not use is the user's, for an inner container as well, whatever
/// `DOCKER_HOST` the service was given.
fn an_inner_container_may_publish_the_port_that_is_not_used(suite: Suite) {
    let pod = dind_on(suite)
        .variable("DOCKER_HOST", "tcp://docker:2375")
        .certs(&Volume::memory())
        .start();
    pod.job(&format!(
        "set -e; export DOCKER_HOST=tcp://docker:2376\n{IMPORT_BUSYBOX}
        docker run --detach --publish 2375:80 busybox \
            sh -c 'echo the inner page > /index.html; exec httpd -f -p 80 -h /'
        curl --silent --show-error --fail --retry 10 --retry-connrefused http://docker:2375/"
    ))
    .expect_success()
    .expect("the inner page");
}

fn ends_well(pod: &Pod) {
    pod.signal("TERM");
    pod.service_end().expect_status(0);
}

/// A test of each for one Docker.
macro_rules! on {
    ($docker:ident, $suite:expr) => {
        mod $docker {
            use super::*;

            #[test]
            fn a_job_s_whole_life() {
                super::a_job_s_whole_life($suite);
            }

            #[test]
            fn a_plain_job() {
                super::a_plain_job($suite);
            }

            #[test]
            fn a_bad_flag() {
                super::a_bad_flag($suite);
            }

            #[test]
            fn an_inner_container_may_publish_the_port_that_is_not_used() {
                super::an_inner_container_may_publish_the_port_that_is_not_used($suite);
            }
        }
    };
}

on!(docker_20, Suite::Bookworm);
on!(docker_26, Suite::Trixie);
on!(docker_28, Suite::Sid);
