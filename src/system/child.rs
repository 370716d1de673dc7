//! Programs that the init starts.
//!
//! It has blocked every signal, and a child would have them blocked as well: Rust's `Command` passes
//! the current mask on (rust-lang/rust#101077), and a program that hangs then hears of no end.

use std::{
    ffi::OsStr,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
};

use nix::sys::signal::Signal;

use super::signals;

/// A program that is asked something: with no signal blocked, and nothing to read.
pub fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = with_mask(name, &[]);
    command.stdin(Stdio::null());
    command
}

/// A program that starts with these signals blocked, and no others.
pub fn with_mask(name: impl AsRef<OsStr>, blocked: &[Signal]) -> Command {
    let mut command = Command::new(name);
    let blocked = blocked.to_vec();
    // SAFETY: between fork and exec the closure makes one system call, sigprocmask, and allocates
    // nothing.
    //
    // Having a closure also keeps Rust from using glibc's posix_spawn, which leaves signal 32
    // ignored in the child (sysdeps/unix/sysv/linux/spawni.c), and so in users' containers.
    unsafe { command.pre_exec(move || Ok(signals::restore(&blocked)?)) };
    command
}

#[cfg(test)]
mod tests {
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
        assert_eq!(blocked(with_mask("cat", &[Signal::SIGHUP])), hangup);
        assert_ne!(blocked(Command::new("cat")), 0, "the control");
    }
}
