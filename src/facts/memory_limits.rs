//! The memory of this container's control group, v2 or v1.

use std::{fs, path::Path};

/// How many processes of this container the kernel has killed for want of memory.
pub fn out_of_memory_kills() -> Option<u64> {
    [
        "/sys/fs/cgroup/memory.events",
        "/sys/fs/cgroup/memory/memory.oom_control",
    ]
    .iter()
    .filter_map(|file| fs::read_to_string(file).ok())
    .find_map(|text| count(&text))
}

/// The limit in bytes; `None` where there is none.
pub fn limit() -> Option<u64> {
    /// v1 says "no limit" with the largest number of whole pages.
    const NONE: u64 = 1 << 62;
    [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ]
    .iter()
    .filter_map(|file| fs::read_to_string(Path::new(file)).ok())
    .find_map(|text| text.trim().parse().ok())
    .filter(|limit| *limit < NONE)
}

/// `oom_kill 3`, in both versions' files.
fn count(text: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix("oom_kill "))?
        .trim()
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_count_the_same_way() {
        let v2 = "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n";
        assert_eq!(count(v2), Some(2));
        let v1 = "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n";
        assert_eq!(count(v1), Some(5));
        assert_eq!(count("nothing"), None);
    }
}
