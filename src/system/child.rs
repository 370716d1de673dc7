//! Programs that the init starts.
//!
//! It has blocked every signal, and a child would have them blocked as well: Rust's `Command` passes
//! the current mask on (rust-lang/rust#101077), and a program that hangs then hears of no end.

use std::{
    ffi::OsStr,
    os::{
        fd::{AsRawFd, BorrowedFd},
        unix::process::CommandExt,
    },
    process::{Command, Stdio},
};

use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    sys::signal::Signal,
};

use super::signals;

/// A program that is asked something: with no signal blocked, and nothing to read.
pub fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = inheriting(name, &[], &[]);
    command.stdin(Stdio::null());
    command
}

/// A program that starts with these signals blocked and these descriptors open, by their numbers
/// here, and no others.
///
/// They are to be open still when it is started. Only in the child do they outlive the exec: another
/// thread may start another program at the same time.
pub fn inheriting(
    name: impl AsRef<OsStr>,
    blocked: &[Signal],
    descriptors: &[BorrowedFd<'_>],
) -> Command {
    let mut command = Command::new(name);
    let blocked = blocked.to_vec();
    let descriptors: Vec<_> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let prepare = move || {
        signals::restore(&blocked)?;
        for descriptor in &descriptors {
            // SAFETY: it was borrowed from whoever has it open, and is one number in a process that
            // has no other threads and is about to exec; a bad one gives EBADF.
            let descriptor = unsafe { BorrowedFd::borrow_raw(*descriptor) };
            fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::empty()))?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes system calls, sigprocmask and fcntl, and
    // allocates nothing.
    //
    // Having a closure also keeps Rust from using glibc's posix_spawn, which leaves signal 32
    // ignored in the child (sysdeps/unix/sysv/linux/spawni.c), and so in users' containers.
    unsafe { command.pre_exec(prepare) };
    command
}

#[cfg(test)]
mod tests {
    use std::{io::pipe, os::fd::AsFd};

    use super::*;
    use crate::system::{alone::is_alone, signals::Signals};

    #[test]
    fn a_child_has_its_own_mask_whatever_is_blocked_here() {
        if !is_alone("system::child::tests::a_child_has_its_own_mask_whatever_is_blocked_here") {
            return;
        }
        let _signals = Signals::block().unwrap();
        let blocked = |mut command: Command| {
            let said = command.arg("/proc/self/status").output().unwrap();
            let status = String::from_utf8(said.stdout).unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
            u64::from_str_radix(line.unwrap().trim(), 16).unwrap()
        };
        assert_eq!(blocked(program("cat")), 0);
        let hangup = 1 << (Signal::SIGHUP as i32 - 1);
        assert_eq!(blocked(inheriting("cat", &[Signal::SIGHUP], &[])), hangup);
        assert_ne!(blocked(Command::new("cat")), 0, "the control");
    }

    #[test]
    fn a_descriptor_is_open_in_the_child_it_is_meant_for_alone() {
        let (reader, _writer) = pipe().unwrap();
        let has_it = |mut command: Command| {
            let path = format!("/proc/self/fd/{}", reader.as_raw_fd());
            command.args(["-e", &path]).status().unwrap().success()
        };
        assert!(has_it(inheriting("test", &[], &[reader.as_fd()])));
        assert!(!has_it(inheriting("test", &[], &[])));
    }
}
