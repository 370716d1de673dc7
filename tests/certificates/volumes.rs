//! Volumes that really are read-only or full, in a mount namespace of the test's own.

use std::{
    fs,
    io::Write,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    process::Command,
};

use nix::unistd::Uid;

use crate::scene::Scene;

/// Runs [`start_in_namespace`] with a tmpfs of these options over the certificate directory, after
/// `prepare` (a shell command in that directory); what the refusal says.
///
/// `None`, and a word about it, where users may not make namespaces.
fn refusal(options: &str, prepare: &str) -> Option<String> {
    let namespace = ["--map-root-user", "--mount"];
    let may = Command::new("unshare").args(namespace).arg("true").output();
    if !may.is_ok_and(|output| output.status.success()) {
        let _ = std::io::stderr().write_all(b"not tested: `unshare --mount` is not allowed here\n");
        return None;
    }
    let scene = Scene::new();
    fs::create_dir_all(&scene.settings.directory).unwrap();
    let directory = &scene.settings.directory;
    let output = Command::new("unshare")
        .args(namespace)
        .args(["sh", "-ec"])
        .arg(format!(
            "mount -t tmpfs -o {options} none {0}; cd {0}; {prepare}; cd /; exec \"$@\"",
            directory.display()
        ))
        .arg("sh")
        .arg(std::env::current_exe().unwrap())
        .args([
            "volumes::start_in_namespace",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env("CERTIFICATE_DIRECTORY", directory)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    Some(text)
}

#[test]
#[ignore = "run by the others, in a mount namespace"]
fn start_in_namespace() {
    let mut scene = Scene::new();
    scene.settings.directory = std::env::var_os("CERTIFICATE_DIRECTORY").unwrap().into();
    scene.mounts = dind_init::testing::facts::mounts::Mounts::read().unwrap();
    let before: Vec<_> = scene.snapshot().into_keys().collect();
    let finding = scene.start().unwrap_err();
    let after: Vec<_> = scene.snapshot().into_keys().collect();
    writeln!(std::io::stdout(), "{finding}\n{before:?} {after:?}").unwrap();
}

#[test]
fn a_volume_that_is_full_is_told_and_no_torn_file_stays() {
    for options in ["size=4k", "nr_inodes=4"] {
        let Some(text) = refusal(options, "mkdir client server") else {
            return;
        };
        assert!(text.contains("CERTS-FULL"), "{options}: {text}");
        assert!(text.contains("[] []"), "{options}: {text}");
    }
}

#[test]
fn a_read_only_volume_is_told() {
    let Some(text) = refusal("size=1m", "mkdir client; mount -o remount,ro,bind .") else {
        return;
    };
    assert!(text.contains("CERTS-READONLY"), "{text}");
    assert!(text.contains("client is a read-only"), "{text}");
}

#[test]
fn a_single_file_that_is_mounted_is_told() {
    let prepare = "mkdir client; touch x client/ca.pem; mount --bind x client/ca.pem";
    let Some(text) = refusal("size=1m", prepare) else {
        return;
    };
    assert!(text.contains("CERTS-SUBPATH"), "{text}");
}

#[test]
fn a_directory_that_this_user_may_not_write_is_told_with_its_owner() {
    let scene = Scene::new();
    fs::create_dir_all(scene.path("client")).unwrap();
    let close = |path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    close(scene.path("client"), 0o555);
    let text = if Uid::current().is_root() {
        close(scene.root().to_owned(), 0o755);
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "volumes::start_in_namespace",
                "--exact",
                "--ignored",
                "--nocapture",
            ])
            .env("CERTIFICATE_DIRECTORY", &scene.settings.directory)
            .current_dir("/")
            .uid(65534)
            .gid(65534)
            .output();
        let Ok(output) = output else {
            let _ = std::io::stderr().write_all(b"not tested: `nobody` may not run this test\n");
            return;
        };
        String::from_utf8(output.stdout).unwrap()
    } else {
        scene.refused("CERTS-DENIED").to_string()
    };
    assert!(text.contains("CERTS-DENIED"), "{text}");
    assert!(text.contains("may not write to"), "{text}");
    assert!(text.contains("mode 0555"), "{text}");
}
