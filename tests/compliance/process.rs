//! The process: which one it is, its signals, its children, its exit status, and what dockerd
//! inherits.

use crate::pod::Plan;
use crate::stand_in::{Record, Workbench};
use crate::start::Start;
use crate::subject::{dind, dind_without_variables};

/// Official (docker-init): SIGTERM and SIGINT reach dockerd, and its exit status is the
/// container's, as process 1, behind a shell, and behind the engine's own init.
#[test]
fn signals_reach_dockerd_and_its_status_comes_back() {
    for signal in ["TERM", "INT"] {
        for (plan, what) in [
            (dind(), "as process 1"),
            (
                dind().entrypoint_script("exec dockerd-entrypoint.sh"),
                "after exec",
            ),
            (dind().service_option("--init"), "behind --init"),
        ] {
            let record = Record::new();
            let pod = plan
                .variable("STAND_IN_STATUS", "42")
                .stand_in(&record)
                .start();
            record.wait_for_start(&pod);
            pod.signal(signal);
            pod.service_end().expect_status(42);
            assert_eq!(record.signals(), [signal], "{what}");
        }
    }
}

/// Official (docker-init, moby): SIGHUP makes dockerd read daemon.json again, SIGUSR1 makes it
/// dump its stacks; none of them ends anything.
#[test]
fn other_signals_are_passed_on() {
    let record = Record::new();
    let pod = dind().stand_in(&record).start();
    record.wait_for_start(&pod);
    for signal in ["HUP", "USR1", "USR2"] {
        pod.signal(signal);
        record.wait_for_signal(signal, &pod);
    }
    assert!(!pod.service_has_ended());
}

/// Official (docker-library/docker#318): orphans go to process 1 and are reaped there.
#[test]
fn orphans_are_reaped_by_process_1() {
    orphans_are_reaped(dind());
}

fn orphans_are_reaped(plan: Plan) {
    let record = Record::new();
    let orphans = "for n in 1 2 3 4 5 6 7 8 9 10; do (sh -c 'sleep 0.1 & exit' &); done";
    let pod = plan.stand_in_after(orphans, &record).start();
    record.wait_for_start(&pod);
    // A zombie's state is Z, behind its name in parentheses.
    pod.in_service(
        "zombies() { cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') Z'; }
         sleepers() { cat /proc/[0-9]*/stat 2>/dev/null | grep -c '(sleep) S'; }
         n=0; while [ \"$(sleepers)\" -gt 1 ] || [ \"$(zombies)\" -gt 0 ]; do
             n=$((n + 1)); [ $n -lt 300 ] || exit 1; sleep 0.05; done",
    )
    .expect_success();
}

/// Official: dockerd runs as root in `/`, with umask 022; no signal is blocked or ignored, since
/// users' containers inherit that.
#[test]
fn dockerd_inherits_a_clean_process() {
    let record = Record::new();
    let pod = dind().stand_in(&record).start();
    let start = record.wait_for_start(&pod);
    assert_eq!(start.process, ["/", "0022", "0"]);
    assert_eq!(signal_set(&start, "SigBlk"), 0);
}

/// Official: dockerd's standard output and standard error are the container's.
#[test]
fn what_dockerd_says_is_the_service_s_log() {
    let bench = Workbench::new(dind_without_variables());
    bench
        .shell("printf '#!/bin/sh\\necho to stdout\\necho to stderr >&2\\n' > /usr/local/bin/speaking; chmod +x /usr/local/bin/speaking; mkdir /first; ln -s /usr/local/bin/speaking /first/dockerd")
        .expect_success();
    let command = ["sh", "-c", "PATH=/first:$PATH exec dockerd-entrypoint.sh"];
    bench
        .run_command(&[], &command)
        .transcript
        .expect_success()
        .expect("to stdout\n")
        .expect("to stderr\n");
}

fn signal_set(start: &Start, name: &str) -> u64 {
    let line = start.status.lines().find(|line| line.starts_with(name));
    let digits = line.and_then(|line| line.split_whitespace().nth(1));
    u64::from_str_radix(digits.expect(name), 16).unwrap()
}

mod differs {
    use super::*;

    /// Official's docker-init is no subreaper: started from a shell, as GitLab's documentation has
    /// it, it says so, and containerd's shims stay zombies (docker-library/docker#318).
    #[test]
    fn orphans_are_reaped_where_it_is_not_process_1() {
        orphans_are_reaped(dind().entrypoint_script("true && dockerd-entrypoint.sh; exit"));
    }

    /// Official passes each SIGTERM on, and the third ends dockerd at once: containers are not
    /// stopped, and files of theirs stay behind (moby `daemon/command/trap`). Kubelets and impatient
    /// scripts do send several.
    #[test]
    fn a_repeated_sigterm_does_not_force_dockerd_to_give_up() {
        let record = Record::new();
        let pod = dind()
            .stand_in(&record)
            .variable("STAND_IN_PATIENCE", "20")
            .start();
        record.wait_for_start(&pod);
        for _ in 0..3 {
            pod.signal("TERM");
        }
        pod.service_end().expect_status(0);
        assert_eq!(record.signals(), ["TERM"]);
    }
}
