//! Arguments, exit statuses, and what is written where.

use std::{
    fs,
    process::{Command, Stdio},
};

use crate::{CLEAN, SECRET, lint, lint_in};

const VALUES: &str = include_str!("override-values.yaml");

/// Something that works, dangerously.
const WARNING: &str = "[[runners]]\n[runners.docker]\nprivileged = true\n\
                       volumes = [\"/srv/certs:/certs/client\"]\n";
const BROKEN: &str = "[[runners]\n";

#[test]
fn the_status_says_whether_anything_was_found() {
    for (arguments, input, status) in [
        (&["-"][..], CLEAN, 0),
        (&["-"], SECRET, 1),
        (&["-"], WARNING, 0),
        (&["--deny", "warnings", "-"], WARNING, 1),
        (&["--deny", "warnings", "-"], CLEAN, 0),
        (&["-"], BROKEN, 2),
        (&["-", "/nonexistent/config.toml"], SECRET, 2),
        (&["/etc/hostname/x"], "", 2),
        (&[], "", 64),
        (&["--ignore", "CERTS-READONLY", "-"], SECRET, 0),
        (&["--ignore", "CERTS-READNLY", "-"], SECRET, 64),
        (&["--exit-zero", "-"], SECRET, 0),
        (&["--exit-zero", "-"], BROKEN, 2),
        (&["--diff", "-"], SECRET, 1),
        (&["--diff", "-"], CLEAN, 0),
        (&["--diff", "--fix", "x"], SECRET, 64),
        (&["--list"], "", 0),
        (&["--format", "xml", "-"], "", 64),
        (&["--fix", "-"], SECRET, 64),
    ] {
        let outcome = lint(arguments, input.as_bytes());
        assert_eq!(
            outcome.status, status,
            "{arguments:?} {input}\n{outcome:#?}"
        );
        assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
        // The same in every format.
        for format in ["json", "codequality", "sarif"] {
            if status != 64 && arguments != ["--list"] {
                let arguments = [&["--format", format], arguments].concat();
                let outcome = lint(&arguments, input.as_bytes());
                assert_eq!(outcome.status, status, "{arguments:?}\n{outcome:#?}");
                let _: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
            }
        }
    }
}

#[test]
fn the_place_is_that_in_the_file_that_was_given() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("override-values.yaml"), VALUES).unwrap();
    let outcome = lint_in(directory.path(), &["override-values.yaml"], b"");
    for part in [
        "fatal[CERTS-READONLY]: the directory for the TLS certificates",
        "--> override-values.yaml:16:24",
        "16 |           mount_path = \"/certs/client\"",
        "^^^^^^^^^^^^^^^",
        "in override-values.yaml, move a registry's CA",
        "for more: dind-init explain CERTS-READONLY\n",
        "1 fatal problem: 2 runners; --fix repairs it\n",
    ] {
        assert!(
            outcome.stdout.contains(part),
            "{part} in\n{}",
            outcome.stdout
        );
    }
    assert_eq!(outcome.stdout.matches("fatal[").count(), 1);
    let from_input = lint(&["-"], VALUES.as_bytes());
    assert!(from_input.stdout.contains("--> (standard input):16:24"));
}

#[test]
fn several_files_are_judged_together() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write("config.toml", CLEAN);
    write(
        "job.yml",
        "build:\n  services: [docker:dind]\n  script: docker info\n  variables:\n    \
         DOCKER_TLS_CERTDIR: /certs\n",
    );
    let alone = |name: &str| lint_in(directory.path(), &[name], b"").status;
    assert_eq!((alone("config.toml"), alone("job.yml")), (0, 0));
    let outcome = lint_in(directory.path(), &["config.toml", "job.yml"], b"");
    assert_eq!(outcome.status, 1, "{outcome:#?}");
    assert!(outcome.stdout.contains("CERTS-UNSHARED"), "{outcome:#?}");
    for place in ["--> job.yml:2:14", "::: config.toml:2:1"] {
        assert!(outcome.stdout.contains(place), "{outcome:#?}");
    }
}

#[test]
fn a_closed_output_is_no_error_of_its_own() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dind-init"))
        .args(["lint", "/nonexistent"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

/// A project with a mistake in each file that is found by itself.
fn project() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory.path().join("runners")).unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write(".gitlab-ci.yml", "include: more.yml\n");
    write(
        "more.yml",
        "build:\n  services: [docker:dind]\n  script: x\n  variables: {DOCKER_HOST: \"tcp://docker:2375\", \
         DOCKER_TLS_CERTDIR: /certs}\n",
    );
    write("runners/config.toml", SECRET);
    write("Cargo.toml", "[package]\n");
    directory
}

#[test]
fn without_arguments_it_is_the_project_s_files() {
    let directory = project();
    for arguments in [&[][..], &["."]] {
        let outcome = lint_in(directory.path(), arguments, b"");
        assert_eq!(outcome.status, 1, "{outcome:#?}");
        for part in ["more.yml:4:", "runners/config.toml:6:"] {
            assert!(outcome.stdout.contains(part), "{part} in {outcome:#?}");
        }
        assert!(!outcome.stdout.contains("Cargo.toml"), "{outcome:#?}");
    }
    let empty = tempfile::tempdir().unwrap();
    let outcome = lint_in(empty.path(), &[], b"");
    assert_eq!(outcome.status, 64);
    assert!(outcome.stderr.contains("no .gitlab-ci.yml"), "{outcome:#?}");
}

#[test]
fn oneline_is_a_line_for_each_finding() {
    let outcome = lint_in(project().path(), &["--format", "oneline", "--quiet"], b"");
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert!(!lines.is_empty());
    for line in lines {
        let mut parts = line.splitn(4, ':');
        assert!(parts.next().unwrap().ends_with("l"), "{line}");
        for _ in 0..2 {
            assert!(
                parts.next().unwrap().parse::<usize>().unwrap() > 0,
                "{line}"
            );
        }
        let rest = parts.next().unwrap();
        let (severity, rest) = rest.trim_start().split_once('[').unwrap();
        assert!(["fatal", "error", "warning"].contains(&severity), "{line}");
        assert!(rest.contains("] "), "{line}");
    }
}

#[test]
fn quiet_says_nothing_but_findings() {
    let quiet = |input: &str| lint(&["--quiet", "-"], input.as_bytes()).stdout;
    assert_eq!(quiet(CLEAN), "");
    assert_eq!(quiet("something: else\n"), "");
    let found = quiet(SECRET);
    assert!(
        found.contains("CERTS-READONLY") && !found.contains("for more"),
        "{found}"
    );
    assert!(!found.contains("1 fatal problem"), "{found}");
}

#[test]
fn colors_are_as_asked_for() {
    let is_colored = |color: &str| {
        lint(&["--color", color, "-"], SECRET.as_bytes())
            .stdout
            .contains('\u{1b}')
    };
    assert_eq!(
        ["always", "auto", "never"].map(is_colored),
        [true, false, false]
    );
}

#[test]
fn the_checks_are_listed() {
    let list = lint(&["--list"], b"").stdout;
    assert!(list.lines().count() > 15, "{list}");
    assert!(list.contains("\nCERTS-READONLY"), "{list}");
    // Only a running service finds it.
    assert!(!list.contains("DAEMON-OOM"), "{list}");
}

#[test]
fn an_unknown_check_is_told_its_nearest() {
    let outcome = lint(&["--ignore", "CERTS-UNSHARD", "-"], b"");
    assert!(
        outcome.stderr.contains("is CERTS-UNSHARED meant?"),
        "{outcome:#?}"
    );
}

#[test]
fn where_nothing_was_judged_nothing_is_said_to_be_right() {
    for text in ["[package]\nname = \"x\"\n", "a: 1\n", ""] {
        let outcome = lint(&["-"], text.as_bytes());
        assert_eq!(outcome.status, 0);
        assert!(
            outcome.stdout.contains("nothing was judged"),
            "{text}\n{outcome:#?}"
        );
    }
}

#[test]
fn one_cause_is_one_finding_however_many_jobs_it_breaks() {
    let directory = tempfile::tempdir().unwrap();
    let job = "  services: [docker:dind]\n  script: docker info\n  variables:\n    \
               DOCKER_TLS_CERTDIR: /certs\n";
    let jobs = ["a", "b", "c"].map(|name| format!("{name}:\n{job}"));
    fs::write(directory.path().join("jobs.yml"), jobs.concat()).unwrap();
    fs::write(directory.path().join("config.toml"), CLEAN).unwrap();
    let outcome = lint_in(directory.path(), &["jobs.yml", "config.toml"], b"");
    assert_eq!(outcome.status, 1);
    let count = outcome.stdout.matches("CERTS-UNSHARED]").count();
    assert_eq!(count, 1, "{outcome:#?}");
    for place in [
        "jobs.yml:2:14",
        "jobs.yml:7:14",
        "jobs.yml:12:14",
        "config.toml:2:1",
    ] {
        assert!(
            outcome.stdout.contains(place),
            "{place} in\n{}",
            outcome.stdout
        );
    }
    let last = "1 error: 1 runner, 3 jobs with a Docker daemon\n";
    assert!(outcome.stdout.ends_with(last), "{}", outcome.stdout);
}
