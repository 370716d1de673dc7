//! What an earlier life of the container left behind.

use crate::stand_in::Workbench;
use crate::subject::{dind, dind_without_variables};

/// Official (entrypoint; docker-library/docker#104, #105): `docker*.pid` below /run is removed
/// before dockerd starts, for `dockerd …` as well, and other files stay.
#[test]
fn pid_files_of_dockerd_are_removed() {
    let bench = Workbench::new(dind_without_variables());
    for words in [&[][..], &["dockerd"]] {
        bench
            .shell("mkdir -p /run/own; echo 1 | tee /run/docker.pid /run/docker-own.pid /run/own/Docker.pid /run/sshd.pid")
            .expect_success();
        bench.run(&[], words).expect_start();
        bench
            .shell("ls /run/sshd.pid; ! ls /run/docker.pid && ! ls /run/docker-own.pid && ! ls /run/own/Docker.pid")
            .expect_success();
    }
}

/// The same with a real dockerd, which does not start beside a pid that is alive.
#[test]
fn a_container_that_was_killed_starts_again() {
    let pod = dind().plain().start();
    pod.job("docker version").expect_success();
    pod.in_service("cat /run/docker.pid").expect_success();
    pod.signal("KILL");
    pod.service_end().expect_status(137);
    pod.restart_service();
    pod.job("docker version").expect_success().expect("Server:");
}

mod differs {
    use super::*;

    /// Official overlooks containerd's pid file: where its number belongs to somebody, dockerd waits
    /// for 15 seconds and ends (moby#40292; actions-runner-controller#4362).
    #[test]
    fn the_pid_file_of_containerd_is_removed_too() {
        let pod = dind()
            .plain()
            .entrypoint_script(
                "mkdir -p /run/docker/containerd; echo $$ > /run/docker/containerd/containerd.pid
                 dockerd-entrypoint.sh",
            )
            .start();
        pod.job("docker version").expect_success().expect("Server:");
    }
}
