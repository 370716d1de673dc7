//! What README.md shows, and docs/registry-ca.md.

use std::fs;
use std::time::Duration;

use crate::job::Job;
use crate::page::Block;
use crate::pods::podman::{podman, step};
use crate::pods::registry::{Access, Registry};
use crate::pods::suite::Suite;
use crate::runner::{Cluster, Runner};
use crate::scenarios::scenarios;

const README: &str = "README.md";
const REGISTRY_CA: &str = "docs/registry-ca.md";

scenarios! {
    three_lines_make_an_image_of_it(README "In an image of your own" 1);
    a_job_names_the_image_and_trusts_the_registry(
        README "With the image" 2,
        README "A registry with a certificate of your own CA" 1,
        REGISTRY_CA "BuildKit and build steps" 1,
    );
}

/// On an image that has the official one's entrypoint under its name: ours of Debian, here.
fn three_lines_make_an_image_of_it(dockerfile: Block) {
    let image = format!("localhost/dind-documents-{}", std::process::id());
    let context = tempfile::tempdir().unwrap();
    let directory = context.path();
    fs::write(directory.join("Dockerfile"), &dockerfile.text).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_dind-init"), directory.join("dind-init")).unwrap();
    let base = Suite::Trixie.service_image();
    step(&[
        "build",
        "--quiet",
        "--network=none",
        "--pull-never",
        "--from",
        &base,
        "--tag",
        &image,
        directory.to_str().unwrap(),
    ]);
    let tell = "readlink /usr/local/bin/dockerd-entrypoint.sh; \
                readlink /usr/local/bin/dockerd-entrypoint.official.sh; dind-init --version";
    let run = ["run", "--rm", "--entrypoint=sh", &image, "-c", tell];
    let told = podman(&run, Duration::from_secs(60));
    podman(&["rmi", &image], Duration::from_secs(60));
    assert_eq!(told.status, Some(0), "{}", told.output);
    assert!(told.output.starts_with("dind-init\n"), "{}", told.output);
}

fn a_job_names_the_image_and_trusts_the_registry(job: Block, config: Block, commands: Block) {
    let registry = Registry::start(Access::Token);
    let runner = Runner::parse(&config.text).unwrap();
    let cluster = Cluster::default().secret("registry-ca", &[("ca.crt", &registry.ca())]);
    // The first builds without the secret, the second with it.
    let (first, rest) = commands.text.split_once('\n').unwrap();
    let script = [PUSH, FROM, first, USE_THE_SECRET, rest].join("\n");
    let job = Job::parse(&job.text).unwrap().with_script(&script);
    let job = job.plan(Suite::Sid, &runner, &cluster);
    let job = job.with(|plan| plan.knowing(&registry)).start();
    job.succeeds()
        .expect("Login Succeeded")
        .expect("BEGIN CERTIFICATE");
}

/// Puts something into the registry that a build can begin with.
const PUSH: &str = r#"
echo "$CI_REGISTRY_PASSWORD" | docker login --username "$CI_REGISTRY_USER" --password-stdin "$CI_REGISTRY"
docker tag busybox "$CI_REGISTRY_IMAGE"
docker push --quiet "$CI_REGISTRY_IMAGE"
docker image rm busybox "$CI_REGISTRY_IMAGE""#;

const FROM: &str = r#"echo "FROM $CI_REGISTRY_IMAGE" > Dockerfile"#;

/// As the comment among the commands says.
const USE_THE_SECRET: &str = r#"cat >> Dockerfile <<END
RUN --mount=type=secret,id=ca SSL_CERT_FILE=/run/secrets/ca cat /run/secrets/ca
END"#;
