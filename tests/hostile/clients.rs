//! Clients that come only to cost something.

use std::{fs, thread, time::Duration};

use crate::{
    kilobytes, pod,
    pods::{pod::Pod, volume::Volume},
};

/// As many as are served at once.
const CLIENTS: usize = 256;

/// What a daemon may take that has to answer.
const MOST_KILOBYTES: u64 = 16 * 1024;

/// A record that begins a message of 60 kB (RFC 8446, 4 and 5.1), and nearly as much of it as is
/// taken; the rest never comes.
const HALF_A_HANDSHAKE: &str =
    "{ printf '\\x16\\x03\\x01\\x3f\\x00\\x01\\x00\\xea\\x60'; head -c 16124 /dev/zero; }";

/// Clients' connections to the TLS port, as its own side sees them.
const COUNT: &str = "cat /proc/net/tcp /proc/net/tcp6 | \
                     grep -cE '^ *[0-9]+: [0-9A-F]+:0948 [0-9A-F]+:[0-9A-F]+ 01 ' || true";

#[test]
fn handshakes_that_never_end_keep_no_client_out_and_take_no_memory() {
    let builds = Volume::disk();
    let pod = pod(&builds)
        .certs(&Volume::memory())
        .variable("DIND_MTU", "never")
        .start();
    is_answered(&pod);
    assert!(connections(&pod) < CLIENTS / 2, "the control");
    let attack = format!(
        "for n in $(seq {CLIENTS}); do
             exec {{fd}}<>/dev/tcp/docker/2376 && {HALF_A_HANDSHAKE} >&$fd
         done
         touch /builds/sent
         for n in $(seq 200); do [ -e /builds/seen ] && exit; sleep 0.1; done"
    );
    thread::scope(|scope| {
        let attacker = scope.spawn(|| pod.job(&attack));
        while !builds.path().join("sent").exists() && !attacker.is_finished() {
            thread::sleep(Duration::from_millis(10));
        }
        // Nobody is told to go meanwhile: a connection has 20 s.
        let clients = connections(&pod);
        let kilobytes = kilobytes(&pod, "VmRSS");
        is_answered(&pod);
        fs::write(builds.path().join("seen"), "").unwrap();
        attacker.join().unwrap().expect_success();
        assert!(clients > CLIENTS / 2, "{clients} is no attack");
        assert!(kilobytes < MOST_KILOBYTES, "{kilobytes} kB");
    });
}

#[track_caller]
fn is_answered(pod: &Pod) {
    pod.job("until [ -e /certs/client/ca.pem ]; do sleep 0.1; done; docker version")
        .expect_failure()
        .expect("SETTINGS-INVALID");
}

fn connections(pod: &Pod) -> usize {
    let count = pod.in_service(COUNT);
    count.output().trim().parse().unwrap()
}
