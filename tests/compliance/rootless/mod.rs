//! Without root: rootlesskit in front of dockerd, and the five checks before it (entrypoint).
//!
//! rootlesskit has a stand-in here, too, which tells its own flags and runs the rest; but for one
//! case, where everything is real.

use std::os::unix::fs::PermissionsExt;
use std::{env, fs};

use nix::sys::stat::{Mode, SFlag, makedev, mknod};

use crate::busybox::IMPORT_BUSYBOX;
use crate::podman::build_on;
use crate::stand_in::{Run, Workbench};
use crate::subject::{dind, dind_without_variables, image_under_test};
use crate::suite::Suite;
use crate::transcript::Transcript;
use crate::volume::Volume;

/// rootlesskit's flags go to a file; what follows them is run.
const ROOTLESSKIT: &str = r#"
    : > /tmp/rootlesskit
    while [ $# -gt 0 ]; do
        case $1 in
        docker-init | dockerd) break ;;
        *) echo "$1" >> /tmp/rootlesskit; shift ;;
        esac
    done
    [ "$1" != docker-init ] || shift 2
    exec "$@""#;

const USER: &str = "rootless";

/// Official: rootlesskit, dockerd and the job's containers run without root, and TLS is served. The
/// promise is official's as well: dockerd opens its own sockets, so the job waits for it.
#[test]
fn a_job_runs_without_root() {
    let devices = devices();
    let pod = dind()
        .image(&image())
        .certs(&Volume::memory())
        .service_option(&format!("--volume={},dev", devices.mount_at("/dev/net")))
        .start();
    pod.job(&format!(
        "until docker version >/dev/null 2>&1; do sleep 0.1; done; set -e
        docker info --format '{{{{.SecurityOptions}}}}'\n{IMPORT_BUSYBOX}
        docker run --rm busybox echo hello from inside"
    ))
    .expect_success()
    .expect("name=rootless")
    .expect("hello from inside");
    pod.in_service("stat -c %u /run/user/1000/docker.sock; cat /proc/1/status")
        .expect_success()
        .expect("1000\n")
        .expect("Uid:\t1000\t1000\t1000\t1000");
    pod.signal("TERM");
    pod.service_end().expect_status(0);
}

/// The image that `DIND_ROOTLESS_UNDER_TEST` names, as it is; otherwise Debian's rootlesskit with the
/// entrypoint under test.
pub fn image() -> String {
    if let Ok(image) = env::var("DIND_ROOTLESS_UNDER_TEST") {
        return image;
    }
    build_on(
        &image_under_test(Suite::Trixie),
        "dind-compliance-rootless",
        "tests/compliance/rootless",
    )
}

/// The machine's own `/dev/net/tun` is root's alone on some machines, and everybody's on others.
pub fn devices() -> Volume {
    let devices = Volume::disk();
    let tun = devices.path().join("tun");
    let everybody = Mode::from_bits_truncate(0o666);
    mknod(&tun, SFlag::S_IFCHR, everybody, makedev(10, 200)).unwrap();
    // Whatever the umask is.
    fs::set_permissions(&tun, fs::Permissions::from_mode(0o666)).unwrap();
    devices
}

/// Official: the flags of rootlesskit; the sockets are dockerd's own, in `XDG_RUNTIME_DIR`.
#[test]
fn rootlesskit_gets_official_s_flags() {
    let bench = bench();
    let start = run(&bench, "", "--mtu=1400 --debug").expect_start();
    start.expect_serves(&["tcp:2376", "unix:/run/user/1000/docker.sock"]);
    start.expect_last(&["--mtu=1400", "--debug"]);
    assert_eq!(start.process[2], "1000");
    // dockerd itself has no default for it.
    assert_eq!(start.variable("XDG_RUNTIME_DIR"), Some("/run/user/1000"));
    shows_flags(
        &bench,
        "--net=slirp4netns --mtu=1500 --disable-host-loopback --port-driver=builtin \
         --copy-up=/etc --copy-up=/run -p 0.0.0.0:2376:2376/tcp",
    );
    run(&bench, "DOCKER_TLS_CERTDIR=", "").expect_start();
    shows_flags(&bench, "-p 0.0.0.0:2375:2375/tcp");
}

/// Official: `DOCKERD_ROOTLESS_ROOTLESSKIT_NET`, `_MTU` and `_FLAGS`, the last split at spaces, and
/// `XDG_RUNTIME_DIR`.
#[test]
fn rootlesskit_s_variables_are_obeyed() {
    let bench = bench();
    let variables = "DOCKERD_ROOTLESS_ROOTLESSKIT_NET=pasta DOCKERD_ROOTLESS_ROOTLESSKIT_MTU=1400 \
                     DOCKERD_ROOTLESS_ROOTLESSKIT_FLAGS='--debug -p 0.0.0.0:80:80/tcp' \
                     XDG_RUNTIME_DIR=/home/rootless/run";
    let start = run(&bench, variables, "").expect_start();
    start.expect_serves(&["tcp:2376", "unix:/home/rootless/run/docker.sock"]);
    for part in ["--net=pasta --mtu=1400", "--debug -p 0.0.0.0:80:80/tcp"] {
        shows_flags(&bench, part);
    }
}

/// Official: `dockerd …` gets rootlesskit as well, and nothing else.
#[test]
fn an_explicit_dockerd_runs_behind_rootlesskit() {
    let bench = bench();
    let start = run(&bench, "", "dockerd --host=unix:///tmp/own.sock").expect_start();
    assert_eq!(start.argv, ["--host=unix:///tmp/own.sock"]);
    shows_flags(&bench, "--net=slirp4netns");
}

/// Official: five things are looked at first, and each that is missing is named; status 1 there.
#[test]
fn what_is_missing_is_named() {
    for (fault, variables, named) in [
        ("rm /usr/local/bin/rootlesskit", "", "rootlesskit"),
        ("sed -i /^rootless:/d /etc/subuid", "", "/etc/subuid"),
        ("sed -i /^rootless:/d /etc/subgid", "", "/etc/subgid"),
        ("", "XDG_RUNTIME_DIR=/proc/none", "/proc/none"),
        ("", "HOME=/proc/none", "/proc/none"),
    ] {
        let bench = bench();
        bench.shell(&format!("{fault}\ntrue")).expect_success();
        let outcome = run(&bench, variables, "").expect_no_start().transcript;
        outcome.expect_failure().expect(named);
    }
}

/// The ids that belong to a user may be given by number.
#[test]
fn ids_by_number_are_accepted() {
    let bench = bench();
    bench
        .shell("sed -i s/^rootless:/1000:/ /etc/subuid /etc/subgid")
        .expect_success();
    run(&bench, "", "").expect_start();
}

/// The last two checks are about sysctls of this very kernel: they are given the value. Only
/// Debian's kernels have the first, which a directory in place of the kernel's brings.
#[test]
fn a_kernel_that_forbids_user_namespaces_is_named() {
    for (sysctl, mounted) in [
        (
            "kernel/unprivileged_userns_clone",
            "mkdir /tmp/sysctls; mount --bind /tmp/sysctls /proc/sys/kernel; \
             echo 0 > /proc/sys/kernel/unprivileged_userns_clone",
        ),
        (
            "user/max_user_namespaces",
            "echo 0 > /tmp/none; mount --bind /tmp/none /proc/sys/user/max_user_namespaces",
        ),
    ] {
        let bench = bench();
        bench.shell(mounted).expect_success();
        let outcome = run(&bench, "", "").expect_no_start().transcript;
        let (_, name) = sysctl.split_once('/').unwrap();
        outcome.expect_failure().expect(name);
        // The control: the same mount, and a kernel that allows it.
        bench
            .shell(&format!("echo 1 > /proc/sys/{sysctl}"))
            .expect_success();
        run(&bench, "", "").expect_start();
    }
}

/// An image as dind-rootless is: the user, the ids that belong to it, and its directories.
fn bench() -> Workbench {
    let bench = Workbench::new(dind_without_variables());
    bench
        .shell(&format!(
            "grep -q ^{USER}: /etc/passwd || echo {USER}:x:1000:1000::/home/rootless:/bin/sh >> /etc/passwd
             grep -q ^{USER}: /etc/group || echo {USER}:x:1000: >> /etc/group
             for file in /etc/subuid /etc/subgid; do
                 grep -q ^{USER}: $file || echo {USER}:100000:65536 >> $file; done
             mkdir -p /home/rootless /run/user; chown 1000:1000 /home/rootless; chmod 1777 /run/user /tmp
             chmod 777 /record
             printf '%s\\n' '#!/bin/sh' '{}' > /usr/local/bin/rootlesskit
             chmod +x /usr/local/bin/rootlesskit
             # What rootlesskit itself starts, and opens; nothing here runs it.
             for program in newuidmap newgidmap slirp4netns pasta; do
                 ln -sf /bin/true /usr/local/bin/$program; done
             mkdir -p /dev/net; rm -f /dev/net/tun; : > /dev/net/tun; chmod 666 /dev/net/tun",
            ROOTLESSKIT.replace('\'', "'\\''")
        ))
        .expect_success();
    bench
}

fn run<'a>(bench: &'a Workbench, variables: &str, words: &str) -> Run<'a> {
    let line = format!("export {variables} STAND_IN=0; exec dockerd-entrypoint.sh {words}");
    let home = [("HOME", "/home/rootless")];
    bench.run_as("1000:1000", &home, &["sh", "-c", &line])
}

#[track_caller]
fn shows_flags(bench: &Workbench, part: &str) {
    let flags = bench.shell("tr '\\n' ' ' < /tmp/rootlesskit");
    let _: Transcript<'_> = flags.expect_success().expect(part);
}
