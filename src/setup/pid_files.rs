//! Pid files that an earlier life of this container left behind.
//!
//! dockerd refuses to start when the pid in its file is alive, whoever has it now; the same goes
//! for its containerd, whose file official overlooks (moby/moby#40292).

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::system::directory;

/// The longest that holds a number, in bytes.
const LONGEST: u64 = 64;

/// Removes stale pid files below `run` and returns their paths.
///
/// A file whose process really is a living dockerd or containerd stays: dockerd will say so.
pub fn remove_stale(run: &Path) -> Vec<PathBuf> {
    let mut removed = Vec::new();
    visit(run, &mut |path| {
        if is_pid_file(path) && !is_alive(path) && fs::remove_file(path).is_ok() {
            removed.push(path.to_owned());
        }
    });
    removed
}

fn visit(directory: &Path, act: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => visit(&entry.path(), act),
            Ok(kind) if kind.is_file() => act(&entry.path()),
            // Links are not followed, as `find` does not.
            _ => {}
        }
    }
}

/// `docker*.pid` anywhere, as official, and containerd's in dockerd's own directory.
fn is_pid_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_lowercase();
    (name.starts_with("docker") && name.ends_with(".pid"))
        || path.ends_with("docker/containerd/containerd.pid")
}

fn is_alive(pid_file: &Path) -> bool {
    // A volume may lie there, and somebody's file in it may be of any size.
    let content = directory::read(pid_file, LONGEST).unwrap_or_default();
    let Ok(pid) = String::from_utf8_lossy(&content).trim().parse::<u32>() else {
        return false;
    };
    fs::read_to_string(format!("/proc/{pid}/comm"))
        .is_ok_and(|command| matches!(command.trim(), "dockerd" | "containerd"))
}

#[cfg(test)]
mod tests {
    use tempfile::tempdir;

    use super::*;

    #[test]
    fn stale_pid_files_go_and_other_files_stay() {
        let run = tempdir().unwrap();
        let containerd = run.path().join("docker/containerd");
        fs::create_dir_all(&containerd).unwrap();
        // Alive, but no dockerd: the pid was given to this test.
        let pid = std::process::id().to_string();
        for (file, text) in [
            ("docker.pid", pid.as_str()),
            ("Docker-1.pid", "not a number"),
            ("docker/containerd/containerd.pid", "4194304"),
            ("docker/containerd/config.toml", "x"),
            ("containerd.pid", "4194304"),
            ("sshd.pid", "4194304"),
        ] {
            fs::write(run.path().join(file), text).unwrap();
        }
        let mut removed = remove_stale(run.path());
        removed.sort();
        let expected = [
            "Docker-1.pid",
            "docker/containerd/containerd.pid",
            "docker.pid",
        ];
        assert_eq!(removed, expected.map(|file| run.path().join(file)));
        assert!(run.path().join("containerd.pid").exists());
        assert!(run.path().join("sshd.pid").exists());
    }
}
