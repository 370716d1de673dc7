//! Links within this repository lead somewhere, to the heading that they name.

use std::path::Path;

use crate::page::{pages, text};

#[test]
fn every_link_leads_somewhere() {
    let mut dead = Vec::new();
    for page in pages() {
        let found = links(&text(&page)).into_iter();
        let broken = found.filter(|link| !leads_somewhere(&page, link));
        dead.extend(broken.map(|link| format!("{page}: {link}")));
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

#[test]
fn a_link_that_leads_nowhere_is_noticed() {
    let page = "docs/kubernetes.md";
    for good in [
        "reasons.md#CERTS-READONLY",
        "#the-runner",
        "../README.md#use-it",
    ] {
        assert!(leads_somewhere(page, good), "{good}");
    }
    for bad in [
        "reasons.md#CERTS-READONLYY",
        "#no-such",
        "../README.txt",
        "README.md",
    ] {
        assert!(!leads_somewhere(page, bad), "{bad}");
    }
    let found = links("[a](b.md#c), `[d](e)` and [f](https://g) [h](i)");
    assert_eq!(found, ["b.md#c", "i"]);
}

/// The targets of links that stay within the repository.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut is_fenced = false;
    for line in text.lines() {
        is_fenced ^= line.trim_start().starts_with("```");
        if is_fenced {
            continue;
        }
        // What is between backticks is no link.
        let prose: String = line.split('`').step_by(2).collect();
        for rest in prose.split("](").skip(1) {
            let target = rest.split(')').next().unwrap_or_default();
            if !target.contains("://") {
                links.push(target.to_owned());
            }
        }
    }
    links
}

fn leads_somewhere(page: &str, link: &str) -> bool {
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = if file.is_empty() {
        root.join(page)
    } else {
        root.join(page).parent().unwrap().join(file)
    };
    if anchor.is_empty() {
        return target.exists();
    }
    std::fs::read_to_string(&target).is_ok_and(|text| anchors(&text).any(|found| found == anchor))
}

/// As GitLab and GitHub make them of headings, and those that are spelled out.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| {
        if let Some(id) = line.strip_prefix("<a id=\"") {
            return Some(id.split('"').next().unwrap_or_default().to_owned());
        }
        let title = line.strip_prefix('#')?.trim_start_matches('#').trim();
        let kept = title
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        Some(kept.collect::<String>().to_lowercase().replace(' ', "-"))
    })
}
