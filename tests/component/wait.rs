//! The wait and the report, in every state that the service may be in.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::pods::transcript::Transcript;
use crate::shells::{Container, SHELLS, STATUS, Shell};

pub const READY: &str = "ready job=17 version=0.1.0 docker=26.1.5\n";

pub fn wait(container: &Container, shell: Shell) -> Transcript<'static> {
    container.run(shell, "wait")
}

#[test]
fn a_daemon_that_is_ready_is_told_in_one_line() {
    for shell in SHELLS {
        let told = wait(&Container::new().status(READY), shell).expect_status(0);
        // A second of the clock may have begun meanwhile.
        let told = told.output().replace("after 1 s", "after 0 s");
        assert_eq!(
            told,
            "dind-init: Docker 26.1.5 is ready at tcp://docker:2376 with TLS after 0 s.\n"
        );
    }
}

#[test]
fn a_version_that_dockerd_did_not_say_and_a_transport_without_tls_are_left_out() {
    for shell in SHELLS {
        let container = Container::new()
            .status("ready job=17 version=0.1.0 docker=\n")
            .variable("DOCKER_TLS_VERIFY", "")
            .variable("DOCKER_HOST", "tcp://docker:2375");
        let told = wait(&container, shell).expect_status(0);
        assert!(
            told.output()
                .starts_with("dind-init: Docker is ready at tcp://docker:2375 after"),
            "{}",
            told.output()
        );
    }
}

#[test]
fn a_daemon_that_still_starts_is_waited_for() {
    for shell in SHELLS {
        let container = Container::new();
        let status = container.path(STATUS);
        let status = status.display();
        // Between two looks the service writes more: first half a line, then all of it.
        let container = container
            .clock(1)
            .status("starting job=17 version=0.1.0 docker=\n")
            .tool(
                "sleep",
                &format!(
                    "case $(cat {status}) in
                       starting*) printf 'ready jo' >{status} ;;
                       *) printf '{READY}' >{status} ;;
                     esac"
                ),
            );
        wait(&container, shell)
            .expect_status(0)
            .expect("Docker 26.1.5 is ready")
            .expect("after 3 s");
    }
}

#[test]
fn a_failure_is_told_with_its_reason_and_ends_the_job() {
    for shell in SHELLS {
        let container = Container::new().status(
            "failed job=17 version=0.1.0 docker=\n\
             start|dind-init: fatal CERTS-READONLY: the directory is read-only\n\
             start|  Cause: it holds 100 % of a \\Secret.\n\
             start|  Fix: move it\n\
             later|dind-init: fatal DAEMON-KILLED: a signal\n",
        );
        wait(&container, shell)
            .expect_status(1)
            .expect("Docker cannot work in this job.")
            .expect("\n  Cause: it holds 100 % of a \\Secret.\n  Fix: move it\n")
            .expect("DAEMON-KILLED")
            .expect_not("start|")
            .expect_not("is ready");
    }
}

#[test]
fn what_docker_commands_will_fail_at_is_told_and_the_job_goes_on() {
    for shell in SHELLS {
        let container = Container::new().status(&format!(
            "{READY}start|dind-init: error CLIENT-PORT: the job calls the other port\n"
        ));
        wait(&container, shell)
            .expect_status(0)
            .expect("Docker 26.1.5 is ready")
            .expect("CLIENT-PORT");
    }
}

#[test]
fn a_daemon_that_takes_too_long_is_told_how_to_be_given_more() {
    for shell in SHELLS {
        let container = Container::new()
            .clock(7)
            .variable("DIND_WAIT_TIMEOUT", "50")
            .status("starting job=17 version=0.1.0 docker=\n");
        wait(&container, shell)
            .expect_status(1)
            .expect("Docker is not ready after 50 s.")
            .expect("KUBERNETES_SERVICE_CPU_REQUEST: \"1\"")
            .expect("DIND_WAIT_TIMEOUT");
    }
}

#[test]
fn what_the_job_s_log_has_already_is_told_by_its_name() {
    const ABOVE: &str = "above|dind-init: fatal CERTS-READONLY: it is read-only\n\
                         above|  Cause: a Secret\n\
                         start|dind-init: error CLIENT-PORT: the other port\n\
                         start|  Cause: 2375\n";
    for shell in SHELLS {
        let container =
            Container::new().status(&format!("failed job=17 version=0.1.0 docker=\n{ABOVE}"));
        wait(&container, shell)
            .expect_status(1)
            .expect("CERTS-READONLY: it is read-only (cause and fix: further up in this log)\n")
            .expect_not("a Secret")
            .expect("the other port\n  Cause: 2375\n");
    }
}

#[test]
fn a_status_that_may_not_be_read_is_told_with_the_user() {
    const NOBODY: u32 = 65534;
    for shell in SHELLS {
        let container = Container::new().status(READY).clock(5);
        let path = container.path(STATUS);
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(container.path("clock"), Permissions::from_mode(0o666)).unwrap();
        // Root reads everything, and nobody else can become somebody.
        let container = match nix::unistd::Uid::effective().is_root() {
            true => container.user(NOBODY),
            false => {
                fs::set_permissions(container.path(STATUS), Permissions::from_mode(0o000)).unwrap();
                container
            }
        };
        wait(&container, shell)
            .expect_status(1)
            .expect("not readable for the user");
    }
}

#[test]
fn the_way_back_to_the_official_entrypoint_is_not_waited_for() {
    for shell in SHELLS {
        let container = Container::new().variable("DIND_INIT", "official");
        wait(&container, shell)
            .expect_status(0)
            .expect("DIND_INIT is official");
    }
}

#[test]
fn a_timeout_that_is_no_number_is_named() {
    for shell in SHELLS {
        for bad in ["", "2m", "-1", "1000000"] {
            let container = Container::new()
                .status(READY)
                .variable("DIND_WAIT_TIMEOUT", bad);
            let told = wait(&container, shell);
            match bad {
                // Not set: the default counts.
                "" => told.expect_status(0),
                bad => told
                    .expect_status(1)
                    .expect(&format!("\"{bad}\""))
                    .expect("wait-timeout"),
            };
        }
    }
}

#[test]
fn the_report_tells_what_came_after_the_beginning_and_nothing_else() {
    for shell in SHELLS {
        let quiet = Container::new().status(&format!("{READY}start|dind-init: error A: a\n"));
        let told = quiet.run(shell, "report").expect_status(0);
        assert_eq!(told.output(), "");
        let told = Container::new().run(shell, "report").expect_status(0);
        assert_eq!(told.output(), "");
        let found = Container::new().status(&format!(
            "{READY}start|dind-init: error A: a\nlater|dind-init: error B: b\nlater|  Fix: c\n"
        ));
        found
            .run(shell, "report")
            .expect_status(0)
            .expect("while the job ran")
            .expect("dind-init: error B: b\n  Fix: c\n")
            .expect_not("error A");
    }
}

#[test]
fn what_variables_hold_is_printed_as_it_is() {
    for shell in SHELLS {
        let host = r"tcp://docker\c\n\t:2376";
        let container = Container::new().status(READY).variable("DOCKER_HOST", host);
        wait(&container, shell).expect(host);
        let container = container.variable("DIND_WAIT_TIMEOUT", r"1\c2");
        wait(&container, shell).expect(r#""1\c2", but it must be a number"#);
    }
}

/// Everything that a script prints comes from the status file, from names that are public, and
/// from its own words.
#[test]
fn no_secret_of_the_job_is_printed() {
    const MARK: &str = "s3cr3t-marker";
    for shell in SHELLS {
        for status in [READY, "failed job=17 version=0.1.0 docker=\n", ""] {
            let container = Container::new()
                .clock(20)
                .status(status)
                .variable("CI_JOB_TOKEN", MARK)
                .variable("CI_REGISTRY_PASSWORD", MARK)
                .variable("DOCKER_AUTH_CONFIG", MARK);
            for script in ["wait", "report"] {
                container.run(shell, script).expect_not(MARK);
            }
        }
    }
}
