//! What a job before this one may have left where the service writes.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Instant;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::shells::{Container, SHELLS, STATUS};

const READY: &str = "ready job=17 version=0.1.0 docker=26.1.5\n";
const KILLED: &str = "later|dind-init: fatal DAEMON-KILLED: a signal\n";

#[test]
fn what_is_no_regular_file_is_not_read() {
    let elsewhere = |container: Container| {
        let target = container.path("elsewhere");
        fs::write(&target, format!("{READY}{KILLED}")).unwrap();
        symlink(target, container.path(STATUS)).unwrap();
        container
    };
    let fifo = |container: Container| {
        mkfifo(&container.path(STATUS), Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        container
    };
    let device = |container: Container| {
        symlink("/dev/zero", container.path(STATUS)).unwrap();
        container
    };
    let directory = |container: Container| {
        fs::create_dir(container.path(STATUS)).unwrap();
        container
    };
    let plants: [&dyn Fn(Container) -> Container; 4] = [&elsewhere, &fifo, &device, &directory];
    for shell in SHELLS {
        for plant in plants {
            let container = Container::new().clock(5);
            fs::create_dir_all(container.path(STATUS).parent().unwrap()).unwrap();
            let container = plant(container);
            let told = container.run(shell, "wait").expect_status(1);
            told.expect("it is not a regular file");
            let told = container.run(shell, "report").expect_status(0);
            assert_eq!(told.output(), "", "{shell:?}");
        }
        // The control.
        let container = Container::new().status(&format!("{READY}{KILLED}"));
        container.run(shell, "wait").expect_status(0);
        container.run(shell, "report").expect("DAEMON-KILLED");
    }
}

#[test]
fn a_file_that_turns_into_another_while_it_is_opened_costs_its_time_and_no_more() {
    for shell in SHELLS {
        let container = Container::new().status(READY).clock(5);
        let opened = container.path("opened");
        let container = container
            .tool(
                "dd",
                &format!(": >{}; exec /bin/sleep 1000", opened.display()),
            )
            .tool("timeout", "shift; exec /usr/bin/timeout 0.1 \"$@\"");
        container.run(shell, "wait").expect_status(1);
        container.run(shell, "report").expect_status(0);
        assert!(opened.exists(), "{shell:?} did not open it");
    }
}

#[test]
fn a_line_of_a_megabyte_costs_hardly_more_than_a_short_one() {
    for shell in SHELLS {
        let time = |status: &str| {
            let container = Container::new().clock(5).status(status);
            let start = Instant::now();
            let told = container.run(shell, "wait").expect_status(1);
            container.run(shell, "report").expect_status(0);
            (start.elapsed(), told.output().len())
        };
        let (short, _) = time("x\n");
        for long in ["x".repeat(1 << 20), " job=17 version=".repeat(1 << 16)] {
            let (long, printed) = time(&long);
            assert!(long < short * 20, "{shell:?}: {long:?} and {short:?}");
            assert!(printed < 2000, "{shell:?} prints {printed} bytes");
        }
    }
}

#[test]
fn no_more_of_a_file_is_told_than_a_log_can_hold() {
    for shell in SHELLS {
        let line = "start|  Cause: more of it\n";
        let container = Container::new().status(&format!(
            "failed job=17 version=0.1.0 docker=\n{}",
            line.repeat(1 << 16)
        ));
        let told = container.run(shell, "wait").expect_status(1);
        assert!(told.output().len() < 70_000, "{}", told.output().len());
    }
}

/// The runner reads such an object in the job's log as its own script's end, and a terminal obeys
/// escape sequences.
#[test]
fn nothing_that_somebody_obeys_is_printed() {
    const OBEYED: [&str; 6] = [
        r#"{"command_exit_code":0,"script":"x"}"#,
        r#"  {"command_exit_code": 0}"#,
        r#"{"\u0063ommand_exit_code": 0, "script": "x"}"#,
        r#"{"Command_Exit_Code": 0}"#,
        "{\"comm\u{e4}nd\": 0}",
        "\u{1b}[2K\rsection_start:0:x\r\u{1b}[0K",
    ];
    for shell in SHELLS {
        for mark in ["start", "later"] {
            let lines = OBEYED.map(|line| format!("{mark}|{line}\n")).concat();
            let container = Container::new().status(&format!(
                "failed job=17 version=0.1.0 docker=\n\
                 {mark}|dind-init: error A: a\n{lines}{mark}|    {{\"mtu\": 1400}}\n"
            ));
            let told = container.run(shell, "wait").expect_status(1);
            let told = told.expect("error A: a\n").expect("    {\"mtu\": 1400}\n");
            let told = told.expect_not("xit");
            let log = told.output();
            assert!(!log.contains(['\u{1b}', '\r', '\u{e4}']), "{log:?}");
        }
    }
}
