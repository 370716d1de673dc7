//! The source with every crate, for a site that reaches no registry of crates.

use std::fs;
use std::process::Command;

use crate::checkout::{Checkout, said};

#[test]
fn the_source_archive_is_whole_and_the_same_every_time() {
    let checkout = Checkout::new();
    let make = || {
        let done = checkout.command("release/source.sh", &["1.2.3"]).output();
        let done = done.unwrap();
        assert!(done.status.success(), "{}", said(&done));
        fs::read(
            checkout
                .path()
                .join("archives/dind-init-1.2.3-source.tar.gz"),
        )
        .unwrap()
    };
    assert!(make() == make(), "two archives of one commit differ");

    // cargo, with no cache of its own and no network, finds every crate, for every target.
    let unpacked = tempfile::tempdir().unwrap();
    let archive = checkout
        .path()
        .join("archives/dind-init-1.2.3-source.tar.gz");
    let untar = Command::new("tar")
        .arg("--extract")
        .arg("--file")
        .arg(archive)
        .current_dir(unpacked.path())
        .status();
    assert!(untar.unwrap().success());
    let root = unpacked.path().join("dind-init-1.2.3-source");
    let resolve = || {
        Command::new(env!("CARGO"))
            .args(["metadata", "--offline", "--locked", "--format-version=1"])
            .env("CARGO_HOME", unpacked.path().join("empty"))
            .current_dir(&root)
            .output()
            .unwrap()
    };
    let whole = resolve();
    assert!(whole.status.success(), "{}", said(&whole));
    let vendored = fs::read_dir(root.join("vendor")).unwrap();
    let mut vendored = vendored.map(|entry| entry.unwrap().path());
    let clap = vendored.find(|path| path.to_string_lossy().contains("/clap-"));
    fs::remove_dir_all(clap.unwrap()).unwrap();
    assert!(!resolve().status.success(), "a crate is missing");
}
