//! The certificate directory: whose it is decides what is done with it.

use std::fs;
use std::path::Path;

use crate::openssl::{Authority, Profile};
use crate::pod::Pod;
use crate::suite::Suite;
use crate::volume::Volume;

/// The exit status of failures about certificates.
const CERTIFICATE_FAILURE: i32 = 70;

/// The mistake that this project began with: the registry's CA, mounted over the directory that the
/// daemon's client certificates go to.
#[test]
fn a_read_only_secret_over_the_client_directory_is_explained() {
    let registry = Authority::new("Example Corp Registry CA", Profile::Strict);
    let secret = Volume::secret(&[("ca.pem", &registry.certificate())]);
    let before = secret.files();

    let pod = Pod::new(Suite::Trixie).certs(&secret).start();
    pod.service_end()
        .expect_status(CERTIFICATE_FAILURE)
        .expect("dind-init: fatal CERTS-READONLY: ")
        .expect("/certs/client")
        .expect("read-only")
        .expect("Secret")
        .expect("CN=Example Corp Registry CA")
        .expect("[[runners.kubernetes.volumes.empty_dir]]")
        .expect("mount_path = \"/certs/client\"")
        .expect("medium = \"Memory\"");
    secret.expect_unchanged(&before);
}

/// Nobody waits for a refusal. The machine may be busy, so one quick refusal of three is enough.
#[test]
fn a_refusal_takes_less_than_a_second() {
    let registry = Authority::new("Example Corp Registry CA", Profile::Strict);
    let secret = Volume::secret(&[("ca.pem", &registry.certificate())]);
    let quickest = (0..3)
        .map(|_| milliseconds_to_refuse(&secret))
        .min()
        .unwrap();
    assert!(quickest < 1000, "the quickest refusal took {quickest} ms");
}

fn milliseconds_to_refuse(secret: &Volume) -> u64 {
    let pod = Pod::new(Suite::Trixie)
        .certs(secret)
        .entrypoint_script(
            "date +at=%s%3N; dockerd-entrypoint.sh; status=$?; date +at=%s%3N; exit $status",
        )
        .start();
    let end = pod.service_end().expect_status(CERTIFICATE_FAILURE);
    let times = end
        .output()
        .lines()
        .filter_map(|line| line.strip_prefix("at="));
    let times: Vec<u64> = times.map(|time| time.parse().unwrap()).collect();
    times[1] - times[0]
}

/// The control: the same pod with a writable, empty volume has nothing to complain about.
#[test]
fn control_a_writable_empty_directory_is_not_refused() {
    let pod = Pod::new(Suite::Trixie).certs(&Volume::memory()).start();
    pod.job("docker version").expect_success();
    assert!(!pod.service_log().contains("dind-init: fatal"));
}

#[test]
fn the_users_own_certificates_are_used() {
    let own = Authority::new("Example Corp Docker CA", Profile::Strict);
    let certs = Volume::memory();
    own.issue_server(&certs.path().join("server"));
    own.issue_client(&certs.path().join("client"));
    let before = certs.files();

    let pod = Pod::new(Suite::Trixie)
        .volume(&certs.clone().read_only(), "/certs")
        .start();
    pod.job("docker version").expect_success().expect("Server:");
    pod.job("openssl s_client -connect docker:2376 </dev/null 2>/dev/null | openssl x509 -noout -issuer")
        .expect_success()
        .expect("Example Corp Docker CA");
    certs.expect_unchanged(&before);
}

/// The service's container may be started again in its pod. What clients hold stays good; and once
/// the certificate covers the bridge that dockerd made in the first run, every byte stays.
#[test]
fn a_second_start_keeps_the_set() {
    let certs = Volume::disk();
    let pod = Pod::new(Suite::Trixie).volume(&certs, "/certs").start();
    pod.job("docker version").expect_success();
    let before = certs.files();
    assert!(before.contains_key(Path::new("client/ca.pem")));
    for _ in 0..2 {
        start_again(&pod);
        certs.expect_unchanged(&before);
    }
}

fn start_again(pod: &Pod) {
    pod.signal("TERM");
    pod.service_end().expect_status(0);
    pod.restart_service();
    pod.job("docker version").expect_success();
}

#[test]
fn a_set_of_the_official_image_is_replaced() {
    let official = Authority::new("docker:dind CA", Profile::Lax);
    let certs = Volume::disk();
    official.issue_client(certs.path());
    let before = fs::read(certs.path().join("ca.pem")).unwrap();

    let pod = Pod::new(Suite::Trixie).certs(&certs).start();
    pod.job("docker version").expect_success().expect("Server:");
    assert_ne!(fs::read(certs.path().join("ca.pem")).unwrap(), before);
}

#[test]
fn a_foreign_ca_in_a_writable_directory_is_left_alone() {
    let registry = Authority::new("Example Corp Registry CA", Profile::Strict);
    let certs = Volume::disk();
    fs::write(certs.path().join("ca.pem"), registry.certificate()).unwrap();

    let pod = Pod::new(Suite::Trixie).certs(&certs).start();
    pod.service_end()
        .expect_status(CERTIFICATE_FAILURE)
        .expect("dind-init: fatal CERTS-FOREIGN: ")
        .expect("/certs/client holds ca.pem")
        .expect("CN=Example Corp Registry CA");
    let after = fs::read_to_string(certs.path().join("ca.pem")).unwrap();
    assert_eq!(after, registry.certificate());
}

/// A foreign authority that borrowed the official one's name did not sign our kind of set either:
/// the name alone does not make a file ours.
#[test]
fn a_certificate_that_its_ca_did_not_sign_is_not_taken_for_ours() {
    let named_alike = Authority::new("docker:dind CA", Profile::Lax);
    let signer = Authority::new("docker:dind CA", Profile::Lax);
    let certs = Volume::disk();
    signer.issue_client(certs.path());
    fs::write(certs.path().join("ca.pem"), named_alike.certificate()).unwrap();
    let before = certs.files();

    let pod = Pod::new(Suite::Trixie).certs(&certs).start();
    pod.service_end()
        .expect_status(CERTIFICATE_FAILURE)
        .expect("dind-init: fatal CERTS-");
    for (path, content) in before {
        assert_eq!(
            fs::read(certs.path().join(&path)).unwrap(),
            content,
            "{}",
            path.display()
        );
    }
}
