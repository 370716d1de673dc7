//! What a site without internet gets: OCI archives, checksums and one signature.

use crate::promotion::verification;
use crate::site::{IMAGES, Site};

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[test]
fn archives_carry_the_very_images_and_are_vouched_for_by_openssl_alone() {
    let site = Site::with_tested_candidates();
    site.write("published/images", "29-dind sha256:0123\n");
    site.run(&format!(
        "release/archives.sh {VERSION}; release/checksums.sh"
    ))
    .expect_success();
    let files = site.ask("ls archives | xargs");
    for image in IMAGES {
        assert!(files.contains(&format!("dind-init-{VERSION}-{image}.oci.tar")));
    }
    assert!(files.contains("SHA256SUMS SHA256SUMS.sig"), "{files}");

    let verify = format!(
        "cp dind-init.pub archives; cd archives; {}",
        verification("openssl dgst")
    );
    site.run(&verify)
        .expect_success()
        .expect("Verified OK")
        .expect("images: OK");

    // Into a registry of the site's own, and out of it by the digest that was tested.
    let load = format!("cd archives; {}", verification("oci-archive:"));
    site.run(&load).expect_success();
    let candidate = site.read("candidates/29.7.2-dind");
    let digest = candidate.trim().split_once('@').unwrap().1;
    let found = site
        .ask("skopeo inspect --format {{.Digest}} docker://127.0.0.1:5000/mirror/docker:29-dind");
    assert_eq!(found, digest);

    // Controls: a byte in an archive, and a line in the list.
    let archive = format!("archives/dind-init-{VERSION}-28.5.2-dind.oci.tar");
    site.run(&format!("printf x >> {archive}; {verify}"))
        .expect_failure()
        .expect("oci.tar: FAILED");
    site.run(&format!("echo >> archives/SHA256SUMS; {verify}"))
        .expect_failure()
        .expect("Verification failure");
}
