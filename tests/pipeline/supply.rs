//! What may get into a release besides this repository: images, caches, and whoever sees a token.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_yaml_ng::Value;

use crate::checkout::{Checkout, said};
use crate::preview::{Preview, script};

const PINNED: [&str; 5] = [
    "RUST_IMAGE",
    "DOCKER_CLI_IMAGE",
    "DOCKER_DIND_IMAGE",
    "SBOM_IMAGE",
    "RELEASE_IMAGE",
];
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const TOKEN: &str = "glcbt-secret";

/// Every image that a publishing job, or one that it waits for, runs in or calls.
#[test]
fn an_image_without_a_digest_is_refused() {
    let pinned = |but: &str| {
        let mut command = Command::new("release/pins.sh");
        command.arg("check");
        for name in PINNED {
            let digest = if name == but { "" } else { DIGEST };
            command.env(name, format!("docker:29-cli@{digest}"));
        }
        command.output().unwrap()
    };
    let good = pinned("none");
    assert!(good.status.success(), "{}", said(&good));
    for name in PINNED {
        let loose = pinned(name);
        assert_eq!(loose.status.code(), Some(65), "{name}");
        assert!(said(&loose).contains(name), "{}", said(&loose));
    }
}

#[test]
fn the_digests_of_today_are_written_into_the_pipeline() {
    let checkout = Checkout::new();
    let stand_in = format!("echo \"$*\" >> asked; echo {DIGEST}");
    for _ in 0..2 {
        let done = run(
            &checkout,
            "release/pins.sh",
            &["write"],
            &[("skopeo", &stand_in)],
        );
        assert!(done.status.success(), "{}", said(&done));
        let pipeline = checkout.read(".gitlab-ci.yml");
        for name in PINNED {
            let line = pipeline
                .lines()
                .find(|line| line.starts_with(&format!("  {name}: ")));
            let line = line.unwrap();
            assert!(line.ends_with(&format!("@{DIGEST}")), "{line}");
            assert_eq!(line.matches('@').count(), 1, "{line}");
        }
    }
    let asked = checkout.read("asked");
    assert!(asked.contains("docker://rust:1-trixie\n"), "{asked}");
    assert!(
        asked.contains("docker://registry.gitlab.com/gitlab-org/cli:"),
        "{asked}"
    );
}

/// All of a tag's images are looked at before any of its jobs makes something.
#[test]
fn a_release_begins_with_its_images() {
    let pipeline = Preview::read();
    let images = pipeline.job("images");
    assert_eq!(script(images), "release/pins.sh check");
    for job in ["binary", "candidate", "promote"] {
        let needs = pipeline.job(job)["needs"].as_sequence().unwrap();
        // Optional where the job is a branch's as well: there are no such images then.
        let waits = needs.iter().any(|need| need["job"] == "images");
        assert!(waits, "{job}: {needs:?}");
    }
    let named: Vec<_> = pipeline
        .jobs()
        .flat_map(|(_, job)| images_of(job))
        .collect();
    for image in named {
        let name = image.trim_start_matches('$');
        assert!(
            PINNED.contains(&name) || name.starts_with("CI_REGISTRY_IMAGE/"),
            "{image}"
        );
    }
}

fn images_of(job: &Value) -> Vec<&str> {
    let services = job["services"].as_sequence().into_iter().flatten();
    let images = services.chain(job.get("image"));
    images
        .filter_map(|image| image.as_str().or_else(|| image["name"].as_str()))
        .collect()
}

/// A cache is written by other jobs: of branches, and of whoever may run one.
#[test]
fn the_released_binary_is_made_without_a_cache() {
    let pipeline = Preview::read();
    let job = pipeline.job("binary");
    assert_eq!(script(job), "release/binary.sh");
    let has_cache = |job: &Value| {
        let cache = &job["cache"];
        let one = cache.get("paths").is_some();
        let some = cache.as_sequence().is_some_and(|all| !all.is_empty());
        one || some
    };
    assert!(!has_cache(job), "{:?}", job["cache"]);
    // The control.
    assert!(has_cache(pipeline.job("unit")));
}

/// Arguments are seen by every process of the machine.
#[test]
fn no_token_is_in_a_process_s_arguments() {
    let checkout = Checkout::new();
    checkout.write("file", "text");
    checkout.git("tag 0.0.1");
    // An official image that is another than the one built on.
    let skopeo = "case \"$*\" in *Labels*) echo sha256:old ;; *) echo sha256:new ;; esac";
    let curl = "printf '%s\\n' \"$@\" >> arguments; cat >> settings";
    let login = "printf '%s\\n' \"$@\" >> arguments; cat >> settings";
    for (name, words) in [
        ("release/upload.sh", &["1.2.3", "file"][..]),
        ("release/rebuild.sh", &[]),
        ("release/login.sh", &["docker"]),
    ] {
        let stand_ins = [("skopeo", skopeo), ("curl", curl), ("docker", login)];
        let done = run(&checkout, name, words, &stand_ins);
        assert!(done.status.success(), "{name}: {}", said(&done));
        let [arguments, settings] = ["arguments", "settings"].map(|file| {
            let text = checkout.read(file);
            fs::remove_file(checkout.path().join(file)).unwrap();
            text
        });
        assert!(!arguments.contains(TOKEN), "{name}: {arguments}");
        assert!(settings.contains(TOKEN), "{name}: {settings}");
    }
}

/// Runs a script with stand-ins for some programs, as a job of GitLab.
fn run(checkout: &Checkout, script: &str, words: &[&str], stand_ins: &[(&str, &str)]) -> Output {
    let programs = tempfile::tempdir().unwrap();
    for (name, lines) in stand_ins {
        write_program(&programs.path().join(name), lines);
    }
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", programs.path().display());
    checkout
        .command(script, words)
        .env("PATH", path)
        .env("CI_JOB_TOKEN", TOKEN)
        .env("CI_REGISTRY_PASSWORD", TOKEN)
        .env("CI_REGISTRY_USER", "gitlab-ci-token")
        .env("CI_REGISTRY", "registry.example.com")
        .env("CI_API_V4_URL", "https://gitlab.example.com/api/v4")
        .env("CI_PROJECT_ID", "42")
        .env("BASE_REPOSITORY", "docker")
        .env("IMAGE_REPOSITORY", "registry.example.com/dind")
        .output()
        .unwrap()
}

fn write_program(path: &Path, lines: &str) {
    fs::write(path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}
