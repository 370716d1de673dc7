//! What is planted, and what comes of it; a pod's volumes are in `tests/hostile`.

use std::{
    fs,
    os::unix::fs::{MetadataExt, symlink},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use nix::{sys::stat::Mode, unistd::mkfifo};
use tempfile::{TempDir, tempdir};

use super::*;

/// A directory that is entered, beside something precious.
fn scene() -> (TempDir, Directory, PathBuf) {
    let root = tempdir().unwrap();
    let shared = root.path().join("shared");
    fs::create_dir(&shared).unwrap();
    let precious = root.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    (root, Directory::open(&shared).unwrap(), precious)
}

#[test]
fn what_has_the_name_is_replaced_and_never_followed() {
    let (_root, directory, precious) = scene();
    let path = directory.path().join("status.txt");
    let plants: [fn(&Path, &Path); 4] = [
        |path, precious| symlink(precious, path).unwrap(),
        |path, precious| fs::hard_link(precious, path).unwrap(),
        |path, _| mkfifo(path, Mode::S_IRWXU).unwrap(),
        |path, _| fs::write(path, "old").unwrap(),
    ];
    for plant in plants {
        plant(&path, &precious);
        directory.replace("status.txt", b"ours", 0o640).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"ours");
        let metadata = path.symlink_metadata().unwrap();
        assert!(metadata.is_file());
        assert_eq!(metadata.mode() & 0o777, 0o640);
        assert_eq!(fs::read(&precious).unwrap(), b"precious");
        fs::remove_file(&path).unwrap();
    }
    assert!(directory.names().unwrap().is_empty());
}

#[test]
fn a_directory_in_the_way_is_an_error_and_nothing_is_left_behind() {
    let (_root, directory, _) = scene();
    fs::create_dir(directory.path().join("status.txt")).unwrap();
    assert!(directory.replace("status.txt", b"ours", 0o644).is_err());
    assert_eq!(directory.names().unwrap(), ["status.txt"]);
}

#[test]
fn only_regular_files_that_are_nobody_else_s_are_written_to() {
    let (_root, directory, precious) = scene();
    let path = directory.path().join("output.log");
    assert!(directory.append("output.log", b"x").is_err());
    let plants: [fn(&Path, &Path); 3] = [
        |path, precious| symlink(precious, path).unwrap(),
        |path, precious| fs::hard_link(precious, path).unwrap(),
        |path, _| mkfifo(path, Mode::S_IRWXU).unwrap(),
    ];
    for plant in plants {
        plant(&path, &precious);
        assert!(directory.append("output.log", b"x").is_err());
        assert!(directory.overwrite("output.log", b"x").is_err());
        assert!(directory.read_own("output.log").is_err());
        fs::remove_file(&path).unwrap();
    }
    assert_eq!(fs::read(&precious).unwrap(), b"precious");
    fs::write(&path, "the job's\n").unwrap();
    directory.append("output.log", b"ours\n").unwrap();
    assert_eq!(
        directory.read_own("output.log").unwrap(),
        b"the job's\nours\n"
    );
    directory.overwrite("output.log", b"short").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"short");
}

#[test]
fn what_is_endless_or_would_wait_is_not_read() {
    let (_root, directory, _) = scene();
    mkfifo(&directory.path().join("pipe"), Mode::S_IRWXU).unwrap();
    fs::write(directory.path().join("huge"), vec![b'x'; 2 << 20]).unwrap();
    let error = |name| directory.read(name).unwrap_err().to_string();
    assert_eq!(error("pipe"), "not a regular file");
    assert_eq!(error("huge"), "larger than 1 MiB");
    for device in ["/dev/zero", "/dev/null"] {
        let error = read(Path::new(device), LIMIT).unwrap_err();
        assert_eq!(error.to_string(), "not a regular file");
    }
}

#[test]
fn names_lead_nowhere_else() {
    let (_root, directory, precious) = scene();
    for name in ["", ".", "..", "../precious", "a/b", "/etc/passwd"] {
        assert!(directory.replace(name, b"x", 0o644).is_err(), "{name}");
        assert!(directory.remove(name).is_err(), "{name}");
        assert!(directory.remove_if_empty(name).is_err(), "{name}");
        assert!(directory.read(name).is_err(), "{name}");
        assert!(directory.child(name).is_err(), "{name}");
    }
    assert_eq!(fs::read(&precious).unwrap(), b"precious");
}

#[test]
fn a_directory_that_is_a_link_is_no_child() {
    let (root, directory, _) = scene();
    let other = root.path().join("other");
    fs::create_dir(&other).unwrap();
    symlink("../other", directory.path().join("server")).unwrap();
    assert!(directory.child("server").is_err());
    assert!(!directory.is_directory("server"));
    assert!(directory.remove_if_empty("server").is_err());
    assert!(other.is_dir());
    directory.remove("server").unwrap();
    assert!(other.is_dir());
}

#[test]
fn directories_are_made_and_known_again() {
    let (root, ..) = scene();
    let path = root.path().join("a/../b/c");
    let made = Directory::make(&path).unwrap();
    assert!(root.path().join("b/c").is_dir());
    let mode = fs::metadata(root.path().join("b")).unwrap().mode();
    assert_eq!(mode & 0o777, 0o755);
    assert!(made.is_still_there());
    fs::remove_dir(root.path().join("b/c")).unwrap();
    assert!(!made.is_still_there());
    fs::create_dir(root.path().join("b/c")).unwrap();
    assert!(!made.is_still_there());
    assert!(Directory::make(&path).unwrap().is_still_there());
}

/// Somebody swaps a file, a link, a pipe and a directory under our feet.
#[test]
fn whatever_changes_meanwhile_nothing_outside_is_touched() {
    let (_root, directory, precious) = scene();
    let path = directory.path().join("status.txt");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0.. {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                let _ = match round % 4 {
                    0 => symlink(&precious, &path),
                    1 => mkfifo(&path, Mode::S_IRWXU).map_err(io::Error::from),
                    2 => fs::create_dir(&path),
                    _ => fs::hard_link(&precious, &path),
                };
                let _ = fs::remove_file(&path);
                let _ = fs::remove_dir(&path);
            }
        });
        let mut results = [0; 2];
        for _ in 0..3_000 {
            // Whether it works is chance.
            let written = directory.replace("status.txt", b"ours", 0o644).is_ok();
            results[usize::from(written)] += 1;
            let _ = directory.append("status.txt", b"ours");
            let _ = directory.overwrite("status.txt", b"ours");
            let _ = directory.read_own("status.txt");
            let _ = directory.remove("status.txt");
        }
        done.store(true, Ordering::Relaxed);
        assert!(results[1] > 0, "{results:?}");
    });
    assert_eq!(fs::read(&precious).unwrap(), b"precious");
}
