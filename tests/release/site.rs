//! Where a release is made: a daemon that keeps images as containerd does, a registry beside it,
//! and a directory with the scripts.

use std::fs;
use std::path::{Path, PathBuf};

use crate::pod::Pod;
use crate::podman::build_on;
use crate::snapshot::{copy, snapshot};
use crate::suite::Suite;
use crate::transcript::Transcript;
use crate::volume::Volume;

/// The registry's address, as the pod knows it.
pub const REGISTRY: &str = "127.0.0.1:5000";
/// Where the release's tags go.
pub const REPOSITORY: &str = "127.0.0.1:5000/group/dind";
/// Of the images that are made; the newest Docker first.
pub const IMAGES: [&str; 4] = [
    "29.7.2-dind",
    "29.7.2-dind-rootless",
    "28.5.2-dind",
    "28.5.2-dind-rootless",
];

/// What GitLab and .gitlab-ci.yml set.
const SETTINGS: &str = "
    export DOCKER_VERSIONS=/work/versions
    export BASE_REPOSITORY=127.0.0.1:5000/docker SBOM_IMAGE=127.0.0.1:5000/scanner:1
    export IMAGE_REPOSITORY=127.0.0.1:5000/group/dind CI_PIPELINE_ID=77 CI_COMMIT_SHA=0123abc
    export CI_PROJECT_URL=https://gitlab.example.com/group/dind SIGNING_KEY=/work/dind-init.key
    cd /work
";

/// A pod with all of it.
#[derive(Debug)]
pub struct Site {
    pod: Pod,
    work: Volume,
    /// What the registry keeps.
    registry: Volume,
}

impl Site {
    /// With official images of both architectures, and a key.
    pub fn new() -> Self {
        Self::of(&snapshot("official", |new| {
            let site = Self::empty();
            site.prepare();
            site.save(new);
        }))
    }

    /// Makes the candidates of all images.
    pub fn with_candidates() -> Self {
        Self::of(&snapshot("candidates", |new| {
            let site = Self::new();
            site.run(
                // A second try, as GitLab makes it: buildx has an image pushed by its builder and
                // by dockerd, and Debian's registry may answer 500 while a tag is written.
                "while read -r docker variant; do
                     release/image.sh $docker $variant || release/image.sh $docker $variant
                 done < <(. release/docker-versions.sh; images)",
            )
            .expect_success();
            site.save(new);
        }))
    }

    /// The same, and every suite has passed on every candidate.
    pub fn with_tested_candidates() -> Self {
        let site = Self::with_candidates();
        site.run(
            "for architecture in amd64 arm64; do for suite in e2e compliance rootless; do
                mkdir -p tested/$suite/$architecture
                cp candidates/*-dind candidates/*-rootless tested/$suite/$architecture
            done; done",
        )
        .expect_success();
        site
    }

    /// With the scripts alone.
    fn empty() -> Self {
        let work = Volume::disk();
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
        for directory in ["release", "images"] {
            let to = work.path().join(directory);
            fs::create_dir(&to).unwrap();
            copy(&checkout.join(directory), &to);
        }
        for file in ["Cargo.toml", "CHANGELOG.md"] {
            fs::copy(checkout.join(file), work.path().join(file)).unwrap();
        }
        fs::write(work.path().join("versions"), "29.7.2 3.24\n28.5.2 3.22\n").unwrap();
        Self::start(work, Volume::disk())
    }

    /// As it was when it was saved.
    fn of(saved: &Path) -> Self {
        let [work, registry] = ["work", "registry"].map(|name| {
            let volume = Volume::disk();
            copy(&saved.join(name), volume.path());
            volume
        });
        Self::start(work, registry)
    }

    fn save(self, to: &Path) {
        // The registry has written everything.
        drop(self.pod);
        for (volume, name) in [(self.work, "work"), (self.registry, "registry")] {
            let to = to.join(name);
            fs::create_dir(&to).unwrap();
            copy(volume.path(), &to);
        }
    }

    fn start(work: Volume, registry: Volume) -> Self {
        let settings = Volume::config_map(&[(
            "daemon.json",
            r#"{"features": {"containerd-snapshotter": true}}"#,
        )]);
        // dind-init on Debian's Docker, with the tools of a release.
        let subject = Suite::Trixie.service_image();
        let image = build_on(&subject, "dind-release-tools", "tests/release/tools");
        let pod = Pod::new(Suite::Trixie)
            .image(&image)
            .volume(&work, "/work")
            .volume(&registry, "/var/lib/registry")
            .file(&settings, "daemon.json", "/etc/docker/daemon.json")
            .start();
        let site = Self {
            pod,
            work,
            registry,
        };
        site.run(
            "docker-registry serve /etc/docker/registry/config.yml >/dev/null 2>&1 &
             curl --silent --fail --output /dev/null --retry 100 --retry-delay 0 \
                 --retry-connrefused http://127.0.0.1:5000/v2/
             docker version >/dev/null",
        )
        .expect_success();
        site
    }

    /// Runs a script by bash, with what GitLab sets.
    #[must_use = "an outcome that nobody looks at tests nothing"]
    pub fn run(&self, script: &str) -> Transcript<'_> {
        let script = format!("{SETTINGS}set -euo pipefail\n{script}");
        let script = format!("exec bash -c '{}'", script.replace('\'', "'\\''"));
        self.pod.in_service(&script)
    }

    /// What a script prints, trimmed.
    pub fn ask(&self, script: &str) -> String {
        let outcome = self.run(script).expect_success();
        outcome.output().trim().to_owned()
    }

    /// The directory with the scripts, as this machine sees it.
    pub fn work(&self) -> &Path {
        self.work.path()
    }

    pub fn read(&self, name: &str) -> String {
        let path = self.work().join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub fn write(&self, name: &str, text: &str) {
        let path: PathBuf = self.work().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    fn prepare(&self) {
        self.run(
            "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out dind-init.key
             openssl pkey -in dind-init.key -pubout -out dind-init.pub
             for architecture in amd64 arm64; do
                 mkdir -p dist/$architecture
                 cp /usr/local/bin/dind-init dist/$architecture/
                 ln -sfn dind-init dist/$architecture/dockerd-entrypoint.sh
             done",
        )
        .expect_success();
        self.push_scanner();
        for image in IMAGES {
            self.push_official(image, "");
        }
    }

    /// Pushes what stands in for an official image, of both architectures: a shell, its Docker's
    /// version, its Alpine's, and its entrypoint. `change` makes it another.
    pub fn push_official(&self, image: &str, change: &str) {
        let (docker, variant) = image.split_once('-').unwrap();
        let alpine = match docker {
            "29.7.2" => "3.24.1",
            _ => "3.22.3",
        };
        let user = match variant {
            "dind" => "",
            _ => "USER 1000",
        };
        self.run(&format!(
            "rm -rf official; mkdir -p official/root/bin official/root/usr/local/bin official/root/etc
             cd official; cp /bin/busybox root/bin/
             for name in sh cat; do ln -s busybox root/bin/$name; done
             echo {alpine} > root/etc/alpine-release; echo '{change}' > root/etc/change
             printf '#!/bin/sh\\necho Docker version {docker}, build 0\\n' > root/usr/local/bin/dockerd
             printf '#!/bin/sh\\necho official\\n' > root/usr/local/bin/dockerd-entrypoint.sh
             chmod +x root/usr/local/bin/*
             printf '%s\\n' 'FROM scratch' 'COPY root/ /' 'ENV PATH=/usr/local/bin:/bin' \
                 'ENTRYPOINT [\"dockerd-entrypoint.sh\"]' '{user}' > Dockerfile
             docker buildx build --quiet --push --provenance=false \
                 --platform linux/amd64,linux/arm64 --tag {REGISTRY}/docker:{image} ."
        ))
        .expect_success();
    }

    /// Pushes what stands in for BuildKit's scanner, by the scanners' protocol: it reads a
    /// directory, and writes a statement into another.
    fn push_scanner(&self) {
        self.run(&format!(
            r#"mkdir scanner; cd scanner; cp /bin/busybox .
            cat > scan <<'END'
#!/busybox sh
/busybox test -e "$BUILDKIT_SCAN_SOURCE/usr/local/bin/dind-init" || exit 1
echo '{{"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document",
    "predicate": {{"spdxVersion": "SPDX-2.3", "name": "stand-in"}}}}' \
    > "$BUILDKIT_SCAN_DESTINATION/sbom.spdx.json"
END
            chmod +x scan
            printf '%s\n' 'FROM scratch' 'COPY busybox scan /' 'ENTRYPOINT ["/scan"]' > Dockerfile
            docker buildx build --quiet --push --provenance=false --tag {REGISTRY}/scanner:1 ."#
        ))
        .expect_success();
    }

    /// The registry's address, as this machine knows it.
    pub fn registry_from_here(&self) -> String {
        format!(
            "{}:5000",
            self.ask("hostname -I").split(' ').next().unwrap()
        )
    }
}
