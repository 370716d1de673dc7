//! `make release`: one commit with everything that names the version, or nothing at all.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use crate::checkout::{Checkout, said};

const CHANGELOG: &str = "# Changelog\n\n## Unreleased\n\n### Added\n- A thing.\n";

/// What `cargo test` does where the component's template is to be written.
const RENDERS: &str = "[ \"$UPDATE_DOCS\" = 1 ] && echo \"$*\" | grep -q 'test component' \
     && sed -n 's/^version = /image /p' Cargo.toml | head -n 1 > templates/dind.yml";

#[test]
fn a_release_is_one_commit() {
    let checkout = checkout(CHANGELOG);
    let before = checkout.git("rev-parse HEAD");
    let makefile = checkout.read("Makefile");
    assert!(makefile.contains("@release/prepare.sh '$(VERSION)'"));
    let done = release(&checkout, "9.8.7", RENDERS);
    assert!(done.status.success(), "{}", said(&done));
    assert!(said(&done).contains("git push origin 9.8.7"));

    assert_eq!(checkout.git("rev-parse HEAD^"), before);
    assert_eq!(checkout.git("log -1 --format=%s"), "Release 9.8.7");
    assert_eq!(checkout.git("status --porcelain"), "");
    assert_eq!(
        checkout.git("diff --name-only HEAD^ HEAD"),
        "CHANGELOG.md\nCargo.lock\nCargo.toml\nfuzz/Cargo.lock\ntemplates/dind.yml"
    );
    assert!(
        checkout
            .read("Cargo.toml")
            .contains("\nversion = \"9.8.7\"\n")
    );
    assert_eq!(checkout.read("templates/dind.yml"), "image \"9.8.7\"\n");
    for lock in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let named = "name = \"dind-init\"\nversion = \"9.8.7\"\n";
        assert!(checkout.read(lock).contains(named), "{lock}");
    }
    let changelog = checkout.read("CHANGELOG.md");
    let heading = "# Changelog\n\n## Unreleased\n\n## 9.8.7 (";
    assert!(changelog.starts_with(heading), "{changelog}");
    assert!(
        changelog.ends_with(")\n\n### Added\n- A thing.\n"),
        "{changelog}"
    );
    // cargo agrees: nothing else would change in the lock. Of all crates only this machine's are
    // asked for: where the cache was empty before, no build has fetched those of other systems.
    let mut metadata = checkout.command(env!("CARGO"), &["metadata", "--locked", "--offline"]);
    metadata.args(["--filter-platform=host-tuple", "--format-version=1"]);
    let metadata = metadata.output().unwrap();
    assert!(metadata.status.success(), "{}", said(&metadata));

    let again = release(&checkout, "9.8.8", RENDERS);
    assert_eq!(again.status.code(), Some(65));
    assert!(said(&again).contains("says nothing of Unreleased"));
}

#[test]
fn what_cannot_be_released_is_refused_and_nothing_is_written() {
    type Spoil = fn(&Checkout);
    let fine: Spoil = |_| {};
    let cases: [(&str, Spoil, &str); 10] = [
        ("", fine, "not a semantic version"),
        ("1.2", fine, "not a semantic version"),
        ("v1.2.3", fine, "not a semantic version"),
        ("1.2.03", fine, "not a semantic version"),
        ("1.2.3+build", fine, "not a semantic version"),
        ("0.0.9", fine, "is older than"),
        ("0.1.0-rc.1", fine, "is older than"),
        (
            "9.8.7",
            |checkout| checkout.write("new", "file"),
            "the working tree has changes",
        ),
        (
            "9.8.7",
            |checkout| {
                checkout.write(
                    "CHANGELOG.md",
                    "# Changelog\n\n## Unreleased\n\n### Added\n",
                );
                checkout.commit("Say nothing");
            },
            "says nothing of Unreleased",
        ),
        // The last one: the tag stays.
        (
            "9.8.7",
            |checkout| drop(checkout.git("tag 9.8.7")),
            "the tag 9.8.7 exists already",
        ),
    ];
    let checkout = checkout(CHANGELOG);
    let good = checkout.git("rev-parse HEAD");
    for (version, spoil, complaint) in cases {
        spoil(&checkout);
        let before = state(&checkout);
        let done = release(&checkout, version, RENDERS);
        assert_eq!(
            done.status.code().map(|code| code / 10),
            Some(6),
            "{version}"
        );
        assert!(
            said(&done).contains(complaint),
            "{version}: {}",
            said(&done)
        );
        assert_eq!(state(&checkout), before, "{version}");
        checkout.git(&format!("reset --quiet --hard {good}"));
        checkout.git("clean --quiet -d --force");
    }
}

#[test]
fn what_fails_halfway_is_undone() {
    let checkout = checkout(CHANGELOG);
    let before = state(&checkout);
    let done = release(
        &checkout,
        "9.8.7",
        "echo half > templates/dind.yml; exit 101",
    );
    assert_eq!(done.status.code(), Some(101));
    assert!(said(&done).contains("nothing was changed"));
    assert_eq!(state(&checkout), before);
}

/// The version that Cargo.toml was begun with has no tag yet, and is the first that is released.
#[test]
fn the_version_of_cargo_toml_may_be_released_if_it_is_not_yet() {
    let checkout = checkout(CHANGELOG);
    let manifest = checkout.read("Cargo.toml");
    let version = manifest.split('"').nth(3).unwrap();
    let done = release(&checkout, version, RENDERS);
    assert!(done.status.success(), "{}", said(&done));
    assert_eq!(
        checkout.git("log -1 --format=%s"),
        format!("Release {version}")
    );
}

fn checkout(changelog: &str) -> Checkout {
    let checkout = Checkout::new();
    checkout.write("CHANGELOG.md", changelog);
    checkout.write("templates/dind.yml", "image\n");
    checkout.write("tests/component/main.rs", "");
    checkout.commit("Something to release");
    checkout
}

/// HEAD, and what differs from it.
fn state(checkout: &Checkout) -> (String, String) {
    (
        checkout.git("rev-parse HEAD"),
        checkout.git("status --porcelain"),
    )
}

/// `cargo` is a script with one line of work.
fn release(checkout: &Checkout, version: &str, cargo: &str) -> Output {
    let programs = tempfile::tempdir().unwrap();
    let stand_in = programs.path().join("cargo");
    fs::write(&stand_in, format!("#!/bin/sh\n{cargo}\n")).unwrap();
    fs::set_permissions(&stand_in, Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        programs.path().display(),
        env::var("PATH").unwrap()
    );
    checkout
        .command("release/prepare.sh", &[version])
        .env("PATH", path)
        .output()
        .unwrap()
}
