//! The daemon's unix socket.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use crate::pod::Pod;
use crate::suite::Suite;
use crate::volume::Volume;

#[test]
fn a_unix_socket_on_a_shared_volume() {
    let sockets = Volume::disk();
    let pod = unix_socket_pod(&sockets);
    pod.job("docker version").expect_success().expect("Server:");

    let socket = fs::metadata(sockets.path().join("docker.sock")).unwrap();
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.mode() & 0o777, 0o660);

    pod.signal("TERM");
    pod.service_end().expect_status(0);
    assert!(
        !sockets.path().join("docker.sock").exists(),
        "our socket file is left behind"
    );
}

/// A daemon that was killed leaves its socket file; the next one takes its place.
#[test]
fn a_stale_socket_file_is_replaced() {
    let sockets = Volume::disk();
    let killed = unix_socket_pod(&sockets);
    killed.job("docker version").expect_success();
    killed.signal("KILL");
    killed.service_end().expect_status(137);
    drop(killed);
    assert!(sockets.path().join("docker.sock").exists());

    let next = unix_socket_pod(&sockets);
    next.job("docker version")
        .expect_success()
        .expect("Server:");
}

/// What is not a socket is not ours to remove.
#[test]
fn a_directory_in_the_sockets_place_is_explained() {
    let sockets = Volume::disk();
    fs::create_dir(sockets.path().join("docker.sock")).unwrap();
    let pod = unix_socket_pod(&sockets);
    pod.service_end()
        .expect_status(NETWORK_FAILURE)
        .expect("dind-init: fatal NETWORK-SOCKET-BUSY: ")
        .expect("/run/dind/docker.sock");
    assert!(sockets.path().join("docker.sock").is_dir());
}

/// Two daemons in one pod: the second says which port is taken, and by whom.
#[test]
fn a_port_in_use_is_explained() {
    let pod = Pod::new(Suite::Trixie)
        .plain()
        .entrypoint_script(
            "busybox httpd -f -p 2375 & \
             until grep -q ':0947 .* 0A ' /proc/net/tcp /proc/net/tcp6; do sleep 0.01; done; \
             exec dockerd-entrypoint.sh",
        )
        .start();
    pod.service_end()
        .expect_status(NETWORK_FAILURE)
        .expect("dind-init: fatal NETWORK-PORT-IN-USE: ")
        .expect("busybox (process ")
        .expect("port 2375");
}

/// The spelling of GitLab's Auto DevOps, whose port is ours already, and a port that is not.
#[test]
fn the_users_own_hosts_are_served_and_bound_only_once() {
    let pod = Pod::new(Suite::Trixie)
        .plain()
        .command(&[
            "--tls=false",
            "--host=tcp://0.0.0.0:2375",
            "-H",
            "tcp://127.0.0.1:4321",
            "--host=unix:///var/run/docker.sock",
        ])
        .start();
    pod.job("docker version && DOCKER_HOST=tcp://docker:4321 docker version")
        .expect_success();
    pod.in_service("DOCKER_HOST= docker version")
        .expect_success();
}

/// dockerd refuses flags of ours beside `hosts` in its file; the file is the user's word.
#[test]
fn hosts_in_daemon_json_are_the_users_word() {
    let configuration = Volume::disk();
    fs::write(
        configuration.path().join("daemon.json"),
        r#"{"hosts": ["tcp://0.0.0.0:2375", "unix:///run/own.sock"]}"#,
    )
    .unwrap();
    let pod = Pod::new(Suite::Trixie)
        .plain()
        .volume(&configuration, "/etc/docker")
        .start();
    // dockerd opens this port itself, after a pause of its own.
    pod.job("until docker version; do sleep 0.2; done")
        .expect_success();
    pod.in_service("DOCKER_HOST=unix:///run/own.sock docker version")
        .expect_success();
}

/// dockerd ignores the group for sockets that it is handed, so the init sees to it.
#[test]
fn the_group_of_the_socket_is_the_users_choice() {
    for (arguments, group) in [
        (&[][..], "docker"),
        (&["--group=daemon"], "daemon"),
        (&["-G", "4711"], "4711"),
    ] {
        let pod = Pod::new(Suite::Trixie).plain().command(arguments).start();
        pod.job("docker version").expect_success();
        pod.in_service("stat -c '%G %g %a' /run/docker.sock")
            .expect_success()
            .expect(group)
            .expect(" 660");
    }
}

/// The exit status of failures about sockets and ports.
const NETWORK_FAILURE: i32 = 72;

fn unix_socket_pod(sockets: &Volume) -> Pod {
    Pod::new(Suite::Trixie)
        .without("DOCKER_TLS_VERIFY")
        .without("DOCKER_CERT_PATH")
        .variable("DOCKER_HOST", "unix:///run/dind/docker.sock")
        .volume(sockets, "/run/dind")
        .start()
}
