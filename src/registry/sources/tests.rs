//! What each layout says, and what cannot be read.

use std::{fs, io, os::unix::fs::symlink};

use nix::{errno::Errno, sys::stat::Mode, unistd::mkfifo};
use tempfile::tempdir;

use super::*;
use crate::system::directory::tempdir_on_root_mount;

fn settings(directory: &Path) -> RegistrySettings {
    RegistrySettings::parse(&|name| {
        (name == "DIND_REGISTRY_CA_DIR").then(|| directory.display().to_string())
    })
    .unwrap()
}

fn write(directory: &Path, path: &str) {
    let path = directory.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "x").unwrap();
}

/// Each source as `path: role`.
fn roles(directory: &Path) -> Vec<String> {
    let describe = |source: &Source| {
        let path = source.origin.strip_prefix(directory).unwrap().display();
        match &source.role {
            Role::Authorities(Scope::EveryRegistry) => format!("{path}: every registry"),
            Role::Authorities(scope) => format!("{path}: {}", scope.hosts()[0]),
            Role::ClientCertificate { host, stem } => {
                format!("{path}: certificate {stem} of {host}")
            }
            Role::ClientKey { host, stem } => format!("{path}: key {stem} of {host}"),
            Role::NoHost => format!("{path}: no host"),
        }
    };
    let sources = Sources::read(&settings(directory));
    sources.found.iter().map(describe).collect()
}

#[test]
fn every_layout_says_what_its_files_are_for() {
    let root = tempdir().unwrap();
    for path in [
        "ca.crt",
        "corporate-root.pem",
        "notes.txt",
        "reg.example.com.crt",
        "reg.example.com_5000.pem",
        "inner.example.com/ca.crt",
        "inner.example.com/more.pem",
        "inner.example.com/client.cert",
        "inner.example.com/client.key",
        "inner.example.com/README",
        "registry_5000/ca.crt",
        "mounted.example.com.crt/ca.crt",
        "no host/ca.crt",
        "lost+found/.keep",
    ] {
        write(root.path(), path);
    }
    assert_eq!(
        roles(root.path()),
        [
            "ca.crt: every registry",
            "corporate-root.pem: every registry",
            "inner.example.com/ca.crt: inner.example.com",
            "inner.example.com/client.cert: certificate client of inner.example.com",
            "inner.example.com/client.key: key client of inner.example.com",
            "inner.example.com/more.pem: inner.example.com",
            "mounted.example.com.crt/ca.crt: mounted.example.com",
            "no host: no host",
            "notes.txt: every registry",
            "reg.example.com.crt: reg.example.com",
            "reg.example.com_5000.pem: reg.example.com:5000",
            "registry_5000/ca.crt: registry:5000",
        ]
    );
}

#[test]
fn kubernetes_links_are_followed_once() {
    let root = tempdir_on_root_mount();
    write(root.path(), "..2026_11_23/ca.crt");
    write(root.path(), "..2026_11_23/reg.example.com/ca.crt");
    symlink("..2026_11_23", root.path().join("..data")).unwrap();
    symlink("..data/ca.crt", root.path().join("ca.crt")).unwrap();
    symlink(
        "..data/reg.example.com",
        root.path().join("reg.example.com"),
    )
    .unwrap();
    assert_eq!(
        roles(root.path()),
        [
            "ca.crt: every registry",
            "reg.example.com/ca.crt: reg.example.com"
        ]
    );
}

#[test]
fn a_single_file_in_the_directory_s_place_is_for_every_registry() {
    let root = tempdir().unwrap();
    write(root.path(), "ca");
    assert_eq!(roles(&root.path().join("ca")), [": every registry"]);
}

#[test]
fn what_cannot_be_read_costs_only_itself() {
    let root = tempdir_on_root_mount();
    write(root.path(), "good.crt");
    mkfifo(&root.path().join("pipe.crt"), Mode::S_IRWXU).unwrap();
    symlink("loop.crt", root.path().join("loop.crt")).unwrap();
    symlink("gone.crt", root.path().join("vanished.crt")).unwrap();
    symlink(".", root.path().join("self.example.com")).unwrap();
    fs::write(root.path().join("huge.crt"), vec![b'x'; 2 << 20]).unwrap();
    let sources = Sources::read(&settings(root.path())).found;
    let state = |name: &str| {
        let found = sources.iter().find(|source| source.origin.ends_with(name));
        let content = &found.unwrap().content;
        content
            .as_ref()
            .map_err(|error| error.message.clone())
            .map(Vec::len)
    };
    assert_eq!(state("good.crt"), Ok(1));
    // C libraries have words of their own for it.
    let a_loop = io::Error::from_raw_os_error(Errno::ELOOP as i32).to_string();
    for (name, why) in [
        ("pipe.crt", "not a regular file"),
        ("loop.crt", &a_loop),
        ("vanished.crt", "No such file"),
        ("huge.crt", "larger than"),
    ] {
        assert!(state(name).unwrap_err().contains(why), "{name}");
    }
}

#[test]
fn awaited_files_are_found_if_they_are_there_and_remembered_if_not() {
    let root = tempdir().unwrap();
    let (there, later) = (root.path().join("there.crt"), root.path().join("later.crt"));
    write(root.path(), "there.crt");
    let settings = RegistrySettings::parse(&|name| match name {
        "DIND_REGISTRY_CA_DIR" => Some("/nowhere".into()),
        "DIND_REGISTRY_CA" => Some(format!("a.test={}", there.display())),
        "CI_SERVER_TLS_CA_FILE" => Some(later.display().to_string()),
        "CI_REGISTRY" => Some("registry.test".into()),
        _ => None,
    });
    let sources = Sources::read(&settings.unwrap());
    assert_eq!(sources.found.len(), 1);
    let awaited: Vec<_> = sources.awaited.iter().map(|a| a.path.clone()).collect();
    assert_eq!(awaited, [there, later.clone()]);
    let scope = &sources.awaited[1].scope;
    assert!(read_if_there(&later, scope).is_none());
    write(root.path(), "later.crt");
    assert_eq!(
        read_if_there(&later, scope).unwrap().content,
        Ok(b"x".to_vec())
    );
}

#[test]
fn a_name_that_is_no_line_is_refused() {
    let root = tempdir().unwrap();
    write(root.path(), "a.test/x\nevil.cert");
    write(root.path(), "a.test/good.crt");
    let sources = Sources::read(&settings(root.path()));
    let [bad, good] = sources.found.as_slice() else {
        panic!("{:?}", sources.found);
    };
    let error = bad.content.as_ref().unwrap_err().to_string();
    assert!(
        error.ends_with("a control character in its name"),
        "{error}"
    );
    assert!(!error.contains('\n'), "{error}");
    assert!(good.content.is_ok());
}

#[test]
fn all_of_them_have_one_budget() {
    let root = tempdir().unwrap();
    for number in 0..40 {
        fs::write(
            root.path().join(format!("{number}.crt")),
            vec![b'x'; 1 << 20],
        )
        .unwrap();
    }
    let sources = Sources::read(&settings(root.path()));
    let contents = sources.found.iter().map(|source| &source.content);
    let (read, refused): (Vec<_>, Vec<_>) = contents.partition(|content| content.is_ok());
    assert_eq!((read.len(), refused.len()), (16, 1));
}

#[test]
fn what_lies_on_a_volume_that_hangs_is_unreadable_and_awaited_and_texts_count() {
    let settings = RegistrySettings::parse(&|name| match name {
        "DIND_REGISTRY_CA" => Some("reg.test=/hung/ca.pem".to_owned()),
        "CI_SERVER_TLS_CA_FILE" => Some("-----BEGIN CERTIFICATE-----".to_owned()),
        _ => None,
    })
    .unwrap();
    let sources = Sources::of_places(named(&settings), unanswered);
    let [given, runner] = &sources.found[..] else {
        panic!("{:?}", sources.found);
    };
    let error = given.content.as_ref().unwrap_err();
    assert_eq!(error.kind, io::ErrorKind::TimedOut);
    assert_eq!(error.path, Path::new("/hung/ca.pem"));
    assert!(runner.content.is_ok());
    let [awaited] = &sources.awaited[..] else {
        panic!("{:?}", sources.awaited);
    };
    assert_eq!((&awaited.path, &awaited.seen), (&error.path, &None));
}
