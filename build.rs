//! Puts the git commit into `--version`: `DIND_INIT_COMMIT`, or what git says.

use std::{env, path::Path, process::Command};

fn main() {
    println!("cargo::rerun-if-env-changed=DIND_INIT_COMMIT");
    for file in [".git/HEAD", ".git/refs/heads"] {
        // A path that does not exist would mean a new build every time.
        if Path::new(file).exists() {
            println!("cargo::rerun-if-changed={file}");
        }
    }
    let commit = env::var("DIND_INIT_COMMIT")
        .ok()
        .filter(|commit| !commit.is_empty())
        .or_else(commit_from_git)
        .unwrap_or_else(|| "unknown commit".into());
    println!("cargo::rustc-env=DIND_INIT_COMMIT={commit}");
}

fn commit_from_git() -> Option<String> {
    let output = Command::new("git")
        .args(["rev-parse", "--short=12", "HEAD"])
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
