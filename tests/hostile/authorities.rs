//! A place for CAs that holds far more than anybody has.

use std::fs::{self, File};

use crate::{
    MOST_KILOBYTES, Planter, ends_when_asked, kilobytes, pod,
    pods::{
        openssl::{Authority, Profile},
        pod::{Plan, Pod},
        volume::Volume,
    },
    works,
};

/// A pod that looks for CAs where so many of 1 MiB lie. What follows the certificate in each is a
/// hole, which takes no room on the disk.
fn pod_with(authorities: usize, planter: Planter) -> Plan {
    let authority = Authority::new("Corp", Profile::Strict).certificate();
    let builds = Volume::disk();
    let directory = builds.path().join("authorities");
    fs::create_dir(&directory).unwrap();
    for number in 0..authorities {
        let path = directory.join(format!("{number}.crt"));
        fs::write(&path, &authority).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(1 << 20).unwrap();
    }
    planter.owns_all(&directory);
    pod(&builds)
        .certs(&Volume::memory())
        .variable("DIND_REGISTRY_CA_DIR", "/builds/authorities")
}

fn seconds_to_readiness(pod: &Pod) -> f64 {
    let log = pod.service_log();
    let after = log.split("dockerd is ready, ").nth(1);
    let seconds = after.and_then(|after| after.split(' ').next());
    seconds.expect(&log).parse().unwrap()
}

#[test]
fn thousands_of_authorities_cost_neither_memory_nor_time() {
    let control = pod_with(2, Planter::Root).start();
    works(&control);
    control
        .job("cat /builds/.dind-init/7/status.json")
        .expect_success()
        .expect_not("all CAs together");
    let few = seconds_to_readiness(&control);
    for planter in Planter::ALL {
        let pod = pod_with(2_000, planter).start();
        works(&pod);
        pod.job("cat /builds/.dind-init/7/status.json")
            .expect_success()
            .expect("all CAs together are more than");
        let kilobytes = kilobytes(&pod, "VmHWM");
        assert!(kilobytes < MOST_KILOBYTES, "{kilobytes} kB");
        let many = seconds_to_readiness(&pod);
        assert!(many < few * 5.0, "{few} s, and {many} s");
        ends_when_asked(&pod);
    }
}

/// Wherever it is in its reading.
#[test]
fn who_reads_thousands_of_authorities_hears_when_it_is_asked_to_end() {
    let pod = pod_with(2_000, Planter::User).start();
    ends_when_asked(&pod);
}
