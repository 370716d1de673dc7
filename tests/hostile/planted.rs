//! Links, pipes and devices under names that the service writes.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::stat::{Mode, SFlag, makedev, mknod},
    unistd::mkfifo,
};

use crate::{
    Planter, ends_when_asked, pod,
    pods::{gitlab::RunnerLog, volume::Volume},
    works,
};

const PRECIOUS: &str = "precious";

/// Every name below a job's directory that a service writes, and how hidden names were made once.
const STATUS: [&str; 6] = [
    "status.txt",
    "status.json",
    ".status.txt.dind-init-new",
    ".status.json.dind-init-new",
    ".registry-ca.pem.dind-init-new",
    ".buildkitd.toml.dind-init-new",
];
const CERTIFICATES: [&str; 6] = [
    ".ca.pem.dind-init-new",
    ".cert.pem.dind-init-new",
    ".key.pem.dind-init-new",
    ".ca.pem.dind-init-old",
    ".registry-ca.pem.dind-init-new",
    ".buildkitd.toml.dind-init-new",
];

type Plant = fn(path: &Path, precious: &Path);

const PLANTS: [(&str, Plant); 4] = [
    ("a link to a file of the service", |path, _| {
        symlink("/etc/passwd", path).unwrap();
    }),
    ("a link to a file of the volume", |path, precious| {
        symlink(precious, path).unwrap();
    }),
    ("a pipe", |path, _| mkfifo(path, Mode::S_IRWXU).unwrap()),
    ("a device", |path, _| {
        // /dev/full: whoever writes to it hears so.
        mknod(path, SFlag::S_IFCHR, Mode::S_IRWXU, makedev(1, 7)).unwrap();
    }),
];

/// A volume of the runner's with something precious in it.
fn builds() -> (Volume, PathBuf) {
    let builds = Volume::disk();
    let precious = builds.path().join(PRECIOUS);
    fs::write(&precious, PRECIOUS).unwrap();
    (builds, precious)
}

fn plant_all(plant: Plant, directory: &Path, names: &[&str], planter: Planter) {
    fs::create_dir_all(directory).unwrap();
    for name in names {
        // Where the volume is in the pod.
        plant(
            &directory.join(name),
            Path::new("/builds").join(PRECIOUS).as_path(),
        );
    }
    planter.owns_all(directory);
}

/// Without a plant as well: that is the control.
#[test]
fn whatever_lies_under_a_name_is_neither_followed_nor_opened() {
    let plants = PLANTS
        .iter()
        .flat_map(|plant| Planter::ALL.map(|planter| Some((plant, planter))));
    for plant in plants.chain([None]) {
        let (builds, precious) = builds();
        let certs = Volume::disk();
        let what = plant.map(|((what, _), planter)| (what, planter));
        if let Some(((_, plant), planter)) = plant {
            let job = builds.path().join(".dind-init/7");
            plant_all(*plant, &job, &STATUS, planter);
            plant_all(*plant, certs.path(), &CERTIFICATES, planter);
        }
        let pod = pod(&builds).certs(&certs).start();
        works(&pod);
        pod.job("head -n 1 /builds/.dind-init/7/status.txt")
            .expect_success()
            .expect("ready job=7");
        pod.in_service("head -n 1 /etc/passwd; tail -n 1 /etc/passwd")
            .expect("root:x:0:0:")
            .expect_not("dind-init")
            .expect_not("ready");
        assert_eq!(
            fs::read(&precious).unwrap(),
            PRECIOUS.as_bytes(),
            "{what:?}"
        );
        ends_when_asked(&pod);
        assert_eq!(
            fs::read(&precious).unwrap(),
            PRECIOUS.as_bytes(),
            "{what:?}"
        );
    }
}

/// Whoever made it knows its keys. One that the service itself has made is kept: the control.
#[test]
fn a_set_that_somebody_else_made_in_our_name_is_not_kept() {
    let certs = Volume::disk();
    let (builds, _) = builds();
    let ca = || fs::read(certs.path().join("client/ca.pem")).unwrap();
    let pod = pod(&builds).volume(&certs, "/certs").start();
    works(&pod);
    // In the same container: another one has other names, which a set without a CA key lacks.
    let serve_again = || {
        pod.signal("TERM");
        pod.service_end().expect_status(0);
        pod.restart_service();
        works(&pod);
        ca()
    };
    let first = ca();
    // A CA that is there is the administrator's, whoever owns it, and certifies what it finds.
    fs::remove_dir_all(certs.path().join("ca")).unwrap();
    assert!(serve_again() == first, "the control was not kept");
    Planter::User.owns_all(&certs.path().join("server"));
    assert!(serve_again() != first, "it was kept");
}

#[test]
fn a_job_s_directory_that_is_a_link_is_not_entered() {
    for planter in Planter::ALL {
        let (builds, _) = builds();
        let other = builds.path().join("other");
        fs::create_dir(&other).unwrap();
        let ours = builds.path().join(".dind-init");
        fs::create_dir(&ours).unwrap();
        symlink("../other", ours.join("7")).unwrap();
        planter.owns_all(&ours);
        let pod = pod(&builds).certs(&Volume::memory()).start();
        works(&pod);
        ends_when_asked(&pod);
        assert_eq!(fs::read_dir(&other).unwrap().count(), 0);
    }
}

/// Job 1 is over, and left a link to what job 5 has, which lives. Job 2 is over too, and honest: that
/// what it left goes is the control.
#[test]
fn a_link_to_what_a_living_job_has_is_not_followed() {
    for planter in Planter::ALL {
        let (builds, _) = builds();
        let directory = |job: &str| builds.path().join(".dind").join(job);
        let of_job = |job: &str| {
            pod(&builds)
                .variable("CI_JOB_ID", job)
                .variable("DOCKER_TLS_CERTDIR", &format!("/builds/.dind/{job}"))
                .variable("DOCKER_CERT_PATH", &format!("/builds/.dind/{job}/client"))
        };
        let living = of_job("5").start();
        works(&living);
        for (job, parts) in [("1", &["client"][..]), ("2", &["client", "server"])] {
            for part in parts {
                let copy = directory(job).join(part);
                fs::create_dir_all(&copy).unwrap();
                for name in ["ca.pem", "cert.pem", "key.pem"] {
                    fs::copy(directory("5").join(part).join(name), copy.join(name)).unwrap();
                }
            }
        }
        symlink("../5/server", directory("1").join("server")).unwrap();
        planter.owns_all(&directory("1"));
        let before = files_of(&directory("5"));
        assert_eq!(before.len(), 6, "{:?}", before.keys());

        let next = of_job("7").start();
        works(&next);
        while !next.service_log().contains("/builds/.dind/2 was left by") {
            assert!(!next.service_has_ended(), "{next}");
        }
        assert!(!directory("2").exists());
        assert!(files_of(&directory("5")) == before, "{planter:?}");
        works(&living);
    }
}

/// Those of `client/` and `server/`.
fn files_of(job: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let parts = ["client", "server"].map(|part| fs::read_dir(job.join(part)).unwrap());
    let paths = parts
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.extension().is_some_and(|it| it == "pem"));
    files
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

/// Filled before dockerd is ready; the component would wait for the state.
#[test]
fn a_full_volume_gets_the_state_all_the_same() {
    let builds = Volume::memory_of("64k");
    let status = builds.path().join(".dind-init/7/status.txt");
    let first_line = || {
        let text = fs::read_to_string(&status).unwrap_or_default();
        text.lines().next().unwrap_or_default().to_owned()
    };
    let pod = pod(&builds).certs(&Volume::memory()).start();
    while first_line().is_empty() {
        thread::sleep(Duration::from_millis(1));
    }
    let filled = fs::write(builds.path().join("artifacts"), [b'x'; 128 * 1024]);
    assert_eq!(filled.unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert!(first_line().starts_with("starting "), "filled too late");
    works(&pod);
    let deadline = Instant::now() + Duration::from_secs(60);
    while !first_line().starts_with("ready job=7 ") {
        assert!(Instant::now() < deadline, "{}", first_line());
        thread::sleep(Duration::from_millis(10));
    }
    ends_when_asked(&pod);
}

#[test]
fn a_pipe_in_place_of_the_runner_s_log_keeps_nobody() {
    let log = RunnerLog::missing();
    mkfifo(&log.path().join("output.log"), Mode::S_IRWXU).unwrap();
    let (builds, _) = builds();
    // Without a volume for certificates there is something to say.
    let pod = pod(&builds).runner_log(&log).start();
    pod.in_service(
        "unset DOCKER_TLS_VERIFY DOCKER_CERT_PATH; \
         until docker -H unix:///run/docker.sock version; do sleep 0.2; done",
    )
    .expect_success();
    let said = pod.service_log();
    assert!(
        said.contains("cannot be written: not a regular file"),
        "{said}"
    );
    ends_when_asked(&pod);
}

/// Where nobody is careful, a pipe does keep whoever opens it: the control.
#[test]
fn a_pipe_keeps_who_is_not_careful() {
    let directory = Volume::disk();
    let pipe = directory.path().join("pipe");
    mkfifo(&pipe, Mode::S_IRWXU).unwrap();
    let status = std::process::Command::new("timeout")
        .args(["1", "sh", "-c", "echo x >\"$0\""])
        .arg(&pipe)
        .status();
    assert_eq!(status.unwrap().code(), Some(124));
}
