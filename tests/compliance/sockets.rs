//! Ports and sockets: which there are, who may use them, and what stays free for others.

use std::fs;

use crate::busybox::IMPORT_BUSYBOX;
use crate::pod::Plan;
use crate::stand_in::Workbench;
use crate::subject::{dind, dind_without_variables};
use crate::volume::Volume;

const UNIX: &str = "unix:/run/docker.sock";

/// Official (entrypoint, moby): the user's hosts are served beside the defaults. One that is a
/// default already, as GitLab's Auto DevOps has it, is bound once here, where dockerd by itself
/// would find the address in use.
#[test]
fn the_user_s_hosts_are_served_beside_the_defaults() {
    let bench = Workbench::new(dind_without_variables());
    let plain: &[(&str, &str)] = &[("DOCKER_TLS_CERTDIR", "")];
    for (variables, words, addresses) in [
        (
            plain,
            &["--tls=false", "--host=tcp://0.0.0.0:2375"][..],
            &["tcp:2375", UNIX][..],
        ),
        (
            plain,
            &["-H", "tcp://127.0.0.1:4321"],
            &["tcp:2375", "tcp:127.0.0.1:4321", UNIX],
        ),
        (
            plain,
            &["--host=tcp://0.0.0.0:2376"],
            &["tcp:2375", "tcp:2376", UNIX],
        ),
        (plain, &["-Hunix:///run/mine.sock"], &["tcp:2375", UNIX]),
        (
            &[],
            &["--host", "unix:///var/run/docker.sock"],
            &["tcp:2376", UNIX],
        ),
        (
            &[],
            &["--host=tcp://0.0.0.0:2375"],
            &["tcp:2375", "tcp:2376", UNIX],
        ),
    ] {
        let start = bench.run(variables, words).expect_start();
        let served = start.serves();
        for address in addresses {
            assert!(served.contains(*address), "{address} is not in {served:?}");
        }
        if let Some(level) = words.iter().find(|word| word.starts_with("--tls=")) {
            assert!(
                start.argv.contains(&(*level).to_owned()),
                "{:?}",
                start.argv
            );
        }
    }
    let own = bench
        .run(plain, &["-Hunix:///run/mine.sock"])
        .expect_start();
    assert!(
        own.argv
            .iter()
            .any(|word| word.contains("unix:///run/mine.sock"))
    );
}

/// Official: TCP with client certificates, and the unix socket at the same time; no certificate, or
/// no TLS, is no service.
#[test]
fn tls_wants_the_client_s_certificate_and_the_unix_socket_is_there_too() {
    let pod = dind().certs(&Volume::memory()).start();
    pod.job(
        "docker version && curl --fail --silent --cacert $DOCKER_CERT_PATH/ca.pem \
             --cert $DOCKER_CERT_PATH/cert.pem --key $DOCKER_CERT_PATH/key.pem \
             https://docker:2376/version",
    )
    .expect_success()
    .expect("ApiVersion");
    pod.job("! curl --fail --silent --show-error --cacert $DOCKER_CERT_PATH/ca.pem https://docker:2376/version")
        .expect_success();
    pod.job("curl --silent http://docker:2376/version")
        .expect("Client sent an HTTP request to an HTTPS server");
    pod.in_service("env -u DOCKER_TLS_VERIFY docker -H unix:///var/run/docker.sock version && stat -c '%U:%G %a' /var/run/docker.sock")
        .expect_success()
        .expect("root:docker 660");
}

/// Official (entrypoint): with `DOCKER_HOST=unix://…` on a volume, as GitLab recommends it for
/// concurrent jobs, the socket is there and nowhere else; TCP with TLS stays.
#[test]
fn a_unix_docker_host_is_served_beside_tcp() {
    let sockets = Volume::disk();
    let certs = Volume::memory();
    let pod = dind()
        .without("DOCKER_TLS_VERIFY")
        .without("DOCKER_CERT_PATH")
        .variable("DOCKER_HOST", "unix:///run/dind/docker.sock")
        .volume(&sockets, "/run/dind")
        .certs(&certs)
        .start();
    pod.job(
        "docker version && DOCKER_HOST=tcp://docker:2376 DOCKER_TLS_VERIFY=1 \
             DOCKER_CERT_PATH=/certs/client docker version",
    )
    .expect_success();
    pod.in_service("! ls /var/run/docker.sock").expect_success();
}

/// Official (moby): `--group` by name and by number, and daemon.json's `group`.
#[test]
fn the_socket_s_group_is_the_user_s_choice() {
    for (words, json, group) in [
        (&[][..], "{}", "docker"),
        (&["--group=daemon"], "{}", "daemon"),
        (&["-G", "4711"], "{}", "4711"),
        (&[], r#"{"group": "daemon"}"#, "daemon"),
    ] {
        let pod = dind().plain().configuration(json).command(words).start();
        pod.job("docker version").expect_success();
        let owner = pod
            .in_service("stat -c '%G %g' /var/run/docker.sock")
            .expect_success();
        assert!(owner.output().contains(group), "{words:?} {json}\n{owner}");
    }
}

/// Official: each binds its own port, so both fit into the network of one pod, whichever comes
/// first, and whatever `DOCKER_HOST` says to both.
#[test]
fn a_tls_dind_and_a_plain_one_share_a_pod() {
    for host in [None, Some("tcp://docker:2375"), Some("tcp://docker:2376")] {
        let certs = Volume::memory();
        let with_host = |plan: Plan| match host {
            Some(host) => plan.variable("DOCKER_HOST", host),
            None => plan,
        };
        let tls = with_host(dind_without_variables().certs(&certs));
        let plain =
            with_host(dind_without_variables().certs(&certs)).variable("DOCKER_TLS_CERTDIR", "");
        // As the runner's health check waits, by connecting.
        let job = "for port in 2375 2376; do
                until (exec 3<>/dev/tcp/docker/$port) 2>/dev/null; do sleep 0.05; done; done
            DOCKER_HOST=tcp://docker:2376 DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=/certs/client \
                docker version && DOCKER_HOST=tcp://docker:2375 docker version";
        let first = tls.clone().start();
        // Ready, with everything open that it is going to open.
        first
            .in_service("until docker -H unix:///var/run/docker.sock version; do sleep 0.05; done")
            .expect_success();
        let second = without_network_of_its_own(plain.clone()).start_in(&first);
        second.job(job).expect_success();
        drop(second);
        drop(first);

        let first = without_network_of_its_own(plain).start();
        first
            .in_service("until docker -H unix:///var/run/docker.sock version; do sleep 0.05; done")
            .expect_success();
        let second = tls.start_in(&first);
        second.job(job).expect_success();
    }
}

/// Official: the port that it does not use is the user's, also where no
/// `DOCKER_HOST` is set at all. (versions.rs has the same where one is.)
#[test]
fn an_inner_container_may_publish_the_port_that_nobody_named() {
    let certs = Volume::memory();
    let pod = dind_without_variables().certs(&certs).start();
    pod.job(&format!(
        "set -e
        export DOCKER_HOST=tcp://docker:2376 DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=/certs/client
        {IMPORT_BUSYBOX}
        docker run --detach --publish 2375:80 busybox \
            sh -c 'echo the inner page > /index.html; exec httpd -f -p 80 -h /'
        curl --silent --show-error --fail --retry 10 --retry-connrefused http://docker:2375/"
    ))
    .expect_success()
    .expect("the inner page");
}

/// Official (moby): a socket file that a killed daemon left behind is replaced.
#[test]
fn a_socket_file_without_a_daemon_is_replaced() {
    let sockets = Volume::disk();
    drop(std::os::unix::net::UnixListener::bind(sockets.path().join("docker.sock")).unwrap());
    assert!(fs::exists(sockets.path().join("docker.sock")).unwrap());
    let pod = dind()
        .plain()
        .variable("DOCKER_HOST", "unix:///run/dind/docker.sock")
        .volume(&sockets, "/run/dind")
        .start();
    pod.job("docker version").expect_success().expect("Server:");
}

/// Two daemons in one network must not both own its rules and its bridge.
fn without_network_of_its_own(plan: Plan) -> Plan {
    plan.command(&["--iptables=false", "--bridge=none"])
}

mod differs {
    use super::*;

    /// Official gives dockerd a plain port without a word about TLS, and dockerd waits for 16
    /// seconds to warn of it (moby `daemon/command/daemon.go`; docker-library/docker#294, #430).
    #[test]
    fn a_plain_port_has_no_pause() {
        let ours = dind().plain().start();
        let ours_took = ours.job("docker version").expect_success().took();
        drop(ours);
        let bare = dind()
            .plain()
            .command(&["dockerd", "--host=tcp://0.0.0.0:2375"])
            .start();
        let bare_took = bare
            .job("until docker version >/dev/null 2>&1; do sleep 0.1; done")
            .expect_success()
            .took();
        assert!(
            ours_took * 2 < bare_took,
            "{ours_took:.1?}, dockerd by itself {bare_took:.1?}"
        );
    }

    /// Official listens where nobody can be served yet: dockerd binds the port before it can fail,
    /// and a client that comes before dockerd is refused.
    #[test]
    fn an_early_client_waits_instead_of_being_refused() {
        let pod = dind().plain().start();
        pod.job("docker version").expect_success().expect("Server:");
    }
}
