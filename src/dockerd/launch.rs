//! Starting dockerd with the sockets that the init holds.
//!
//! Socket activation (`man 3 sd_listen_fds`) wants the descriptors from 3 on and `LISTEN_PID` to
//! be dockerd's own pid, which nobody knows before it runs. So there is a second stage: this same
//! binary, `dind-init exec-dockerd`, puts everything into place and becomes dockerd.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs, io,
    os::{
        fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd},
        unix::process::CommandExt,
    },
    path::PathBuf,
    process::Command,
};

use nix::{
    fcntl::OFlag,
    libc,
    sys::signal::Signal,
    unistd::{AccessFlags, Pid, access, pipe2},
};

use crate::system::child;

/// dockerd, about to be started.
#[derive(Debug)]
pub struct Launch<'a> {
    /// The whole command line; the first word is looked up in `PATH`.
    pub argv: &'a [OsString],
    pub set: Vec<(OsString, OsString)>,
    pub removed: &'a [&'static str],
    /// Become 3, 4, … in dockerd.
    pub sockets: Vec<BorrowedFd<'a>>,
    pub blocked_signals: &'a [Signal],
    /// The out-of-memory score to go back to, where the init changed its own.
    pub oom_score_adj: Option<i32>,
}

impl Launch<'_> {
    /// Starts the second stage. Returns its pid, which is going to be dockerd's, and what dockerd
    /// writes on stderr.
    pub fn spawn(&self) -> io::Result<(Pid, OwnedFd)> {
        let (said, stderr) = pipe2(OFlag::O_CLOEXEC)?;
        let mut command = child::inheriting("/proc/self/exe", self.blocked_signals, &self.sockets);
        for name in self.removed {
            command.env_remove(name);
        }
        let child = command
            .arg0("dind-init")
            .arg("exec-dockerd")
            .args(
                self.sockets
                    .iter()
                    .map(|fd| format!("--socket={}", fd.as_raw_fd())),
            )
            .args(
                self.oom_score_adj
                    .map(|score| format!("--oom-score-adj={score}")),
            )
            .arg("--")
            .args(self.argv)
            .envs(self.set.iter().map(|(name, value)| (name, value)))
            .stderr(stderr)
            .spawn()?;
        // Only fails for a pid that is not an i32, which the kernel does not hand out.
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
        Ok((pid, said))
    }
}

/// The second stage's arguments.
#[derive(Clone, Debug, clap::Args)]
pub struct SecondStage {
    /// A descriptor to hand over; several in their order
    #[arg(long = "socket")]
    sockets: Vec<RawFd>,
    /// The out-of-memory score to restore
    #[arg(long, allow_negative_numbers = true)]
    oom_score_adj: Option<i32>,
    /// dockerd's command line
    #[arg(last = true, required = true)]
    argv: Vec<OsString>,
}

impl SecondStage {
    /// Becomes dockerd. Returns only if that failed, with why.
    pub fn exec(&self) -> io::Error {
        if let Some(score) = self.oom_score_adj {
            // Raising it is always allowed; a kernel without the file changed nothing before.
            let _ = fs::write("/proc/self/oom_score_adj", score.to_string());
        }
        if let Err(error) = place(&self.sockets) {
            return error;
        }
        let mut command = Command::new(&self.argv[0]);
        command.args(&self.argv[1..]);
        if !self.sockets.is_empty() {
            command
                .env("LISTEN_FDS", self.sockets.len().to_string())
                .env("LISTEN_PID", std::process::id().to_string());
        }
        // `exec` also gives SIGPIPE, which Rust ignores, its default action back.
        command.exec()
    }
}

/// The exit status of a shell for a command that it could not run (POSIX, 2.8.2).
pub fn exit_status_of_failed_exec(error: &io::Error) -> u8 {
    match error.kind() {
        io::ErrorKind::NotFound => 127,
        _ => 126,
    }
}

/// The first descriptor of socket activation.
const LISTEN_FDS_START: RawFd = 3;

/// Moves the descriptors to 3, 4, …: first away from there, so that none overwrites another.
fn place(sockets: &[RawFd]) -> io::Result<()> {
    let count = RawFd::try_from(sockets.len()).unwrap_or(RawFd::MAX);
    let above = LISTEN_FDS_START.saturating_add(count);
    let mut moved = Vec::with_capacity(sockets.len());
    for socket in sockets {
        // SAFETY: F_DUPFD takes and returns plain numbers; a bad one gives EBADF. This process
        // has no other threads and no owner of these descriptors: it is about to exec.
        moved.push(checked(unsafe {
            libc::fcntl(*socket, libc::F_DUPFD_CLOEXEC, above)
        })?);
        // dockerd knows nothing of this number, and containerd would inherit it.
        // SAFETY: as above.
        checked(unsafe { libc::fcntl(*socket, libc::F_SETFD, libc::FD_CLOEXEC) })?;
    }
    for (socket, target) in moved.into_iter().zip(LISTEN_FDS_START..) {
        // SAFETY: as above; whatever `target` was is not used any more.
        checked(unsafe { libc::dup2(socket, target) })?;
    }
    Ok(())
}

fn checked(result: RawFd) -> io::Result<RawFd> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(result)
}

/// Keeps the out-of-memory killer away from the init, so that someone is left to explain.
///
/// Returns the score to give back to dockerd; `None` where the kernel did not let us.
pub fn protect_from_out_of_memory() -> Option<i32> {
    const PATH: &str = "/proc/self/oom_score_adj";
    let before = fs::read_to_string(PATH).ok()?.trim().parse().ok()?;
    fs::write(PATH, "-1000").ok()?;
    Some(before)
}

/// Whether there is such a command in `PATH`.
pub fn found_in_path(command: &str) -> bool {
    program(command.as_ref(), &env::var_os("PATH").unwrap_or_default()).is_some()
}

/// Looks a command up in the directories of `path`, as exec does.
pub fn program(command: &OsStr, path: &OsStr) -> Option<PathBuf> {
    if command.as_encoded_bytes().contains(&b'/') {
        return Some(command.into());
    }
    env::split_paths(path)
        .map(|directory| directory.join(command))
        .find(|file| file.is_file() && access(file, AccessFlags::X_OK).is_ok())
}
