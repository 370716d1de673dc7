//! Arguments, exit statuses, and what is written where.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
};

use crate::{Outcome, lint, lint_in};

const VALUES: &str = include_str!("override-values.yaml");

const CLEAN: &str = "[[runners]]\n[runners.docker]\nprivileged = true\n";
const SECRET: &str = "[[runners]]\n[runners.kubernetes]\nprivileged = true\n\
                      [[runners.kubernetes.volumes.secret]]\nname = \"ca\"\n\
                      mount_path = \"/certs/client\"\n";
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
        (&["/"], "", 2),
        (&[], "", 64),
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
        for format in ["json", "codequality"] {
            if status != 64 {
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
        "1 error in 1 file; --fix repairs it",
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

/// A file whose repair is called for, and what became of it.
fn fixed(arguments: &[&str]) -> (tempfile::TempDir, Outcome) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("real.toml");
    fs::write(&path, SECRET).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    symlink("real.toml", directory.path().join("config.toml")).unwrap();
    let outcome = lint_in(directory.path(), arguments, b"");
    (directory, outcome)
}

#[test]
fn a_repair_changes_the_file_s_text_alone_and_shows_it() {
    let (directory, outcome) = fixed(&["--fix", "config.toml"]);
    assert_eq!(outcome.status, 0, "{outcome:#?}");
    assert!(
        outcome
            .stdout
            .starts_with("--- config.toml\n+++ config.toml\n")
    );
    assert!(
        outcome
            .stdout
            .contains("\n-mount_path = \"/certs/client\"\n")
    );
    let link = directory.path().join("config.toml");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    let metadata = fs::metadata(&link).unwrap();
    assert_eq!(metadata.mode() & 0o7777, 0o640);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);

    // Once more there is nothing to do.
    let before = fs::read(&link).unwrap();
    let again = lint_in(directory.path(), &["--fix", "config.toml"], b"");
    assert_eq!((again.status, fs::read(&link).unwrap()), (0, before));
    assert!(!again.stdout.contains("+++"), "{again:#?}");
}

#[test]
fn without_fix_no_file_is_changed_and_with_a_report_the_change_is_shown_apart() {
    let (directory, outcome) = fixed(&["config.toml"]);
    assert_eq!(outcome.status, 1);
    let text = fs::read_to_string(directory.path().join("real.toml")).unwrap();
    assert_eq!(text, SECRET);

    let (_directory, outcome) = fixed(&["--fix", "--format", "codequality", "config.toml"]);
    assert_eq!(outcome.stdout.trim(), "[]");
    assert!(outcome.stderr.contains("+++ config.toml"), "{outcome:#?}");
}

#[test]
fn what_cannot_be_repaired_is_still_found_after_the_repair() {
    let directory = tempfile::tempdir().unwrap();
    let text = format!("{SECRET}\n[[runners]]\n[runners.docker]\nvolumes = [\"/certs/client\"]\n")
        .replace("privileged = true", "privileged = false");
    fs::write(directory.path().join("c"), text).unwrap();
    let outcome = lint_in(directory.path(), &["--fix", "--deny=warnings", "c"], b"");
    assert_eq!(outcome.status, 1, "{outcome:#?}");
    assert!(outcome.stdout.contains("NOT-PRIVILEGED"), "{outcome:#?}");
    assert!(!outcome.stdout.contains("CERTS-READONLY"), "{outcome:#?}");
}

#[test]
fn a_closed_output_is_no_error_of_its_own() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_dind-init"))
        .args(["lint", "/nonexistent"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(2));
}
