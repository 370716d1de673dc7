//! Puts the git commit into `--version`: `DIND_INIT_COMMIT`, or what git says.

use std::{env, path::Path, process::Command};

fn main() {
    println!("cargo::rerun-if-env-changed=DIND_INIT_COMMIT");
    // In a worktree these lie elsewhere. A path that does not exist would mean a new build every
    // time.
    for name in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", name]);
        if let Some(path) = path.filter(|path| Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let commit = env::var("DIND_INIT_COMMIT")
        .ok()
        .filter(|commit| !commit.is_empty())
        .or_else(|| git(&["rev-parse", "--short=12", "HEAD"]))
        .unwrap_or_else(|| "unknown commit".into());
    println!("cargo::rustc-env=DIND_INIT_COMMIT={commit}");
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
