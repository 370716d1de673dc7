//! A copy of this checkout, with everything that is not committed yet, as a repository of its own.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A repository that a test may change; it is removed when it goes out of scope.
#[derive(Debug)]
pub struct Checkout(TempDir);

impl Checkout {
    pub fn new() -> Self {
        let checkout = Self(TempDir::with_prefix("dind-pipeline-").unwrap());
        let listed = Command::new("git")
            .args("ls-files --cached --others --exclude-standard -z".split(' '))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(listed.status.success(), "git ls-files: {}", said(&listed));
        for name in String::from_utf8(listed.stdout)
            .unwrap()
            .split_terminator('\0')
        {
            checkout.copy(name);
        }
        checkout.git("init --quiet --initial-branch=main");
        // The interpreter asks for the project's name.
        checkout.git("remote add origin https://gitlab.example.com/group/dind-init.git");
        checkout.commit("As it is");
        checkout
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn read(&self, name: &str) -> String {
        let path = self.path().join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    pub fn commit(&self, message: &str) {
        self.git("add --all");
        let done = self
            .command("git", &["commit", "--quiet", "--message", message])
            .output();
        assert!(done.unwrap().status.success(), "git commit");
    }

    /// Runs git with words that have spaces between them, and returns what it prints.
    pub fn git(&self, words: &str) -> String {
        let words: Vec<_> = words.split(' ').collect();
        let done = self.command("git", &words).output().unwrap();
        assert!(done.status.success(), "git {words:?}: {done:?}");
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    /// A command in the repository, by somebody whom git knows.
    pub fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(words)
            .current_dir(self.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", "Test")
            .env("GIT_AUTHOR_EMAIL", "test@example.com")
            .env("GIT_COMMITTER_NAME", "Test")
            .env("GIT_COMMITTER_EMAIL", "test@example.com");
        command
    }

    /// What is deleted and not committed yet is listed, but not there.
    fn copy(&self, name: &str) {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let to = self.path().join(name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        match fs::copy(&from, &to) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => panic!("{}: {error}", from.display()),
        }
    }
}

/// What a command said to both outputs.
pub fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
