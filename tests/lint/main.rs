//! `dind-init lint` as users and CI jobs call it.
#![allow(clippy::unwrap_used)]

mod calls;
mod cases;
mod hostile;
mod marker;
mod repairs;
mod reports;
mod secrets;

use std::{
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

pub const CLEAN: &str = "[[runners]]\n[runners.docker]\nprivileged = true\n";
pub const SECRET: &str = "[[runners]]\n[runners.kubernetes]\nprivileged = true\n\
                      [[runners.kubernetes.volumes.secret]]\nname = \"ca\"\n\
                      mount_path = \"/certs/client\"\n";

/// What a call has printed, and its exit status.
#[derive(Debug)]
pub struct Outcome {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs `dind-init lint` in `directory`, with `input` on standard input.
pub fn lint_in(directory: &Path, arguments: &[&str], input: &[u8]) -> Outcome {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dind-init"))
        .arg("lint")
        .args(arguments)
        .current_dir(directory)
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that does not read its input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input);
    outcome(child.wait_with_output().unwrap())
}

/// The same for a text on standard input alone.
pub fn lint(arguments: &[&str], input: &[u8]) -> Outcome {
    lint_in(Path::new("/"), arguments, input)
}

pub fn outcome(output: Output) -> Outcome {
    Outcome {
        // A signal is no status, and no test expects one.
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
