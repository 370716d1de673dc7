//! A release's description is its section of CHANGELOG.md.

use std::fs;
use std::process::Command;

use tempfile::NamedTempFile;

use crate::checkout::{Checkout, said};

const CHANGELOG: &str = "# Changelog

## Unreleased

### Added

## 1.2.3 (2026-11-25)

### Fixed
- A thing, that
  takes two lines.

### Added
- Another.

## 1.2.3-rc.1 (2026-11-20)
- The candidate.

## 1.2.30 (2025-01-01)
- Not this one.
";

#[test]
fn a_section_is_printed_without_its_heading() {
    for (version, section) in [
        (
            "1.2.3",
            "### Fixed\n- A thing, that\n  takes two lines.\n\n### Added\n- Another.\n",
        ),
        ("1.2.3-rc.1", "- The candidate.\n"),
        ("1.2.30", "- Not this one.\n"),
    ] {
        assert_eq!(changelog(version), Ok(section.to_owned()), "{version}");
    }
}

/// A version is not a pattern, and headings alone say nothing.
#[test]
fn what_is_missing_or_empty_is_refused() {
    for version in ["1.2", "1.2.4", "1x2x3", "Unreleased", ""] {
        let complaint = changelog(version).unwrap_err();
        assert!(complaint.contains(version), "{version}: {complaint}");
        assert!(complaint.contains("CHANGELOG") || complaint.contains("says nothing"));
    }
}

/// The description ends with what a pinned deployment needs.
#[test]
fn a_release_s_page_lists_the_images_by_digest() {
    let checkout = Checkout::new();
    checkout.write("CHANGELOG.md", CHANGELOG);
    checkout.write("published/images", "29-dind sha256:0123\n");
    let done = checkout
        .command("release/notes.sh", &["1.2.3-rc.1"])
        .env("IMAGE_REPOSITORY", "registry.example.com/dind")
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", said(&done));
    let notes = said(&done);
    assert!(
        notes.starts_with("- The candidate.\n\n### Images\n"),
        "{notes}"
    );
    assert!(notes.contains("| registry.example.com/dind |"), "{notes}");
    assert!(notes.ends_with("| 29-dind | `sha256:0123` |\n"), "{notes}");
}

fn changelog(version: &str) -> Result<String, String> {
    let file = NamedTempFile::new().unwrap();
    fs::write(&file, CHANGELOG).unwrap();
    let done = Command::new("release/changelog.sh")
        .arg(version)
        .arg(file.path())
        .output()
        .unwrap();
    match done.status.code() {
        Some(0) => Ok(String::from_utf8(done.stdout).unwrap()),
        Some(65) => Err(said(&done)),
        _ => panic!("{}", said(&done)),
    }
}
