//! This test's executable, as a process that publishes and can be killed.

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use nix::{
    libc,
    sys::{
        ptrace,
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, gettid},
};
use tempfile::TempDir;

use crate::files::{memory, names};
use crate::starts::{start, start_under_kept_ca, write_in_place};

/// This test's executable, as a process that publishes and can be killed.
pub(crate) struct Publisher {
    _root: TempDir,
    pub(crate) directory: PathBuf,
    pub(crate) key: &'static str,
    pub(crate) ca_stays: bool,
    pub(crate) in_place: bool,
    pub(crate) stays: bool,
}

impl Publisher {
    pub(crate) fn new(key: &'static str) -> Self {
        let root = memory();
        Self {
            directory: root.path().join("certs"),
            _root: root,
            key,
            ca_stays: false,
            in_place: false,
            stays: false,
        }
    }

    /// The `day`-th start, with a name of its own.
    pub(crate) fn spawn(&self, day: u32) -> Running {
        let mut running = self.spawn_stopped(day);
        running.go();
        running
    }

    /// The same, but it waits for [`Running::go`].
    pub(crate) fn spawn_stopped(&self, day: u32) -> Running {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "publisher::publisher",
                "--exact",
                "--ignored",
                "--nocapture",
                "-q",
            ])
            .env("PUBLISHER_DIRECTORY", &self.directory)
            .env("PUBLISHER_NAME", format!("name-{day}"))
            .env("PUBLISHER_DAY", day.to_string())
            .env("PUBLISHER_KEY", self.key)
            .env("PUBLISHER_CA_STAYS", self.ca_stays.to_string())
            .env("PUBLISHER_IN_PLACE", self.in_place.to_string())
            .env("PUBLISHER_STAYS", self.stays.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut running = Running {
            child,
            output,
            thread: 0,
            is_traced: false,
        };
        running.thread = running.line("publishing").parse().unwrap();
        running
    }

    /// A start that is left alone, and how long it takes.
    pub(crate) fn complete(&self, day: u32) -> Duration {
        let mut running = self.spawn(day);
        let start = Instant::now();
        running.line("published");
        let duration = start.elapsed();
        assert!(running.child.wait().unwrap().success());
        duration
    }

    /// Everything that lies there, hidden names without what is random in them.
    pub(crate) fn files(&self) -> Vec<String> {
        let known = |name: String| match name.rsplit_once("-new-") {
            Some((fixed, _random)) => format!("{fixed}-new"),
            None => name,
        };
        ["ca", "server", "client"]
            .iter()
            .flat_map(|side| {
                names(&self.directory.join(side))
                    .into_iter()
                    .map(move |name| format!("{side}/{}", known(name)))
            })
            .collect()
    }
}

#[test]
#[ignore = "run by the others, as a process to be killed"]
fn publisher() {
    let variable = |name: &str| env::var(format!("PUBLISHER_{name}")).unwrap();
    let say = |word: &str| {
        let mut output = io::stdout().lock();
        writeln!(output, "{word}").unwrap();
        output.flush().unwrap();
    };
    let directory = PathBuf::from(variable("DIRECTORY"));
    say(&format!("publishing {}", gettid()));
    io::stdin().read_line(&mut String::new()).unwrap();
    if variable("IN_PLACE") == "true" {
        write_in_place(&directory);
        return say("published");
    }
    let (name, key) = (variable("NAME"), variable("KEY"));
    let patience = Duration::from_secs(60);
    let started = if variable("CA_STAYS") == "true" {
        let day = variable("DAY").parse().unwrap();
        start_under_kept_ca(&directory, &name, &key, day, patience)
    } else {
        start(&directory, &name, &key, patience)
    };
    let _held = started.unwrap_or_else(|finding| panic!("refused: {finding}"));
    say("published");
    if variable("STAYS") == "true" {
        let _ = io::stdin().read_line(&mut String::new());
    }
}

pub(crate) struct Running {
    pub(crate) child: Child,
    /// The one that publishes.
    pub(crate) thread: i32,
    pub(crate) is_traced: bool,
    pub(crate) output: BufReader<ChildStdout>,
}

impl Running {
    /// Waits until the publisher says this word; what it says after it.
    pub(crate) fn line(&mut self, word: &str) -> String {
        loop {
            let mut line = String::new();
            let length = self.output.read_line(&mut line).unwrap();
            assert!(length > 0, "the publisher ended before it was {word}");
            if let Some(rest) = line.trim().strip_prefix(word) {
                return rest.trim().to_owned();
            }
        }
    }

    pub(crate) fn go(&mut self) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(b"go\n").unwrap();
    }

    /// Lets the publishing thread make so many changes to files, and stops it after the last.
    /// Whether it ended before.
    pub(crate) fn step(&mut self, mut changes: u32) -> bool {
        let thread = Pid::from_raw(self.thread);
        ptrace::seize(thread, ptrace::Options::empty()).unwrap();
        ptrace::interrupt(thread).unwrap();
        self.is_traced = true;
        self.wait().unwrap();
        self.go();
        while changes > 0 {
            // It stops before a system call and after it.
            for is_over in [false, true] {
                ptrace::syscall(thread, None).unwrap();
                if is_end(self.wait().unwrap()) {
                    self.is_traced = false;
                    return true;
                }
                changes -= u32::from(is_over && self.is_in_a_change());
            }
        }
        false
    }

    /// Whether the system call that the thread has stopped at changes a directory or a file.
    pub(crate) fn is_in_a_change(&self) -> bool {
        let path = format!("/proc/{}/task/{}/syscall", self.child.id(), self.thread);
        let call = fs::read_to_string(path).unwrap();
        let mut fields = call.split_whitespace();
        let number = fields.next().and_then(|number| number.parse().ok());
        if number == Some(libc::SYS_openat) {
            let flags = fields.nth(2).and_then(|flags| flags.strip_prefix("0x"));
            let flags = i32::from_str_radix(flags.unwrap(), 16).unwrap();
            return flags & libc::O_CREAT != 0;
        }
        CHANGES.iter().any(|change| Some(*change) == number)
    }

    pub(crate) fn wait(&self) -> nix::Result<WaitStatus> {
        waitpid(Pid::from_raw(self.thread), Some(WaitPidFlag::__WALL))
    }

    pub(crate) fn kill(&mut self) -> ExitStatus {
        self.child.kill().unwrap();
        // A process is not over before the tracer has waited for the thread that it traces.
        while self.is_traced && self.wait().is_ok_and(|status| !is_end(status)) {}
        self.child.wait().unwrap()
    }
}

/// Those of the system calls that Rust's library makes for it, besides `openat`.
pub(crate) const CHANGES: &[libc::c_long] = &[
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    libc::SYS_unlinkat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    libc::SYS_mkdirat,
    libc::SYS_write,
];

pub(crate) fn is_end(status: WaitStatus) -> bool {
    matches!(status, WaitStatus::Exited(..) | WaitStatus::Signaled(..))
}
