//! How dockerd came to its end.

use nix::sys::signal::Signal;

/// How dockerd ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    Exited(u8),
    Killed(Signal),
}

impl Ended {
    /// dockerd's own, or 128 + n for signal n, as a shell has it.
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Exited(status) => status,
            // Signals are numbered 1 to 64.
            Self::Killed(signal) => 128_u8.saturating_add(signal as i32 as u8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_status_is_dockerd_s_own_or_a_shell_s_for_a_signal() {
        assert_eq!(Ended::Exited(3).exit_status(), 3);
        assert_eq!(Ended::Killed(Signal::SIGKILL).exit_status(), 137);
    }
}
