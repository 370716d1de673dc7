//! images/Dockerfile, built as README has it, by docker.
//!
//! All of it but the compiler: where the image with Rust would be, one has a `cargo` that knows the
//! Dockerfile's command alone, and has compiled before. (`make image` and release/binary.sh compile.)

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::checkout::Checkout;
use crate::page::Block;
use crate::pods::files::write_program;
use crate::pods::pod::{Plan, Pod};
use crate::pods::podman::{podman, require_image, step};
use crate::pods::suite::Suite;
use crate::pods::volume::Volume;
use crate::scenarios::scenarios;

const README: &str = "README.md";

scenarios! {
    the_dockerfile_makes_an_image_that_works(README "With the image" 1);
}

const IMAGE: &str = "registry.example.test/my/dind";

fn the_dockerfile_makes_an_image_that_works(command: Block) {
    let work = Volume::disk();
    let checkout = Checkout::new();
    let source = work.path().join("source");
    let copied = Command::new("cp")
        .arg("-r")
        .args([checkout.path(), &source])
        .status();
    assert!(copied.unwrap().success());
    let [builder, base] = [builder(), base()];
    let images = work.path().join("images.tar");
    step(&[
        "save",
        "--quiet",
        "--multi-image-archive",
        "--output",
        path(&images),
        &builder,
        &base,
    ]);
    // They are in there.
    podman(&["rmi", &builder, &base], Duration::from_secs(60));
    let pod = daemon().volume(&work, "/work");
    let pod = pod.volume(&Volume::disk(), "/var/lib/docker").start();
    let told = |run: &str| pod.in_service(run).expect_success();
    told("docker load --quiet --input /work/images.tar");

    let build = |base: &str| {
        let images = format!("--build-arg BASE_IMAGE={base} --build-arg BUILDER_IMAGE={builder}");
        let options = format!(" build --network=none {images} ");
        let command = command.text.replacen(" build ", &options, 1);
        assert!(command.contains(&options), "no build: {command}");
        pod.in_service(&format!("cd /work/source && {command}"))
    };
    build(&base).expect_success();

    told(&format!(
        "docker run --rm --entrypoint dind-init {IMAGE} --version"
    ))
    .expect(concat!("dind-init ", env!("CARGO_PKG_VERSION")));
    // It is the entrypoint, whose socket is there before dockerd is.
    told(&format!(
        "docker run --detach --privileged --name inner {IMAGE} \
         && until docker exec inner test -S /var/run/docker.sock; do :; done \
         && docker exec inner docker version --format {{{{.Server.Os}}}}"
    ))
    .expect("linux");
    told(&format!("docker run --rm --env DIND_INIT=official {IMAGE}")).expect("the original");

    // The control: what has no entrypoint to be replaced is no image of Docker's.
    let other = build(&builder).expect_failure();
    let _ = other.expect("dockerd-entrypoint.sh");
}

/// Docker with BuildKit, without certificates.
fn daemon() -> Plan {
    Pod::new(Suite::Sid).plain().without("DOCKER_HOST")
}

/// Stands for the official image: Debian's Docker, and an entrypoint.
fn base() -> String {
    build_on_debian(
        "dind-documents-base",
        "RUN printf '#!/bin/sh\\necho this is the original\\n' >/usr/local/bin/dockerd-entrypoint.sh \\
             && chmod +x /usr/local/bin/dockerd-entrypoint.sh\n\
         ENV DOCKER_TLS_CERTDIR=/certs\n\
         VOLUME /var/lib/docker\n\
         ENTRYPOINT [\"dockerd-entrypoint.sh\"]\n\
         CMD []\n",
        |_| {},
    )
}

/// Stands for the image with Rust.
fn builder() -> String {
    const CARGO: &str = "#!/bin/sh\n\
        set -eux\n\
        [ \"$*\" = 'build --locked --release --bin dind-init' ]\n\
        [ -f Cargo.lock ] && [ -f src/main.rs ] && [ -f .cargo/config.toml ] && ! [ -e .git ]\n\
        install -D /opt/dind-init \"$CARGO_TARGET_DIR/x86_64-unknown-linux-gnu/release/dind-init\"\n";
    build_on_debian(
        "dind-documents-builder",
        "COPY cargo /usr/local/bin/\nCOPY dind-init /opt/\n",
        |context| {
            write_program(&context.path().join("cargo"), CARGO);
            let binary = env!("CARGO_BIN_EXE_dind-init");
            fs::copy(binary, context.path().join("dind-init")).unwrap();
        },
    )
}

fn build_on_debian(name: &str, lines: &str, fill: impl FnOnce(&TempDir)) -> String {
    let debian = Suite::Trixie.base_image();
    require_image(debian);
    let context = tempfile::tempdir().unwrap();
    let dockerfile = format!("FROM {debian}\n{lines}");
    fs::write(context.path().join("Dockerfile"), dockerfile).unwrap();
    fill(&context);
    let image = format!("localhost/{name}-{}", std::process::id());
    step(&[
        "build",
        "--quiet",
        "--network=none",
        "--pull-never",
        "--tag",
        &image,
        path(context.path()),
    ]);
    image
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
