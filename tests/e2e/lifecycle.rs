//! From start to end: signals, exit status, and what is left behind.

use std::fs;
use std::path::Path;
use std::thread;

use crate::busybox::IMPORT_BUSYBOX;
use crate::pod::Pod;
use crate::suite::Suite;
use crate::transcript::Transcript;
use crate::volume::Volume;

/// On SIGTERM the users' containers are stopped as `docker stop` does it: they hear about it.
#[test]
fn sigterm_stops_the_inner_containers_and_leaves_nothing() {
    let shared = Volume::disk();
    let pod = Pod::new(Suite::Trixie)
        .certs(&Volume::memory())
        .volume(&shared, "/shared")
        .entrypoint_script(
            "dockerd-entrypoint.sh; status=$?; \
             left=$(cat /proc/[0-9]*/comm | grep -E 'docker|containerd|runc|tini|sleep'); \
             echo \"left: $left.\"; exit $status",
        )
        .start();
    pod.job(&format!(
        "set -e\n{IMPORT_BUSYBOX}
        docker run --detach --volume /shared:/shared busybox \
            sh -c 'trap \"echo heard > /shared/term; exit 0\" TERM; echo up > /shared/up; while :; do sleep 0.1; done'
        until [ -e /shared/up ]; do sleep 0.1; done"
    ))
    .expect_success();

    // The init is not process 1 here: the shell is, and a signal to the shell would end nothing.
    pod.in_service("kill -TERM $(pidof dockerd-entrypoint.sh)")
        .expect_success();
    pod.service_end().expect_status(0).expect("left: .");
    assert_eq!(
        fs::read_to_string(shared.path().join("term")).unwrap(),
        "heard\n"
    );
}

#[test]
fn sigterm_ends_with_status_0_and_takes_our_socket_file_away() {
    let pod = Pod::new(Suite::Trixie).certs(&Volume::memory()).start();
    pod.job("docker version").expect_success();
    let socket = Path::new(&pod.service_root()).join("run/docker.sock");
    assert!(
        socket.exists(),
        "{} is not there while the daemon runs",
        socket.display()
    );

    pod.signal("TERM");
    pod.service_end().expect_status(0);
    assert!(!socket.exists(), "{} is left behind", socket.display());
}

/// While containers take their time to stop, a client hears something: an answer of the daemon, or
/// that it is stopping. What it does not do is hang.
#[test]
fn a_client_that_comes_while_it_stops_is_answered() {
    let pod = Pod::new(Suite::Trixie).plain().start();
    pod.job(&format!(
        "set -e\n{IMPORT_BUSYBOX}
        docker run --detach busybox sh -c 'trap \"\" TERM; while :; do sleep 1; done'"
    ))
    .expect_success();

    pod.signal("TERM");
    thread::scope(|scope| {
        let ask = || {
            pod.job(
                "docker version; echo cli: $?
                curl --silent --show-error --max-time 5 --write-out '\\nhttp: %{http_code}\\n' http://docker:2375/version",
            )
        };
        let askers = [(); 3].map(|()| scope.spawn(ask));
        for asker in askers {
            let answer = asker.join().unwrap().expect_success();
            let heard = answer.output();
            assert!(
                heard.contains("Server:") || heard.contains("stopping"),
                "no answer\n{answer}"
            );
            assert!(
                heard.contains("http: 200") || heard.contains("http: 503"),
                "no answer\n{answer}"
            );
        }
    });
    assert!(
        !pod.service_has_ended(),
        "it stopped before anybody could ask"
    );
    pod.service_end().expect_status(0);
}

/// A container gets the time that it asked for, and the log says when that may be too long for
/// whoever stops the service.
#[test]
fn a_stop_that_takes_longer_than_a_service_usually_has_is_said() {
    let pod = Pod::new(Suite::Trixie).plain().start();
    pod.job(&format!(
        "set -e\n{IMPORT_BUSYBOX}
        docker run --detach --stop-timeout 12 busybox sh -c 'trap \"\" TERM; while :; do sleep 1; done'"
    ))
    .expect_success();
    pod.signal("TERM");
    pod.service_end()
        .expect_status(0)
        .expect("dind-init: warning DAEMON-SLOW-STOP");
}

/// dockerd gives its clean shutdown up when it is asked too often (moby `daemon/command/trap`), so
/// it hears each signal once, however often the service does. Others are passed on as they come.
#[test]
fn dockerd_is_asked_once_to_stop_however_often_the_service_is() {
    let pod = Pod::new(Suite::Trixie)
        .plain()
        .instead_of(
            "dockerd",
            "for signal in TERM HUP; do trap \"echo heard $signal >&2\" $signal; done
            trap 'end=1' INT; echo listening >&2
            while [ -z \"$end\" ]; do sleep 0.02; done",
        )
        .start();
    let until = |count: usize, words: &str| {
        while pod.service_log().matches(words).count() < count {
            assert!(!pod.service_has_ended(), "{pod}");
        }
    };
    let send = |signal: &str| {
        pod.signal(signal);
        // None may still wait when the next one comes: they would be read in another order.
        pod.in_service("until grep -q 'ShdPnd:.0000000000000000' /proc/1/status; do :; done")
            .expect_success();
    };
    until(1, "listening");
    send("TERM");
    until(1, "heard TERM");
    send("TERM");
    for count in 1..=2 {
        send("HUP");
        until(count, "heard HUP");
    }
    // It may end at once.
    pod.signal("INT");
    let end = pod.service_end().expect_status(0);
    assert_eq!(end.output().matches("heard TERM").count(), 1, "{end}");
}

/// The init asks iptables whether it works, and which it is. dockerd asks it, too, and its own calls
/// have another parent.
#[test]
fn an_iptables_that_hangs_keeps_neither_dockerd_nor_the_end() {
    let seconds_to_readiness = |hanging: &str| {
        let pod = Pod::new(Suite::Trixie)
            .plain()
            .instead_of(
                "iptables",
                &format!(
                    "case \"$PPID $*\" in {hanging}) exec sleep 1000;; esac; exec \"$original\" \"$@\""
                ),
            )
            .start();
        pod.job("docker version").expect_success();
        pod.signal("TERM");
        let end = pod.service_end().expect_status(0);
        let after = end.output().split("dockerd is ready, ").nth(1);
        let seconds = after.and_then(|after| after.split(' ').next());
        seconds.unwrap().parse::<f64>().unwrap()
    };
    let control = seconds_to_readiness("nobody");
    // Waited for, it took three seconds.
    let version = seconds_to_readiness("'1 --version'");
    assert!(version < control + 2.0, "{control} s, and {version} s");
    // Whatever the init asks: it gives up, and dockerd works.
    seconds_to_readiness("'1 '*");
}

const MAKE_A_HUNDRED_ORPHANS: &str = "for n in $(seq 100); do (sleep 0.1 &); done";
/// A process's state stands behind its name in parentheses.
const COUNT_ZOMBIES: &str = "cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') Z' || true";

#[test]
fn a_hundred_orphans_are_reaped() {
    let pod = Pod::new(Suite::Trixie).plain().start();
    pod.job("docker version").expect_success();
    pod.in_service(MAKE_A_HUNDRED_ORPHANS).expect_success();
    pod.in_service(&format!(
        "while cat /proc/[0-9]*/stat 2>/dev/null | grep '(sleep)' || [ \"$({COUNT_ZOMBIES})\" != 0 ]; do
             sleep 0.1
         done"
    ))
    .expect_success();
}

/// The control: beside a process 1 that does not reap, they stay.
#[test]
fn control_without_an_init_a_hundred_zombies_stay() {
    let pod = Pod::new(Suite::Trixie)
        .plain()
        .command(&["tail", "-f", "/dev/null"])
        .start();
    pod.in_service(MAKE_A_HUNDRED_ORPHANS).expect_success();
    pod.in_service(&format!(
        "until [ \"$({COUNT_ZOMBIES})\" = 100 ]; do sleep 0.1; done"
    ))
    .expect_success();
}

#[test]
fn dockerds_own_exit_status_is_the_services() {
    let bare = Pod::new(Suite::Trixie)
        .entrypoint_script("exec dockerd --bad-flag")
        .start();
    let by_itself = bare
        .service_end()
        .expect_failure()
        .expect("--bad-flag")
        .status()
        .unwrap();
    for command in [&["dockerd", "--bad-flag"][..], &["--bad-flag"]] {
        let pod = Pod::new(Suite::Trixie)
            .certs(&Volume::memory())
            .command(command)
            .start();
        pod.service_end()
            .expect_status(by_itself)
            .expect("--bad-flag");
    }
}

/// Whatever the init does to its own signals, the users' containers get them as its own container
/// had them: none blocked, and none ignored that was not.
#[test]
fn signals_are_passed_on_as_they_came() {
    let pod = Pod::new(Suite::Trixie).certs(&Volume::memory()).start();
    let inner = pod
        .job(&format!(
            "set -e\n{IMPORT_BUSYBOX}\ndocker run --rm busybox busybox cat /proc/self/status"
        ))
        .expect_success();
    let init = pod.in_service("cat /proc/1/status").expect_success();

    assert_eq!(signal_set(&inner, "SigBlk"), 0);
    // The control: the init's own are blocked.
    assert_ne!(signal_set(&init, "SigBlk"), 0);
    // Whoever starts the test may ignore some, and Rust's runtime ignores SIGPIPE.
    let before = signal_set(&init, "SigIgn") & !(1 << (13 - 1));
    assert_eq!(signal_set(&inner, "SigIgn"), before);
}

fn signal_set(status: &Transcript<'_>, name: &str) -> u64 {
    let line = status.output().lines().find(|line| line.starts_with(name));
    let digits = line.and_then(|line| line.split_whitespace().nth(1));
    u64::from_str_radix(digits.expect(name), 16).expect(name)
}

/// A command that is not dockerd is run as it is, as the official entrypoint does.
#[test]
fn another_command_is_passed_through() {
    let pod = Pod::new(Suite::Trixie)
        .command(&["sh", "-c", "echo passed through; exit 7"])
        .start();
    pod.service_end().expect_status(7).expect("passed through");
}

/// GitLab's own documentation starts the entrypoint from a shell.
#[test]
fn it_works_from_a_shell_and_not_as_process_1() {
    let pod = Pod::new(Suite::Trixie)
        .certs(&Volume::memory())
        .entrypoint_script("true && dockerd-entrypoint.sh || exit")
        .start();
    pod.job("docker version").expect_success().expect("Server:");
}
