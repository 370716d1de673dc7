//! A job's first `docker` command works: once, at once, without a retry anywhere.

use crate::openssl::{Authority, Profile};
use crate::pod::Pod;
use crate::suite::Suite;
use crate::volume::Volume;

/// How often each must succeed in a row; one failure in twenty would still spoil a day.
const ROUNDS: usize = 20;

/// Waits for the daemon's port as the runner's health check does, by connecting.
const HEALTH_CHECK: &str = "until (exec 3<>/dev/tcp/docker/2376) 2>/dev/null; do sleep 0.1; done; ";

#[test]
fn first_command_works_with_an_empty_volume_trixie() {
    first_command_works_with_an_empty_volume(Suite::Trixie);
}

#[test]
fn first_command_works_with_an_empty_volume_sid() {
    first_command_works_with_an_empty_volume(Suite::Sid);
}

fn first_command_works_with_an_empty_volume(suite: Suite) {
    for _ in 0..ROUNDS {
        let pod = Pod::new(suite).certs(&Volume::memory()).start();
        pod.job("docker version").expect_success().expect("Server:");
    }
}

#[test]
fn first_command_works_beside_the_set_of_an_earlier_job_trixie() {
    first_command_works_beside_the_set_of_an_earlier_job(Suite::Trixie);
}

#[test]
fn first_command_works_beside_the_set_of_an_earlier_job_sid() {
    first_command_works_beside_the_set_of_an_earlier_job(Suite::Sid);
}

fn first_command_works_beside_the_set_of_an_earlier_job(suite: Suite) {
    let certs = Volume::disk();
    for _ in 0..=ROUNDS {
        let pod = Pod::new(suite).certs(&certs).start();
        pod.job("docker version").expect_success().expect("Server:");
    }
}

#[test]
fn a_passed_health_check_means_that_the_first_command_works_on_a_quarter_of_a_cpu_trixie() {
    a_passed_health_check_means_that_the_first_command_works(Suite::Trixie, 10);
}

#[test]
fn a_passed_health_check_means_that_the_first_command_works_on_a_quarter_of_a_cpu_sid() {
    a_passed_health_check_means_that_the_first_command_works(Suite::Sid, 5);
}

fn a_passed_health_check_means_that_the_first_command_works(suite: Suite, rounds: usize) {
    for _ in 0..rounds {
        let pod = Pod::new(suite)
            .certs(&Volume::memory())
            .cpus("0.25")
            .start();
        pod.job(&format!("{HEALTH_CHECK} docker version"))
            .expect_success()
            .expect("Server:");
    }
}

/// The control: the same job beside a daemon whose port is not open from the start. The two seconds
/// stand for what the official entrypoint does before it starts dockerd.
#[test]
fn control_without_the_init_the_first_command_fails() {
    let own = Authority::new("Example Corp Docker CA", Profile::Strict);
    let certs = Volume::memory();
    own.issue_server(&certs.path().join("server"));
    own.issue_client(&certs.path().join("client"));
    let pod = Pod::new(Suite::Trixie)
        .volume(&certs, "/certs")
        .entrypoint_script(
            "sleep 2; exec dockerd --host=tcp://0.0.0.0:2376 --tlsverify --tlscacert=/certs/server/ca.pem \
             --tlscert=/certs/server/cert.pem --tlskey=/certs/server/key.pem",
        )
        .start();
    pod.job("docker version")
        .expect_failure()
        .expect("Cannot connect to the Docker daemon");
    pod.job(&format!("{HEALTH_CHECK} docker version"))
        .expect_success();
}

#[test]
fn plain_first_command_works_trixie() {
    plain_first_command_works(Suite::Trixie);
}

#[test]
fn plain_first_command_works_sid() {
    plain_first_command_works(Suite::Sid);
}

fn plain_first_command_works(suite: Suite) {
    for _ in 0..3 {
        let pod = Pod::new(suite).plain().start();
        pod.job("docker version").expect_success().expect("Server:");
    }
    let quiet = Pod::new(suite)
        .plain()
        .command(&["--log-level=error"])
        .start();
    quiet
        .job("docker version")
        .expect_success()
        .expect("Server:");
}

/// dockerd itself sleeps for 16 seconds before it binds a plain TCP port. Handed the socket by the
/// init, it does not.
/// On Docker 26 it is one of compliance's.
#[test]
fn plain_mode_has_no_pause_sid() {
    let with_init = Pod::new(Suite::Sid).plain().start();
    let ours = with_init.job("docker version").expect_success().took();
    drop(with_init);

    let bare = Pod::new(Suite::Sid)
        .plain()
        .command(&["dockerd", "--host=tcp://0.0.0.0:2375"])
        .start();
    let theirs = bare
        .job("until docker version >/dev/null 2>&1; do sleep 0.1; done")
        .expect_success()
        .took();
    assert!(
        ours * 2 < theirs,
        "with the init {ours:.1?}, dockerd by itself {theirs:.1?}"
    );
}

#[test]
fn a_client_waits_for_a_daemon_that_is_45_seconds_late_trixie() {
    a_client_waits_for_a_daemon_that_is_45_seconds_late(Suite::Trixie);
}

#[test]
fn a_client_waits_for_a_daemon_that_is_45_seconds_late_sid() {
    a_client_waits_for_a_daemon_that_is_45_seconds_late(Suite::Sid);
}

/// Late is not dead: whoever connects waits in the backlog, and every answer is the daemon's own,
/// before READY and after.
fn a_client_waits_for_a_daemon_that_is_45_seconds_late(suite: Suite) {
    let pod = Pod::new(suite)
        .plain()
        .instead_of("dockerd", "sleep 45; exec \"$original\" \"$@\"")
        .start();
    // dockerd names itself in the Server header; one raw client each second until it answers.
    let job = r#"
        docker version > /tmp/version & waiting=$!
        for second in $(seq 40); do
            curl --silent --include --max-time 90 http://docker:2375/_ping > /tmp/early.$second & sleep 1
        done
        wait $waiting || exit
        cat /tmp/version
        wait
        for late in $(seq 50); do curl --silent --include http://docker:2375/_ping > /tmp/late.$late; done
        echo "by the daemon: $(grep -l '^Server: Docker/' /tmp/early.* /tmp/late.* | wc -l)"
        echo "by others: $(grep -L '^Server: Docker/' /tmp/early.* /tmp/late.* | wc -l)"
    "#;
    let took = pod
        .job(job)
        .expect_success()
        .expect("Server:")
        .expect("by the daemon: 90")
        .expect("by others: 0")
        .took();
    assert!(
        took.as_secs() >= 40,
        "the daemon was not late at all: {took:.1?}"
    );
}
