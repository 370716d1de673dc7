//! Processes, as `/proc` has them.

use std::fs;

/// The parent of the process with this number; 0 where that is outside of this PID namespace.
pub fn parent(pid: i32) -> Option<i32> {
    parent_in(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The command stands in parentheses and may hold anything; state and parent follow (`man 5
/// proc_pid_stat`).
fn parent_in(stat: &str) -> Option<i32> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_read_whatever_the_command_is_called() {
        for command in ["cat", "a b", "x) S 7 (y", "Web Content"] {
            let stat = format!("42 ({command}) S 17 42 42 0 -1 4194560");
            assert_eq!(parent_in(&stat), Some(17), "{command}");
        }
        assert_eq!(parent_in(""), None);
        let ourselves = std::process::id() as i32;
        assert_eq!(parent(ourselves), Some(nix::unistd::getppid().as_raw()));
        assert_eq!(parent(-1), None);
    }
}
