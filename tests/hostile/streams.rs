//! A log that nobody reads, and an environment that is very large.

use std::time::Instant;

use crate::{
    GRACE, ends_when_asked, pod,
    pods::{pod::Pod, volume::Volume},
    works,
};

/// A shell's children are signalled by what is their parent.
fn ends_when_its_init_is_asked(pod: &Pod) {
    let asked = Instant::now();
    pod.in_service("kill -TERM \"$(pgrep -P 1 -o)\"")
        .expect_success();
    let end = pod.service_end();
    assert!(end.status().is_some() && asked.elapsed() < GRACE, "{end}");
}

#[test]
fn a_full_pipe_as_stderr_keeps_nobody() {
    let pod = pod(&Volume::disk())
        .certs(&Volume::memory())
        .entrypoint_script(
            // Opened for reading too, so that there is a reader; and filled.
            "mkfifo /tmp/full; exec 3<>/tmp/full; \
             dd if=/dev/zero bs=4096 count=16 >&3 2>/dev/null; \
             dockerd-entrypoint.sh 2>&3 & wait; wait",
        )
        .start();
    works(&pod);
    ends_when_its_init_is_asked(&pod);
}

#[test]
fn a_reader_of_stderr_that_is_gone_ends_nothing() {
    let pod = pod(&Volume::disk())
        .certs(&Volume::memory())
        .entrypoint_script(
            "mkfifo /tmp/gone; sh -c ': </tmp/gone' & exec 3>/tmp/gone; wait; \
             dockerd-entrypoint.sh 2>&3; echo \"ended with $?\"",
        )
        .start();
    works(&pod);
    pod.job("sleep 2; docker version").expect_success();
    ends_when_its_init_is_asked(&pod);
}

/// Up to what the kernel lets a program have: 6 MB, and a quarter of its stack
/// (`bprm_stack_limits` in fs/exec.c).
#[test]
fn a_very_large_environment_is_no_reason_to_be_silent() {
    for (length, stack) in [(80, 8 << 10), (560, 64 << 10)] {
        let pod = pod(&Volume::disk())
            .certs(&Volume::memory())
            .entrypoint_script(&format!(
                "ulimit -s {stack}
                value=$(head -c {length} /dev/zero | tr '\\0' x) number=0
                while [ $number -lt 10000 ]; do
                    number=$((number + 1)); export \"HOSTILE_$number=$value\"
                done
                exec dockerd-entrypoint.sh"
            ))
            .start();
        works(&pod);
        let bytes: usize = pod
            .in_service("wc -c </proc/1/environ")
            .output()
            .trim()
            .parse()
            .unwrap();
        assert!(bytes > 10_000 * length, "{bytes} are not many");
        ends_when_asked(&pod);
        assert!(pod.service_log().contains("dockerd is ready"));
    }
}
