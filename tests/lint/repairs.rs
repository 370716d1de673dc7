//! `--fix` and `--diff`: what is written, and by whom it can be.

use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown, symlink},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use crate::{CLEAN, Outcome, SECRET, lint_in};

const NOBODY: u32 = 65534;

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
fn a_file_that_is_not_utf_8_is_never_written() {
    let directory = tempfile::tempdir().unwrap();
    let latin1 = [b"# \xfc\n", SECRET.as_bytes()].concat();
    fs::write(directory.path().join("latin1"), &latin1).unwrap();
    fs::write(directory.path().join("other"), SECRET).unwrap();
    let outcome = lint_in(directory.path(), &["--fix", "latin1", "other"], b"");
    assert_eq!(outcome.status, 2, "{outcome:#?}");
    assert!(!outcome.stdout.contains("CERTS-READONLY"), "{outcome:#?}");
    assert_eq!(fs::read(directory.path().join("latin1")).unwrap(), latin1);
    let other = fs::read_to_string(directory.path().join("other")).unwrap();
    assert_ne!(other, SECRET);
}

#[test]
fn diff_shows_what_fix_would_do_and_changes_nothing() {
    let (directory, outcome) = fixed(&["--diff", "config.toml"]);
    assert_eq!(outcome.status, 1);
    for part in [
        "+++ config.toml\n",
        "\n-mount_path = \"/certs/client\"\n",
        "fatal[CERTS-READONLY]",
    ] {
        assert!(outcome.stdout.contains(part), "{part} in\n{outcome:#?}");
    }
    let text = fs::read_to_string(directory.path().join("real.toml")).unwrap();
    assert_eq!(text, SECRET);
    let (_, fix) = fixed(&["--fix", "config.toml"]);
    let diff = outcome.stdout.split("\nfatal").next().unwrap();
    assert!(
        fix.stdout.starts_with(diff.trim_end()),
        "{fix:#?}\n{outcome:#?}"
    );
}

/// Runs lint as a user who is not root, in a directory that is theirs.
fn as_nobody(directory: &Path, arguments: &[&str]) -> Outcome {
    let program = directory.join("dind-init");
    fs::copy(env!("CARGO_BIN_EXE_dind-init"), &program).unwrap();
    let output = Command::new(&program)
        .arg("lint")
        .args(arguments)
        .current_dir(directory)
        .uid(NOBODY)
        .gid(NOBODY)
        .output();
    crate::outcome(output.unwrap())
}

/// A directory of nobody's with a file in need of repair; `None` where the tests are not root's.
fn of_nobody(mode: u32, directory_mode: u32) -> Option<tempfile::TempDir> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.toml");
    fs::write(&file, SECRET).unwrap();
    // The group stays root's, which nobody cannot give away.
    chown(&file, Some(NOBODY), None).ok()?;
    chown(directory.path(), Some(NOBODY), None).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(directory_mode)).unwrap();
    Some(directory)
}

#[test]
fn a_file_of_another_group_is_repaired_and_stays_that_group_s() {
    for directory_mode in [0o755, 0o555] {
        let Some(directory) = of_nobody(0o640, directory_mode) else {
            return;
        };
        let outcome = as_nobody(directory.path(), &["--fix", "config.toml"]);
        assert_eq!(outcome.status, 0, "{outcome:#?}");
        let metadata = fs::metadata(directory.path().join("config.toml")).unwrap();
        let owner = (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777);
        assert_eq!(owner, (NOBODY, 0, 0o640));
        let text = fs::read_to_string(directory.path().join("config.toml")).unwrap();
        assert!(text.contains("/etc/dind/registry-ca"), "{text}");
    }
}

#[test]
fn what_could_not_be_written_is_still_wrong_in_every_format() {
    for format in ["text", "oneline", "json", "codequality", "sarif"] {
        let Some(directory) = of_nobody(0o444, 0o555) else {
            return;
        };
        // A good file beside it does not make it better.
        fs::write(directory.path().join("good.toml"), CLEAN).unwrap();
        let arguments = ["--fix", "--format", format, "config.toml", "good.toml"];
        let outcome = as_nobody(directory.path(), &arguments);
        assert_eq!(outcome.status, 2, "{format}: {outcome:#?}");
        for part in [
            "CERTS-READONLY",
            "this cannot be written: Permission denied",
        ] {
            assert!(
                outcome.stdout.contains(part),
                "{format}: {part} in {outcome:#?}"
            );
        }
        assert!(!outcome.stdout.contains("no problems"), "{outcome:#?}");
        assert!(!format!("{outcome:?}").contains("+++ "), "{outcome:#?}");
        let text = fs::read_to_string(directory.path().join("config.toml")).unwrap();
        assert_eq!(text, SECRET);
    }
}
