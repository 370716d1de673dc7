//! The control of the whole suite: an image whose entrypoint is wrong fails, for the reasons that
//! are wrong about it.

use std::env;
use std::process::Command;
use std::sync::Once;

use crate::podman::step;

const IMAGE: &str = "localhost/dind-compliance-control";

/// The suite is run on the image as anybody would, by `DIND_UNDER_TEST`; each case has to fail, and
/// to say what is wrong.
#[test]
fn a_wrong_entrypoint_is_refused() {
    build();
    for (case, complaint) in [
        (
            "image::the_settings_are_those_of_the_dockerfile",
            "ExposedPorts",
        ),
        (
            "arguments::flags_come_last_behind_the_default_hosts_and_tls",
            "tcp:2376",
        ),
        (
            "arguments::an_explicit_dockerd_gets_nothing_added",
            "--host=",
        ),
        (
            "arguments::another_command_is_run_instead",
            "dockerd was not to be started",
        ),
        (
            "arguments::dockerd_s_exit_status_is_the_service_s",
            "to end with status 1",
        ),
        (
            "variables::docker_tls_certdir_chooses_between_tls_and_plain",
            "tcp:2376",
        ),
        (
            "variables::docker_host_moves_the_unix_socket_and_nothing_else",
            "docker.sock",
        ),
        (
            "variables::dockerd_s_own_variables_reach_it_as_they_are",
            "DOCKER_DRIVER",
        ),
        (
            "variables::differs::the_client_s_variables_do_not_reach_dockerd",
            "DOCKER_TLS_VERIFY",
        ),
        (
            "certificates::files::the_files_have_official_s_names_modes_and_owners",
            "ca/key.pem",
        ),
        (
            "certificates::own::the_user_s_own_set_is_used_and_nothing_is_written",
            "not as they were",
        ),
        (
            "certificates::own::what_cannot_work_ends_with_a_status_that_is_not_0",
            "was to fail",
        ),
        ("iptables::the_choice_is_official_s", ".iptables-legacy"),
        ("leftovers::pid_files_of_dockerd_are_removed", "docker.pid"),
        ("mounts::the_root_is_shared", "shared:"),
        (
            "mounts::tmp_and_securityfs_are_mounted_where_nothing_is",
            "tmpfs",
        ),
        ("rootless::rootlesskit_gets_official_s_flags", "1000"),
        (
            "daemon_json::differs::what_the_file_sets_is_no_flag",
            "--host",
        ),
    ] {
        let (passed, said) = run(case);
        assert!(
            !passed,
            "{case} passes with an entrypoint that is wrong\n{said}"
        );
        assert!(
            said.contains(complaint),
            "{case} does not say {complaint}\n{said}"
        );
    }
}

/// And on the image that the suite is run on anyway the same way of running a case succeeds.
#[test]
fn a_right_entrypoint_is_not_refused() {
    let image = crate::subject::image_under_test(crate::suite::Suite::Trixie);
    let case = "arguments::an_explicit_dockerd_gets_nothing_added";
    let (passed, said) = run_on(&image, case);
    assert!(passed, "{said}");
}

fn run(case: &str) -> (bool, String) {
    run_on(IMAGE, case)
}

fn run_on(image: &str, case: &str) -> (bool, String) {
    let done = Command::new(env::current_exe().unwrap())
        .args(["--exact", case, "--nocapture"])
        .env("DIND_UNDER_TEST", image)
        .output()
        .unwrap();
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(said.contains("running 1 test"), "{case} is no case\n{said}");
    (done.status.success(), said)
}

fn build() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/compliance/control");
        step(&[
            "build",
            "--quiet",
            "--pull-never",
            "--network=none",
            "--tag",
            IMAGE,
            directory,
        ]);
    });
}
