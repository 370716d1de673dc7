//! What release/promote.sh names, what it refuses to name, and how anybody verifies it.

use crate::site::{IMAGES, REPOSITORY, Site};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A tag is for a digest that has passed everything, everywhere; a record of another digest is none.
#[test]
fn what_has_not_passed_gets_no_tag() {
    let site = Site::with_tested_candidates();
    let promote = format!("release/promote.sh {VERSION}");
    let record = "tested/compliance/arm64/28.5.2-dind";
    for (spoil, complaint) in [
        (
            format!("rm {record}"),
            "compliance on arm64 has not passed on",
        ),
        (format!("cp candidates/29.7.2-dind {record}"), record),
        (
            "rm tested/rootless/amd64/29.7.2-dind-rootless".to_owned(),
            "rootless on amd64 has not passed on",
        ),
        (
            "echo 127.0.0.1:5000/group/dind/candidate:77-29.7.2-dind > candidates/29.7.2-dind"
                .to_owned(),
            "names no image by its digest",
        ),
        (
            "rm dind-init.key".to_owned(),
            "there is no key to sign with",
        ),
        (
            "sed -i 's/^version = .*/version = \"9.9.9\"/' Cargo.toml".to_owned(),
            "but Cargo.toml says 9.9.9",
        ),
    ] {
        site.run(
            "rm -rf saved; mkdir saved; cp -a tested candidates Cargo.toml dind-init.key saved",
        )
        .expect_success();
        site.run(&format!("{spoil}; {promote}"))
            .expect_failure()
            .expect(complaint);
        let tags = "curl --silent http://127.0.0.1:5000/v2/group/dind/tags/list";
        site.run(tags).expect_success().expect("NAME_UNKNOWN");
        site.run("cp -a saved/. .").expect_success();
    }
    // The control: as it was, it is named.
    site.run(&format!("SIGNING=off {promote}")).expect_success();
}

#[test]
fn what_has_passed_is_tagged_as_it_is_and_can_be_verified_offline() {
    let site = Site::with_tested_candidates();
    site.run(&format!("release/promote.sh {VERSION}"))
        .expect_success();
    for image in IMAGES {
        let (docker, variant) = image.split_once('-').unwrap();
        let candidate = site.read(&format!("candidates/{image}"));
        let digest = candidate.trim().split_once('@').unwrap().1;
        let major = docker.split('.').next().unwrap();
        let own = match variant {
            "dind" => format!("{docker}-{VERSION}"),
            _ => format!("{docker}-rootless-{VERSION}"),
        };
        for tag in [own, format!("{major}-{variant}"), image.to_owned()] {
            let found = site.ask(&format!(
                "skopeo inspect --format {{{{.Digest}}}} docker://{REPOSITORY}:{tag}"
            ));
            assert_eq!(found, digest, "{tag}");
            let listed = site.read("published/images");
            assert!(listed.contains(&format!("{tag} {digest}\n")), "{listed}");
        }
    }

    // As SECURITY.md says it, word for word but for the repository's name.
    let verify = verification("skopeo --policy");
    site.run(&verify).expect_success();
    let signed = site.ask("skopeo inspect --raw dir:verified | jq '.manifests | length'");
    assert_eq!(signed, "4");

    // Another key, an image that nobody signed, and an older image below a newer one's tag.
    site.run(&format!(
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.key
         openssl pkey -in other.key -pubout -out other.pub; rm -rf verified
         {}",
        verify.replace("\"dind-init.pub\"", "\"other.pub\"")
    ))
    .expect_failure()
    .expect("None of the signatures were accepted");
    for (from, complaint) in [
        ("docker:29.7.2-dind", "no signature exists"),
        ("group/dind:28-dind", "None of the signatures were accepted"),
    ] {
        site.run(&format!(
            "skopeo copy --quiet --all docker://127.0.0.1:5000/{from} docker://{REPOSITORY}:29-dind
             rm -rf verified; {verify}"
        ))
        .expect_failure()
        .expect(complaint);
    }
}

#[test]
fn unsigned_is_possible_and_said() {
    let site = Site::with_tested_candidates();
    site.run(&format!(
        "rm dind-init.key; SIGNING=off release/promote.sh {VERSION}"
    ))
    .expect_success()
    .expect("nothing is signed");
    site.run(&verification("skopeo --policy"))
        .expect_failure()
        .expect("no signature exists");
}

/// The commands of SECURITY.md's block that has these words in it, for this registry.
pub fn verification(words: &str) -> String {
    const SECURITY: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/SECURITY.md"));
    let mut blocks = SECURITY.split("```sh\n").skip(1);
    let block = blocks.find_map(|block| {
        let (block, _) = block.split_once("\n```").unwrap();
        block.contains(words).then_some(block)
    });
    let block = block.unwrap_or_else(|| panic!("SECURITY.md has no commands with {words}"));
    block
        .replace("registry.example.com/dind-init/dind-init", REPOSITORY)
        .replace("mirror.example.com", "127.0.0.1:5000/mirror")
        .replace("0.1.0", VERSION)
}
