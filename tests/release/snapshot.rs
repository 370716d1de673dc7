//! What takes long to make is made once a run; each test has a copy of its own.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{self, Command};

/// The snapshot of this name. Whoever asks first makes it: `make` fills a new directory, and the
/// others wait.
pub fn snapshot(name: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("snapshots");
    fs::create_dir_all(&all).unwrap();
    let lock = File::create(all.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    let made = all.join(format!("{name}-{}", run()));
    if !made.exists() {
        remove_others(&all, name);
        let new = all.join(format!("{name}-new"));
        fs::create_dir(&new).unwrap();
        make(&new);
        fs::rename(new, &made).unwrap();
    }
    made
}

/// Copies what is in one directory into another.
pub fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp")
        .arg("--archive")
        .arg(from.join("."))
        .arg(to)
        .status();
    assert!(copied.unwrap().success(), "cp {}", from.display());
}

/// nextest has a process for each test; `cargo test` has one for all.
fn run() -> String {
    env::var("NEXTEST_RUN_ID").unwrap_or_else(|_| process::id().to_string())
}

/// What earlier runs have left, and a half one.
fn remove_others(all: &Path, name: &str) {
    for entry in fs::read_dir(all).unwrap() {
        let path = entry.unwrap().path();
        let file_name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() && file_name.starts_with(&format!("{name}-")) {
            fs::remove_dir_all(&path).unwrap();
        }
    }
}
