//! The tags of a release: official's own, and ours.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use tempfile::NamedTempFile;

use crate::checkout::said;

/// As docker-library/official-images lists them for one version of Docker.
#[test]
fn an_image_has_official_s_tags_and_ours() {
    let tags = tags("1.2.3", "27.0.2 3.20\n");
    assert_eq!(
        tags["27.0.2 dind"],
        "27.0.2-1.2.3 27.0.2-dind 27.0.2 27.0.2-dind-alpine3.20 27.0.2-alpine3.20 27.0-dind 27.0 \
         27-dind 27 dind latest"
    );
    assert_eq!(
        tags["27.0.2 dind-rootless"],
        "27.0.2-rootless-1.2.3 27.0.2-dind-rootless 27.0-dind-rootless 27-dind-rootless \
         dind-rootless"
    );
}

/// The newest of those that share a major or a minor version has that tag, and no other.
#[test]
fn shorter_tags_go_to_the_newest_version() {
    let tags = tags(
        "1.2.3",
        "29.7.2 3.24\n29.7.1 3.24\n29.6.0 3.23\n28.5.2 3.22\n",
    );
    for (image, has, has_not) in [
        ("29.7.2 dind", "29.7.2-dind 29.7-dind 29-dind dind", ""),
        ("29.7.1 dind", "29.7.1-dind", "29.7-dind 29-dind dind"),
        ("29.6.0 dind", "29.6.0-dind 29.6-dind", "29-dind dind"),
        ("28.5.2 dind", "28.5.2-dind 28.5-dind 28-dind", "dind"),
        ("28.5.2 dind-rootless", "28-dind-rootless", "dind-rootless"),
    ] {
        let tags: Vec<_> = tags[image].split(' ').collect();
        assert!(has.split(' ').all(|tag| tags.contains(&tag)), "{image}");
        let none = has_not.split(' ').all(|tag| !tags.contains(&tag));
        assert!(none, "{image}: {tags:?}");
    }
    let all: Vec<_> = tags.values().flat_map(|tags| tags.split(' ')).collect();
    let mut unique = all.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), all.len(), "a tag has two images: {all:?}");
}

#[test]
fn a_release_candidate_takes_no_official_tag() {
    let tags = tags("1.2.3-rc.1", "29.7.2 3.24\n");
    assert_eq!(tags["29.7.2 dind"], "29.7.2-1.2.3-rc.1");
    assert_eq!(tags["29.7.2 dind-rootless"], "29.7.2-rootless-1.2.3-rc.1");
}

/// The table itself: newest first, which is what the tags rest on.
#[test]
fn the_versions_of_docker_are_in_order() {
    let table = fs::read_to_string("release/docker-versions").unwrap();
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    let versions: Vec<Vec<u32>> = lines
        .map(|line| {
            let (docker, alpine) = line.split_once(' ').unwrap();
            assert!(alpine.split('.').all(|part| part.parse::<u32>().is_ok()));
            docker
                .split('.')
                .map(|part| part.parse().unwrap())
                .collect()
        })
        .collect();
    assert!(!versions.is_empty());
    assert!(versions.is_sorted_by(|newer, older| newer > older));
    assert!(versions.iter().all(|version| version.len() == 3));
}

/// By `DOCKER VARIANT`, with spaces between them.
fn tags(version: &str, table: &str) -> BTreeMap<String, String> {
    let file = NamedTempFile::new().unwrap();
    fs::write(&file, format!("# a comment\n\n{table}")).unwrap();
    let done = Command::new("release/tags.sh")
        .arg(version)
        .env("DOCKER_VERSIONS", file.path())
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", said(&done));
    let mut tags: BTreeMap<String, String> = BTreeMap::new();
    for line in String::from_utf8_lossy(&done.stdout).lines() {
        let (image, tag) = line.rsplit_once(' ').unwrap();
        let tags = tags.entry(image.to_owned()).or_default();
        *tags = format!("{tags} {tag}").trim_start().to_owned();
    }
    tags
}
