//! What release/image.sh pushes.

use crate::site::{IMAGES, Site};

/// Both architectures, each with its SBOM and its provenance, below the pipeline's own number.
#[test]
fn a_candidate_is_an_index_with_attestations() {
    let site = Site::with_candidates();
    for image in IMAGES {
        let candidate = site.read(&format!("candidates/{image}"));
        let candidate = candidate.trim();
        let (repository, digest) = candidate.split_once('@').unwrap();
        assert_eq!(repository, "127.0.0.1:5000/group/dind/candidate");
        let tag = site.ask(&format!(
            "skopeo inspect --format {{{{.Digest}}}} docker://{repository}:77-{image}"
        ));
        assert_eq!(tag, digest);

        let platforms = site.ask(&format!(
            "skopeo inspect --raw docker://{candidate} \
             | jq --raw-output '.manifests[].platform.architecture' | xargs"
        ));
        assert_eq!(platforms, "amd64 arm64 unknown unknown");
        for (kind, predicate) in [("SBOM", "SPDX"), ("Provenance", "SLSA")] {
            let found = site.ask(&format!(
                "docker buildx imagetools inspect --format '{{{{json .{kind}}}}}' {candidate} \
                 | jq --raw-output 'to_entries[] | .key + \" \" + (.value | keys[])' | xargs"
            ));
            let expected = format!("linux/amd64 {predicate} linux/arm64 {predicate}");
            assert_eq!(found, expected, "{kind} of {image}");
        }
    }

    // Nothing but the entrypoint is another; the official one stays beside it.
    let rootless = site.read("candidates/28.5.2-dind-rootless");
    let rootless = rootless.trim();
    let listed = site.ask(&format!(
        "docker run --rm --entrypoint busybox {rootless} ls -l /usr/local/bin"
    ));
    for file in [
        "dockerd-entrypoint.sh -> dind-init",
        "dockerd-entrypoint.official.sh",
        "dind-init\n",
    ] {
        assert!(listed.contains(file), "{listed}");
    }
    let official = site.ask(&format!(
        "docker run --rm --entrypoint dockerd-entrypoint.official.sh {rootless}"
    ));
    assert_eq!(official, "official");
    let settings = site.ask(&format!(
        "skopeo inspect --config docker://{rootless} \
         | jq --compact-output '[.config.User, .config.Entrypoint[], \
             .config.Labels[\"org.opencontainers.image.base.digest\"]]'"
    ));
    let base = site.ask(
        "skopeo inspect --format {{.Digest}} docker://127.0.0.1:5000/docker:28.5.2-dind-rootless",
    );
    assert_eq!(
        settings,
        format!("[\"1000\",\"dockerd-entrypoint.sh\",\"{base}\"]")
    );
}

/// An image without its SBOM is no candidate.
#[test]
fn control_no_scanner_no_candidate() {
    let site = Site::new();
    site.run("SBOM_IMAGE=127.0.0.1:5000/none:1 release/image.sh 29.7.2 dind")
        .expect_failure();
    site.run("test -e candidates/29.7.2-dind").expect_failure();
}
