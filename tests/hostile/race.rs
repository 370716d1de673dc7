//! Somebody swaps files, links, pipes and directories under the service's feet, all its life.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use nix::{sys::stat::Mode, unistd::mkfifo};

use crate::{
    ends_when_asked, pod,
    pods::{gitlab::RunnerLog, volume::Volume},
};

const PRECIOUS: &str = "precious";

/// While it starts, publishes, serves and stops.
const SWAPPING: Duration = Duration::from_secs(10);

#[test]
fn nothing_outside_is_touched_whatever_is_swapped() {
    let (builds, certs, log) = (Volume::disk(), Volume::disk(), RunnerLog::new());
    let precious = builds.path().join(PRECIOUS);
    fs::create_dir(&precious).unwrap();
    fs::write(precious.join("file"), PRECIOUS).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let job = builds.path().join(".dind-init/7");
        let places = [
            job.join("status.txt"),
            job.join("status.json"),
            job,
            builds.path().join(".dind-init"),
            certs.path().join("client/ca.pem"),
            certs.path().join("client/key.pem"),
            certs.path().join("client"),
            certs.path().join("server"),
            log.path().join("output.log"),
        ];
        let done = &done;
        let swapper = scope.spawn(move || {
            let mut swaps = 0_u64;
            while !done.load(Ordering::Relaxed) {
                for place in &places {
                    swap(place, swaps);
                    swaps += 1;
                }
            }
            swaps
        });
        let began = Instant::now();
        let pod = pod(&builds)
            .volume(&certs, "/certs")
            .runner_log(&log)
            .start();
        while began.elapsed() < SWAPPING && !pod.service_has_ended() {
            let _ = pod.in_service("cat /proc/1/status").status();
        }
        if !pod.service_has_ended() {
            ends_when_asked(&pod);
        }
        pod_is_unharmed(&pod.service_root());
        done.store(true, Ordering::Relaxed);
        let swaps = swapper.join().unwrap();
        assert!(swaps > 10_000, "too slow to be a race: {swaps}");
    });
    let files: Vec<_> = fs::read_dir(&precious).unwrap().flatten().collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(
        fs::read(precious.join("file")).unwrap(),
        PRECIOUS.as_bytes()
    );
}

/// Another kind each time; what was there goes aside or away.
fn swap(place: &Path, number: u64) {
    let aside = place.with_extension("aside");
    match number % 7 {
        0 => drop(fs::rename(place, &aside)),
        1 => drop(symlink("/etc/passwd", place)),
        2 => drop(symlink("/builds/precious/file", place)),
        3 => drop(symlink("/builds/precious", place)),
        4 => drop(mkfifo(place, Mode::S_IRWXU)),
        5 => drop(fs::remove_file(place)),
        _ => drop(fs::rename(&aside, place)),
    }
}

/// The links lead to the service's own file as well.
fn pod_is_unharmed(root: &str) {
    let passwd = fs::read_to_string(Path::new(root).join("etc/passwd")).unwrap();
    let is_account = |line: &str| line.split(':').count() == 7;
    assert!(passwd.lines().all(is_account), "{passwd}");
}
