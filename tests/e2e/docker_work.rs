//! What jobs do with Docker once they reach it.

use crate::busybox::IMPORT_BUSYBOX;
use crate::pod::Pod;
use crate::suite::Suite;
use crate::volume::Volume;

const EVERYDAY_WORK: &str = r#"
    docker info --format 'storage driver: {{.Driver}}'

    docker save busybox --output /tmp/busybox.tar
    docker image rm busybox >/dev/null
    docker load --input /tmp/busybox.tar

    docker run --rm busybox echo hello from inside

    printf 'FROM busybox\nRUN echo made by a build > /made\nCMD ["cat", "/made"]\n' > /tmp/Dockerfile
    docker build --quiet --tag built --file /tmp/Dockerfile /tmp/busybox
    docker run --rm built

    docker run --detach --publish 8080:80 busybox \
        sh -c 'echo page of the inner container > /index.html; exec httpd -f -p 80 -h /'
    curl --silent --show-error --fail --retry 10 --retry-connrefused http://docker:8080/
"#;

#[test]
fn everyday_work_over_tls_trixie() {
    everyday_work(Pod::new(Suite::Trixie).certs(&Volume::memory()).start());
}

#[test]
fn everyday_work_over_tls_sid() {
    everyday_work(Pod::new(Suite::Sid).certs(&Volume::memory()).start());
}

#[test]
fn everyday_work_without_tls_trixie() {
    everyday_work(Pod::new(Suite::Trixie).plain().start());
}

#[test]
fn everyday_work_without_tls_sid() {
    everyday_work(Pod::new(Suite::Sid).plain().start());
}

fn everyday_work(pod: Pod) {
    pod.job(&format!("set -e\n{IMPORT_BUSYBOX}\n{EVERYDAY_WORK}"))
        .expect_success()
        .expect("storage driver: ")
        .expect("Loaded image: busybox")
        .expect("hello from inside")
        .expect("made by a build")
        .expect("page of the inner container");
}
