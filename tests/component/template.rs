//! `templates/`, where GitLab looks for components, made from `component/`.
//!
//! `UPDATE_DOCS=1 cargo nextest run --test component template` writes it.

use std::fs;
use std::path::{Path, PathBuf};

/// Where a file of this checkout is.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

pub fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The components, each a file in both directories.
pub const COMPONENTS: [&str; 2] = ["dind", "lint"];

/// A component's template as its sources have it.
pub fn render(component: &str) -> String {
    let scripts = [
        ("@WAIT@", read("component/wait.sh")),
        ("@REPORT@", read("component/report.sh")),
    ];
    let text = read(&format!("component/{component}.yml")).replace("@IMAGE@", &image());
    let mut lines =
        vec!["# Made from component/ by tests/component/template.rs: edit it there.".to_owned()];
    for line in text.lines() {
        let script = scripts.iter().find(|(mark, _)| line.trim() == *mark);
        match script {
            None => lines.push(line.to_owned()),
            Some((mark, script)) => {
                let indent = line.trim_end().trim_end_matches(mark);
                lines.extend(script.lines().map(|line| match line {
                    "" => String::new(),
                    line => format!("{indent}{line}"),
                }));
            }
        }
    }
    lines.join("\n") + "\n"
}

/// The image of this very version, on the newest Docker. A component lies on the GitLab instance
/// that runs it, and so does its project's registry.
fn image() -> String {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let project = &manifest["package"]["metadata"]["component"]["project"];
    let versions = read("release/docker-versions");
    let newest = versions.lines().find(|line| !line.starts_with('#'));
    let docker = newest.and_then(|line| line.split_whitespace().next());
    format!(
        "$CI_REGISTRY/{}:{}-{}",
        project.as_str().unwrap(),
        docker.unwrap(),
        env!("CARGO_PKG_VERSION")
    )
}

#[test]
fn the_templates_are_what_their_sources_make() {
    for component in COMPONENTS {
        let path = format!("templates/{component}.yml");
        let rendered = render(component);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::create_dir_all(self::path("templates")).unwrap();
            fs::write(self::path(&path), &rendered).unwrap();
        }
        let found = fs::read_to_string(self::path(&path)).unwrap_or_default();
        let same = found == rendered;
        assert!(same, "{path} is stale; write it with UPDATE_DOCS=1");
        for mark in ["@IMAGE@", "@WAIT@", "@REPORT@"] {
            assert!(!rendered.contains(mark), "{path}: {mark}");
        }
    }
}
