//! Volumes that stop answering, as those of a file server that is gone: dockerd is started where it
//! can be, what hangs is told, and the service ends when it is asked to. The control is each time
//! the same volume, which answers.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use crate::{
    ends_when_asked, pod,
    pods::{
        gitlab::RunnerLog,
        openssl::{Authority, Profile},
        pod::{Plan, Pod},
        suite::Suite,
        volume::Volume,
    },
    served::ServedVolume,
    works,
};

/// Where a volume can be mounted only while it answers, the service waits until it does not.
fn held(plan: Plan) -> Plan {
    plan.entrypoint_script(
        "until [ -e /tmp/begin ]; do sleep 0.1; done; exec dockerd-entrypoint.sh",
    )
}

fn begin(pod: &Pod) {
    pod.in_service("touch /tmp/begin").expect_success();
}

/// Asked in the service itself: no container can be made with a volume that hangs.
#[track_caller]
fn answers(pod: &Pod) {
    pod.in_service(
        "unset DOCKER_TLS_VERIFY DOCKER_CERT_PATH; \
         until docker -H unix:///run/docker.sock version; do sleep 0.2; done",
    )
    .expect_success();
}

/// Waits until all of it stands in the service's log.
#[track_caller]
fn says(pod: &Pod, words: &[&str]) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !words.iter().all(|words| pod.service_log().contains(words)) {
        assert!(Instant::now() < deadline, "{words:?} in\n{pod}");
        thread::sleep(Duration::from_millis(100));
    }
}

fn does_not_say(pod: &Pod, words: &str) {
    assert!(!pod.service_log().contains(words), "{words} in\n{pod}");
}

#[test]
fn builds_that_hang_at_the_start() {
    for hangs in [false, true] {
        let mut builds = ServedVolume::new();
        let directory = builds.volume().path().to_owned();
        let authority = Authority::new("Corp", Profile::Strict);
        fs::write(directory.join("ca.pem"), authority.certificate()).unwrap();
        let log = RunnerLog::new();
        let plan = pod(builds.volume())
            .certs(&Volume::memory())
            .runner_log(&log)
            .variable("CI_SERVER_HOST", "gitlab.test")
            .variable("CI_SERVER_TLS_CA_FILE", "/builds/ca.pem");
        let pod = held(plan).start();
        if hangs {
            builds.hang();
        }
        begin(&pod);
        answers(&pod);
        let installed = pod.in_service("cat /etc/docker/certs.d/gitlab.test/ca.crt");
        if hangs {
            says(
                &pod,
                &[
                    "error STORAGE-HUNG",
                    "the volume at /builds (fuse, dind-test)",
                    "CI_SERVER_TLS_CA_FILE (/builds/ca.pem)",
                    "REGISTRY-UNREADABLE",
                ],
            );
            let told = log.text().unwrap();
            assert!(told.contains("STORAGE-HUNG"), "{told}");
            installed.expect_failure();
        } else {
            let status = fs::read_to_string(directory.join(".dind-init/7/status.txt")).unwrap();
            assert!(status.starts_with("ready job=7 "), "{status}");
            installed.expect_success().expect("CN=Corp");
            does_not_say(&pod, "STORAGE-HUNG");
        }
        ends_when_asked(&pod);
        if !hangs {
            let left = fs::read_dir(directory.join(".dind-init")).unwrap();
            assert_eq!(left.count(), 0);
        }
    }
}

#[test]
fn a_directory_of_cas_that_hangs_at_the_start() {
    const CAS: &str = "/etc/dind/registry-ca";
    for hangs in [false, true] {
        let mut cas = ServedVolume::new();
        let authority = Authority::new("Corp", Profile::Strict);
        let file = cas.volume().path().join("reg.test.crt");
        fs::write(file, authority.certificate()).unwrap();
        let plan = pod(&Volume::disk()).certs(&Volume::memory());
        let pod = held(plan.volume(cas.volume(), CAS)).start();
        if hangs {
            cas.hang();
        }
        begin(&pod);
        answers(&pod);
        let installed = pod.in_service("cat /etc/docker/certs.d/reg.test/ca.crt");
        if hangs {
            let unreadable = format!("{CAS}: its volume does not answer");
            let hung = format!("DIND_REGISTRY_CA_DIR ({CAS})");
            says(&pod, &["REGISTRY-UNREADABLE", &unreadable, &hung]);
            installed.expect_failure();
        } else {
            installed.expect_success().expect("CN=Corp");
            does_not_say(&pod, "REGISTRY-UNREADABLE");
        }
        ends_when_asked(&pod);
    }
}

/// dockerd cannot be started without them, and is as soon as they can be written: the control.
#[test]
fn certificates_whose_volume_hangs_at_the_start() {
    for place in ["/certs", "/certs/client"] {
        for answers_again in [false, true] {
            let mut certs = ServedVolume::new();
            let log = RunnerLog::new();
            let plan = pod(&Volume::disk()).runner_log(&log);
            let pod = held(plan.volume(certs.volume(), place)).start();
            certs.hang();
            begin(&pod);
            let hung = format!("the volume at {place} (fuse, dind-test)");
            says(&pod, &[&hung, "does not run until it answers"]);
            let told = log.text().unwrap();
            assert!(told.contains("STORAGE-HUNG"), "{told}");
            does_not_say(&pod, "starting dockerd");
            if answers_again {
                certs.answer();
                works(&pod);
            }
            ends_when_asked(&pod);
        }
    }
}

/// With the job's certificates in them, which are to be removed.
#[test]
fn builds_that_hang_later() {
    for hangs in [false, true] {
        let mut builds = ServedVolume::new();
        let directory = builds.volume().path().to_owned();
        let pod = pod(builds.volume())
            .variable("DOCKER_TLS_CERTDIR", "/builds/.dind/7")
            .variable("DOCKER_CERT_PATH", "/builds/.dind/7/client")
            .start();
        works(&pod);
        if hangs {
            builds.hang();
        }
        ends_when_asked(&pod);
        if hangs {
            says(&pod, &["/builds/.dind/7 stays: its volume does not answer"]);
        } else {
            assert!(!directory.join(".dind/7").exists());
            does_not_say(&pod, "stays");
        }
    }
}

#[test]
fn certificates_whose_volume_hangs_later() {
    let mut certs = ServedVolume::new();
    let plan = pod(&Volume::disk()).volume(certs.volume(), "/certs");
    let pod = plan.start();
    works(&pod);
    certs.hang();
    ends_when_asked(&pod);
}

/// Where nobody is careful, such a volume does keep whoever looks: the control of them all.
#[test]
fn a_volume_that_hangs_keeps_who_is_not_careful() {
    let mut volume = ServedVolume::new();
    let pod = Pod::new(Suite::Trixie)
        .volume(volume.volume(), "/volume")
        .start();
    let look = "timeout --signal=KILL 2 stat -f /volume";
    pod.in_service(look).expect_success();
    volume.hang();
    pod.in_service(look).expect_status(137);
    volume.answer();
    pod.in_service(look).expect_success();
}
