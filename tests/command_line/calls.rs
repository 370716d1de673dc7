//! Calls of the program, and what they have said.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::{TempDir, tempdir};

pub const DIND_INIT: &str = env!("CARGO_BIN_EXE_dind-init");

/// What the machine lacks that runs the tests is none of their business.
pub const ANY_MACHINE: (&str, &str) = (
    "DIND_IGNORE",
    "NOT-PRIVILEGED,PRIVILEGE-SECCOMP,PRIVILEGE-APPARMOR,CGROUP-NO-DEVICES,STORAGE-READONLY,\
     STORAGE-FULL,NETWORK-NAT-MISSING,NETWORK-FORWARDING",
);

/// An empty certificate directory, and its path as text.
pub fn certificate_directory() -> (TempDir, String) {
    let directory = tempdir().unwrap();
    let path = directory.path().to_str().unwrap().to_owned();
    (directory, path)
}

pub fn dind_init(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    command(DIND_INIT, arguments, variables)
}

/// Runs a program with these variables, and nothing else of the machine's but `PATH`.
pub fn command(program: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let path = std::env::var("PATH").unwrap();
    Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", format!("{}:{path}", programs().display()))
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Docker, as far as `check` asks for it: programs that have nothing to say.
pub fn programs() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("programs");
    fs::create_dir_all(&directory).unwrap();
    for name in ["dockerd", "containerd"] {
        match symlink("/bin/true", directory.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => panic!("{error}"),
            _ => {}
        }
    }
    directory
}

pub fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub const FOREIGN: &str = "somebody's";

/// One with a `client/ca.pem` that is not ours.
pub fn foreign_certificate_directory() -> (TempDir, String) {
    let (directory, path) = certificate_directory();
    let client = directory.path().join("client");
    fs::create_dir(&client).unwrap();
    fs::write(client.join("ca.pem"), FOREIGN).unwrap();
    (directory, path)
}

pub fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
