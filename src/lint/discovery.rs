//! The files that are meant by a directory, or by nothing at all.
//!
//! A project's directory stands for its `.gitlab-ci.yml`, what that includes of the project itself,
//! and the files of runners below `runners/`; any other one for all that may be a configuration.

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
};

use super::{
    input,
    yaml::{self, Node},
};

const PIPELINE: &str = ".gitlab-ci.yml";
const RUNNERS: &str = "runners";
const ENDINGS: [&str; 3] = ["toml", "yaml", "yml"];

/// More are no configuration, but a directory that was not meant.
const MAXIMAL_FILES: usize = 1000;
const MAXIMAL_DEPTH: usize = 16;

/// The files that `arguments` stand for, each once, or what is the matter with them.
pub fn files(arguments: &[String]) -> Result<Vec<String>, String> {
    if arguments.is_empty() {
        let files = project(Path::new(""))?;
        return match files.is_empty() {
            true => Err(format!(
                "there is no {PIPELINE} and no {RUNNERS}/ here: name the files"
            )),
            false => Ok(files),
        };
    }
    let mut files: Vec<String> = Vec::new();
    for argument in arguments {
        let path = Path::new(argument);
        if argument == input::STANDARD_INPUT || !path.is_dir() {
            files.push(argument.clone());
            continue;
        }
        let mut found = project(path)?;
        if found.is_empty() {
            walk(path, MAXIMAL_DEPTH, &mut found)?;
        }
        if found.is_empty() {
            return Err(format!(
                "no file in {argument} ends in .toml, .yml or .yaml"
            ));
        }
        files.extend(found);
    }
    let mut seen = BTreeSet::new();
    files.retain(|file| seen.insert(file.clone()));
    Ok(files)
}

fn project(root: &Path) -> Result<Vec<String>, String> {
    let mut files = Vec::new();
    let pipeline = root.join(PIPELINE);
    if pipeline.is_file() {
        included(root, pipeline, &mut files)?;
    }
    let runners = root.join(RUNNERS);
    if runners.is_dir() {
        walk(&runners, MAXIMAL_DEPTH, &mut files)?;
    }
    Ok(files)
}

/// A pipeline, and what it includes of its own project.
fn included(root: &Path, pipeline: PathBuf, files: &mut Vec<String>) -> Result<(), String> {
    let mut waiting = vec![pipeline];
    while let Some(path) = waiting.pop() {
        let name = path.to_string_lossy().into_owned();
        if files.contains(&name) {
            continue;
        }
        push(files, name, root)?;
        let Some(text) = input::text(&path) else {
            continue;
        };
        // What is wrong with it is said when it is judged.
        let Ok(documents) = yaml::parse(&text) else {
            continue;
        };
        let include = documents.last().and_then(|root| root.get("include"));
        let mut found: Vec<PathBuf> = include
            .into_iter()
            .flat_map(local)
            .flat_map(|pattern| matching(root, &pattern))
            .collect();
        // The first one is taken first.
        found.reverse();
        waiting.append(&mut found);
    }
    Ok(())
}

/// What an `include` names of the project itself.
fn local(include: &Node) -> Vec<String> {
    let entries = match include.as_sequence() {
        Some(entries) => entries.iter().collect(),
        None => vec![include],
    };
    let locals = entries.into_iter().filter_map(|entry| {
        let of_project = || entry.get("local").and_then(Node::as_str);
        let name = entry.as_str().or_else(of_project)?;
        (!name.contains("://") && !name.contains('$')).then(|| name.to_owned())
    });
    locals.collect()
}

/// The files that a name, perhaps with wildcards, stands for; none outside of the project.
fn matching(root: &Path, name: &str) -> Vec<PathBuf> {
    let name = name.trim_start_matches('/');
    let mut components = Path::new(name).components();
    if !components.all(|component| matches!(component, Component::Normal(_))) {
        return Vec::new();
    }
    if !name.contains('*') {
        let path = root.join(name);
        return if path.is_file() {
            vec![path]
        } else {
            Vec::new()
        };
    }
    // GitLab takes `**.yml`, which is a component of its own here.
    let name = name.replace("**.", "**/*.");
    let root_pattern = glob::Pattern::escape(&root.to_string_lossy());
    let pattern = Path::new(&root_pattern).join(name);
    let Ok(paths) = glob::glob(&pattern.to_string_lossy()) else {
        return Vec::new();
    };
    let paths = paths.filter_map(Result::ok).take(MAXIMAL_FILES);
    paths.filter(|path| path.is_file()).collect()
}

/// All that may be configuration below a directory, in the order of the names; nothing that is
/// hidden.
fn walk(directory: &Path, depth: usize, files: &mut Vec<String>) -> Result<(), String> {
    let Some(depth) = depth.checked_sub(1) else {
        return Ok(());
    };
    let complain = |error| format!("{}: {error}", directory.display());
    let entries = fs::read_dir(directory).map_err(complain)?;
    let entries: Result<Vec<_>, _> = entries.collect();
    let mut entries = entries.map_err(complain)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        // A link to a directory may lead back.
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let ending = path.extension().and_then(|ending| ending.to_str());
        let is_meant = ending.is_some_and(|ending| ENDINGS.contains(&ending));
        if is_hidden {
            continue;
        } else if is_directory {
            walk(&path, depth, files)?;
        } else if is_meant && path.is_file() {
            push(files, path.to_string_lossy().into_owned(), directory)?;
        }
    }
    Ok(())
}

fn push(files: &mut Vec<String>, name: String, directory: &Path) -> Result<(), String> {
    if files.len() >= MAXIMAL_FILES {
        return Err(format!(
            "there are more than {MAXIMAL_FILES} files in {}: name those that are meant",
            directory.display()
        ));
    }
    files.push(name);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn project_of(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        directory
    }

    fn found(directory: &tempfile::TempDir) -> Vec<String> {
        let path = directory.path().to_str().unwrap();
        let files = files(&[path.to_owned()]).unwrap();
        let prefix = format!("{path}/");
        let names = files.iter().map(|file| file.strip_prefix(&prefix).unwrap());
        names.map(str::to_owned).collect()
    }

    #[test]
    fn a_project_is_its_pipeline_what_that_includes_and_its_runners() {
        let directory = project_of(&[
            (
                ".gitlab-ci.yml",
                "include:\n- local: /ci/a.yml\n- ci/more/*.yml\n- ci/deep/**.yml\n- project: x\n  \
                 file: y\n- https://example.com/z.yml\n- local: ../outside.yml\n- local: $X\n",
            ),
            ("ci/a.yml", "include: {local: ci/b.yml}\n"),
            ("ci/b.yml", "include: ci/a.yml\n"),
            ("ci/more/c.yml", ""),
            ("ci/more/no.txt", ""),
            ("ci/deep/er/d.yml", "broken: ["),
            ("ci/unused.yml", ""),
            ("runners/one/config.toml", ""),
            ("runners/.hidden.toml", ""),
            ("runners/README.md", ""),
            ("Cargo.toml", ""),
        ]);
        assert_eq!(
            found(&directory),
            [
                ".gitlab-ci.yml",
                "ci/a.yml",
                "ci/b.yml",
                "ci/more/c.yml",
                "ci/deep/er/d.yml",
                "runners/one/config.toml"
            ]
        );
    }

    #[test]
    fn any_other_directory_is_all_that_may_be_configuration() {
        let directory = project_of(&[("b.yaml", ""), ("a/c.toml", ""), ("d.txt", "")]);
        symlink("..", directory.path().join("a/up")).unwrap();
        assert_eq!(found(&directory), ["a/c.toml", "b.yaml"]);
        let empty = project_of(&[]);
        assert!(files(&[empty.path().to_str().unwrap().to_owned()]).is_err());
    }

    #[test]
    fn a_file_is_itself_and_only_once() {
        let names = ["-", "config.toml", "config.toml"].map(str::to_owned);
        assert_eq!(files(&names).unwrap(), ["-", "config.toml"]);
    }
}
