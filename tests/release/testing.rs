//! What release/test.sh runs, and when it writes down that an image has passed.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};
use std::time::Duration;

use crate::podman::{podman, step};
use crate::site::Site;

/// Tells which image it was given, by the digest that podman has it from.
const SUITE: &str = "#!/bin/bash
case $1 in
e2e) image=$DIND_E2E_IMAGE ;;
compliance) image=$DIND_UNDER_TEST ;;
rootless) image=$DIND_ROOTLESS_UNDER_TEST ;;
esac
images/podman image inspect --format '{{.Digest}}' \"$image\" >> asked 2>&1
exit \"$SUITE_STATUS\"
";

/// The suites themselves are stand-ins; the image comes from the registry, by its digest.
#[test]
fn a_record_is_written_for_the_digest_that_passed_and_for_no_other() {
    let site = Site::with_candidates();
    let registry = site.registry_from_here();
    site.write(".ci/suite", SUITE);
    let suite = site.work().join(".ci/suite");
    fs::set_permissions(&suite, Permissions::from_mode(0o755)).unwrap();
    site.write(
        "registries.conf",
        &format!("[[registry]]\nlocation = \"{registry}\"\ninsecure = true\n"),
    );
    // The address from here is another; the digest is the same.
    let images = ["29.7.2-dind", "29.7.2-dind-rootless", "28.5.2-dind"];
    for image in images {
        let name = format!("candidates/{image}");
        let candidate = site.read(&name).replace("127.0.0.1:5000", &registry);
        site.write(&name, &candidate);
    }
    let candidate = site.read("candidates/29.7.2-dind");

    let failed = test(&site, "e2e", "29.7.2", "dind", 1);
    assert_eq!(failed.status.code(), Some(1), "{}", said(&failed));
    assert!(!site.work().join("tested").exists(), "{}", said(&failed));

    let passed = test(&site, "e2e", "29.7.2", "dind", 0);
    assert!(passed.status.success(), "{}", said(&passed));
    let machine = step(&["info", "--format", "{{.Host.Arch}}"]);
    let record = format!("tested/e2e/{machine}/29.7.2-dind");
    assert_eq!(site.read(&record), candidate);
    let asked = site.read("asked");
    let digest = step(&[
        "image",
        "inspect",
        "--format",
        "{{.Digest}}",
        candidate.trim(),
    ]);
    // Once in vain, once with success.
    assert_eq!(asked.lines().count(), 2, "{asked}");
    assert!(asked.lines().all(|line| line == digest), "{asked}");

    let rootless = test(&site, "rootless", "29.7.2", "dind-rootless", 0);
    assert!(rootless.status.success(), "{}", said(&rootless));

    // Its tags would not be true.
    site.write("versions", "29.7.2 3.24\n28.5.2 3.21\n");
    let another = test(&site, "compliance", "28.5.2", "dind", 0);
    assert_eq!(another.status.code(), Some(65), "{}", said(&another));
    assert!(
        said(&another).contains("It has to say \"3.21\""),
        "{}",
        said(&another)
    );
    assert!(!site.work().join("tested/compliance").exists());
    // Nothing of it stays on this machine.
    let pulled = images.map(|image| site.read(&format!("candidates/{image}")));
    for image in pulled {
        podman(&["rmi", "--force", image.trim()], Duration::from_secs(60));
    }
}

fn test(site: &Site, suite: &str, docker: &str, variant: &str, status: i32) -> Output {
    Command::new(site.work().join("release/test.sh"))
        .args([suite, docker, variant])
        .current_dir(site.work())
        .env(
            "CONTAINERS_REGISTRIES_CONF",
            site.work().join("registries.conf"),
        )
        .env("DOCKER_VERSIONS", site.work().join("versions"))
        .env("SUITE_STATUS", status.to_string())
        .env_remove("DIND_E2E_IMAGE")
        .env_remove("DIND_UNDER_TEST")
        .output()
        .unwrap()
}

/// What it said to both outputs.
fn said(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}
