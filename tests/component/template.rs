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
    let text = read(&format!("component/{component}.yml")).replace("@IMAGE@", &image());
    let text = include(&text, "@WAIT@", &script("wait"));
    let text = include(&text, "@REPORT@", &script("report"));
    format!("# Made from component/ by tests/component/template.rs: edit it there.\n{text}")
}

/// A script of `component/`, with what it shares with the other.
pub fn script(name: &str) -> String {
    let text = read(&format!("component/{name}.sh"));
    include(&text, "# @STATUS@", &read("component/status.sh"))
}

/// `text` with all lines of `part` in the place of each line that is `mark`, as far indented.
fn include(text: &str, mark: &str, part: &str) -> String {
    let mut included = String::new();
    for line in text.lines() {
        match line.strip_suffix(mark) {
            Some(indent) if indent.trim().is_empty() => {
                for line in part.lines() {
                    let indent = if line.is_empty() { "" } else { indent };
                    included.push_str(&format!("{indent}{line}\n"));
                }
            }
            _ => included.push_str(&format!("{line}\n")),
        }
    }
    included
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
        for mark in ["@IMAGE@", "@WAIT@", "@REPORT@", "@STATUS@"] {
            assert!(!rendered.contains(mark), "{path}: {mark}");
        }
    }
}

/// All that the runner shows of a script of many lines.
#[test]
fn a_script_s_first_line_says_all_of_what_it_does() {
    for name in ["wait", "report"] {
        let script = script(name);
        let first = script.lines().next().unwrap();
        assert!(first.starts_with("# ") && first.ends_with('.'), "{first}");
    }
}
