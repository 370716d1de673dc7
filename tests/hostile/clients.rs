//! Clients that come only to cost something.

use std::{fs, thread, time::Duration};

use crate::{
    ends_when_asked, kilobytes, pod,
    pods::{pod::Pod, suite::Suite, volume::Volume},
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

/// Each on the port without TLS, where nothing stands between a client and what answers it.
#[test]
fn crowds_of_any_kind_keep_no_client_out_and_take_no_memory() {
    let request = "POST /v1.24/build HTTP/1.1\\r\\nHost: docker\\r\\n";
    for (kind, attack) in [
        ("idle", "ulimit -n 4096; many 3000 open && stay".to_owned()),
        (
            "slow",
            format!(
                "ulimit -n 4096; send() {{ open; printf '{request}' >&$fd; }}; many 1000 send && stay"
            ),
        ),
        (
            "a body of a gigabyte",
            format!(
                "body() {{ open; printf '{request}Content-Length: 1073741824\\r\\n\\r\\n' >&$fd
                     head -c 1073741824 /dev/zero >&$fd || true; }}
                 many 1 body && stay"
            ),
        ),
        (
            "bodies without end",
            format!(
                "body() {{ open; printf '{request}\\r\\n' >&$fd; cat /dev/zero >&$fd 2>/dev/null & }}
                 many 4 body && stay"
            ),
        ),
        (
            // What is closed with words unread is reset (RFC 2525, 2.17).
            "resets",
            format!(
                "reset() {{ open; printf '{request}\\r\\n' >&$fd; exec {{fd}}>&-; }}; many 3000 reset && stay"
            ),
        ),
    ] {
        let builds = Volume::disk();
        let pod = Pod::new(Suite::Trixie)
            .plain()
            .gitlab_job(&builds)
            .variable("DIND_MTU", "never")
            .start();
        is_answered(&pod);
        // Not by its name: podman writes /etc/hosts anew for each container that comes.
        let attack = format!(
            "open() {{ exec {{fd}}<>/dev/tcp/127.0.0.1/2375; }}
             many() {{
                 came=0; for n in $(seq \"$1\"); do \"$2\" && came=$((came + 1)); done
                 [ \"$came\" = \"$1\" ]
             }}
             stay() {{ touch /builds/sent; until [ -e /builds/seen ]; do sleep 0.1; done; }}
             trap '' PIPE; {attack}"
        );
        thread::scope(|scope| {
            let attacker = scope.spawn(|| pod.job(&attack));
            // While they come, and when they are there.
            is_answered(&pod);
            while !builds.path().join("sent").exists() && !attacker.is_finished() {
                thread::sleep(Duration::from_millis(10));
            }
            is_answered(&pod);
            let kilobytes = kilobytes(&pod, "VmHWM");
            ends_when_asked(&pod);
            fs::write(builds.path().join("seen"), "").unwrap();
            attacker.join().unwrap().expect_success();
            assert!(kilobytes < MOST_KILOBYTES, "{kind}: {kilobytes} kB");
        });
    }
}

#[track_caller]
fn is_answered(pod: &Pod) {
    pod.job(
        "until [ -z \"$DOCKER_CERT_PATH\" ] || [ -e \"$DOCKER_CERT_PATH/ca.pem\" ]; do sleep 0.1; done
         docker version",
    )
    .expect_failure()
        .expect("SETTINGS-INVALID");
}

fn connections(pod: &Pod) -> usize {
    let count = pod.in_service(COUNT);
    count.output().trim().parse().unwrap()
}
