//! `include`: which of the given files it means.

use std::path::{Component, Path};

use glob::{MatchOptions, Pattern};

use crate::lint::{
    source::{FileId, Files},
    yaml::{Mapping, Node},
};

/// What a file includes, of the given files, in its order.
#[derive(Debug, Default)]
pub struct Included {
    pub files: Vec<FileId>,
    /// How many things are not among them.
    pub count: usize,
    /// Some of it may say something of the jobs that are in sight.
    pub may_concern_others: bool,
}

/// GitLab's templates (below `Jobs/` and `Security/` of `lib/gitlab/ci/templates`) that bring jobs
/// of their own, and give other jobs nothing but their analyzers' variables.
const OWN_JOBS_ALONE: [&str; 7] = [
    "Code-Quality",
    "Container-Scanning",
    "Dependency-Scanning",
    "License-Scanning",
    "SAST",
    "SAST-IaC",
    "Secret-Detection",
];

impl Included {
    pub fn read(file: FileId, root: &Mapping, candidates: &[FileId], files: &Files) -> Self {
        let mut included = Self::default();
        let items = match root.get("include") {
            None => return included,
            Some(include) => match include.as_sequence() {
                Some(items) if include.tag.is_none() => items,
                _ => std::slice::from_ref(include),
            },
        };
        for item in items {
            let found = local(item)
                .map(|path| matching(file, path, candidates, files))
                .unwrap_or_default();
            if found.is_empty() {
                included.count += 1;
                included.may_concern_others |= !brings_own_jobs_alone(item);
            }
            included.files.extend(found);
        }
        included
    }
}

/// The path in the repository; `None` for what is elsewhere, or is included in some cases only.
fn local(item: &Node) -> Option<&str> {
    let path = match item.as_mapping() {
        Some(_) if item.get("rules").is_some() => return None,
        Some(mapping) => mapping.get("local")?.as_str()?,
        None => item.as_str().filter(|path| !path.contains("://"))?,
    };
    (!path.contains('$')).then_some(path)
}

fn brings_own_jobs_alone(item: &Node) -> bool {
    let template = item.get("template").and_then(Node::as_str);
    template.is_some_and(|path| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let name = name.strip_suffix(".gitlab-ci.yml").unwrap_or(name);
        let name = name.strip_suffix(".latest").unwrap_or(name);
        OWN_JOBS_ALONE.contains(&name)
    })
}

/// The files whose names end with that path, in a repository that `file` is in as well: of several
/// that is the innermost one.
fn matching(file: FileId, path: &str, candidates: &[FileId], files: &Files) -> Vec<FileId> {
    let path = path.trim_start_matches('/');
    let length = Path::new(path).components().count();
    let is_any = path.contains('*');
    let from = parts(files.get(file).name());
    let options = MatchOptions {
        require_literal_separator: true,
        ..MatchOptions::default()
    };
    let pattern = Pattern::new(path).ok().filter(|_| is_any);
    // How many parts of its name are the repository's.
    let root_of = |other: &FileId| {
        let other = parts(files.get(*other).name());
        let is_path = |root: &usize| match &pattern {
            Some(pattern) => pattern.matches_with(&other[*root..].join("/"), options),
            None => other[*root..] == parts(path)[..],
        };
        let most = from.len().min(other.len());
        let is_common = |root: &usize| other[..*root] == from[..*root];
        let mut roots = (0..most).rev().filter(is_common);
        match is_any {
            true => roots.find(is_path),
            false => roots.find(|root| other.len() == root + length && is_path(root)),
        }
    };
    let others = candidates.iter().filter(|other| **other != file);
    let found = others.filter_map(|other| Some((root_of(other)?, *other)));
    match is_any {
        true => found.map(|(_, other)| other).collect(),
        false => found.max().map(|(_, other)| other).into_iter().collect(),
    }
}

fn parts(name: &str) -> Vec<String> {
    let components = Path::new(name).components();
    components
        .filter_map(|component| match component {
            Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{source::Source, yaml};

    #[test]
    fn a_scanner_s_template_concerns_no_other_job() {
        for (include, expected) in [
            ("{template: Security/SAST.gitlab-ci.yml}", false),
            (
                "{template: Jobs/Secret-Detection.latest.gitlab-ci.yml}",
                false,
            ),
            (
                "[{template: Jobs/SAST.gitlab-ci.yml}, {local: x.yml}]",
                true,
            ),
            ("{template: Auto-DevOps.gitlab-ci.yml}", true),
            ("{project: a/b, file: SAST.gitlab-ci.yml}", true),
        ] {
            let documents = yaml::parse(&format!("include: {include}")).unwrap();
            let mut files = Files::default();
            let file = files.add(Source::new(".gitlab-ci.yml", ""));
            let root = documents[0].as_mapping().unwrap();
            let included = Included::read(file, root, &[file], &files);
            assert_eq!(included.may_concern_others, expected, "{include}");
            assert!(included.count > 0, "it is not looked at: {include}");
        }
    }

    #[test]
    fn local_files_are_known_by_their_paths() {
        let names = [
            "a/.gitlab-ci.yml",
            "a/ci/build.yml",
            "b/ci/build.yml",
            "a/ci/test.yml",
            "a/rebuild.yml",
        ];
        for (include, expected, elsewhere) in [
            ("ci/build.yml", &["a/ci/build.yml"][..], 0),
            ("/ci/build.yml", &["a/ci/build.yml"], 0),
            ("[{local: ci/build.yml}]", &["a/ci/build.yml"], 0),
            ("{local: build.yml, rules: []}", &[], 1),
            ("build.yml", &[], 1),
            (
                "[{local: ci/*.yml}]",
                &["a/ci/build.yml", "a/ci/test.yml"],
                0,
            ),
            ("https://example.com/ci/build.yml", &[], 1),
            (
                "[{template: x.yml}, ci/test.yml, {project: a/b, file: ci/build.yml}]",
                &["a/ci/test.yml"],
                2,
            ),
            ("$FILE", &[], 1),
        ] {
            let mut files = Files::default();
            let all: Vec<_> = names.map(|name| files.add(Source::new(name, ""))).to_vec();
            let documents = yaml::parse(&format!("include: {include}")).unwrap();
            let root = documents[0].as_mapping().unwrap();
            let included = Included::read(all[0], root, &all, &files);
            let found: Vec<_> = included
                .files
                .iter()
                .map(|file| files.get(*file).name())
                .collect();
            assert_eq!(found, expected, "{include}");
            assert_eq!(included.count, elsewhere, "{include}");
        }
    }
}
