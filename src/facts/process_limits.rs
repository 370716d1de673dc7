//! The limit of processes of this container, and whether it was met: by its control group (`pids`),
//! v2 or v1.

use std::{fs, path::Path};

/// Where v2 has it, and v1.
const TREES: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/pids"];

/// How deep groups are looked at: a container of dockerd's is two below its own.
const DEPTH: usize = 3;

/// What the kernel counts (`Documentation/admin-guide/cgroup-v2.rst`, pids).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ProcessLimits {
    /// How many processes this container may have.
    pub limit: Option<u64>,
    /// How many it has had at most; newer kernels only.
    pub peak: Option<u64>,
    /// How often it got no further one. Older kernels count where it was wanted, and forget that
    /// with the group: runc removes that of a container which did not start.
    pub refused: u64,
}

impl ProcessLimits {
    pub fn read() -> Self {
        let mut trees = TREES.iter().map(Path::new);
        // The root of all groups has no limit, and is not this container's.
        let own = trees.find(|tree| tree.join("pids.max").exists());
        own.map_or_else(Self::default, Self::of)
    }

    fn of(group: &Path) -> Self {
        let number = |file| text(group, file).trim().parse().ok();
        Self {
            limit: number("pids.max"),
            peak: number("pids.peak"),
            refused: refused_in(group, 0),
        }
    }

    /// Whether the limit was met since `before`.
    pub fn are_met_since(&self, before: &Self) -> bool {
        let has_come_to_it = self
            .peak
            .zip(self.limit)
            .is_some_and(|(peak, limit)| peak >= limit);
        has_come_to_it || self.refused > before.refused
    }
}

fn refused_in(group: &Path, depth: usize) -> u64 {
    // `docker run --pids-limit` is the job's own business.
    let is_limited = depth > 0 && !["max", ""].contains(&text(group, "pids.max").trim());
    if is_limited {
        return 0;
    }
    // Where there is the one, the other counts groups below as well (since Linux 6.11).
    let files = ["pids.events.local", "pids.events"];
    let own = files.iter().find_map(|file| count(&text(group, file)));
    let own = own.unwrap_or_default();
    if depth == DEPTH {
        return own;
    }
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    let below = entries.filter(|entry| entry.file_type().is_ok_and(|it| it.is_dir()));
    let below: u64 = below
        .map(|entry| refused_in(&entry.path(), depth + 1))
        .sum();
    own + below
}

/// `max 3`.
fn count(text: &str) -> Option<u64> {
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix("max ")?.trim().parse().ok())
}

fn text(group: &Path, file: &str) -> String {
    fs::read_to_string(group.join(file)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_groups_count_but_those_with_a_limit_of_their_own() {
        let tree = tempfile::tempdir().unwrap();
        let group = |path: &str, max: &str, refused: u64| {
            let group = tree.path().join(path);
            fs::create_dir_all(&group).unwrap();
            fs::write(group.join("pids.max"), format!("{max}\n")).unwrap();
            fs::write(group.join("pids.events"), format!("max {refused}\n")).unwrap();
        };
        group("", "60", 1);
        group("init", "max", 2);
        group("docker/1", "max", 4);
        group("docker/2", "10", 100);
        let old = ProcessLimits::of(tree.path());
        assert_eq!((old.limit, old.peak, old.refused), (Some(60), None, 7));
        fs::write(tree.path().join("pids.events.local"), "max 0\n").unwrap();
        fs::write(tree.path().join("pids.peak"), "59\n").unwrap();
        let new = ProcessLimits::of(tree.path());
        assert_eq!((new.peak, new.refused), (Some(59), 6));
        assert_eq!(refused_in(&tree.path().join("nothing"), 0), 0);
    }

    #[test]
    fn either_count_tells_that_a_limit_was_met() {
        let limits = |peak, refused| ProcessLimits {
            limit: Some(60),
            peak,
            refused,
        };
        let before = limits(None, 2);
        for (now, are_met) in [
            (limits(None, 2), false),
            (limits(None, 3), true),
            (limits(Some(59), 2), false),
            (limits(Some(60), 2), true),
        ] {
            assert_eq!(now.are_met_since(&before), are_met, "{now:?}");
        }
        assert!(!ProcessLimits::default().are_met_since(&before));
    }
}
