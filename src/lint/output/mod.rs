//! What was found, as people and programs read it.

pub mod code_quality;
mod identity;
pub mod json;
mod oneline;
mod sarif;
mod summary;
pub mod text;

use std::path::{Component, Path, PathBuf};

pub use self::text::Color;
use super::{
    problem::Judgement,
    source::{Files, Place},
};

/// How the findings are written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum Format {
    /// For people, as compilers do
    #[default]
    Text,
    /// A line each, `file:line:column: severity[ID] summary`, for editors and grep
    Oneline,
    /// All that is known, for programs
    Json,
    /// A report for GitLab's merge requests
    #[value(name = "codequality")]
    CodeQuality,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// What everything is written with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub format: Format,
    pub color: Color,
    /// Findings alone.
    pub quiet: bool,
    /// The directory to which paths in reports are relative.
    pub root: PathBuf,
}

/// The name of the check, in reports, for files that cannot be read or written.
const UNREADABLE: &str = "LINT-FILE";

/// Everything that is to be said.
pub fn render(options: &Options, judgement: &Judgement, files: &Files) -> String {
    let root = &options.root;
    let report = match options.format {
        Format::Text => return text::render(judgement, files, options),
        Format::Oneline => return oneline::render(judgement, files, options.quiet),
        Format::Json => json::render(judgement, files),
        Format::CodeQuality => code_quality::render(judgement, files, root),
        Format::Sarif => sarif::render(judgement, files, root),
    };
    format!("{report:#}\n")
}

/// The file's name for a place.
fn name<'a>(place: &Place, files: &'a Files) -> &'a str {
    files.get(place.file).name()
}

/// The same as a path below `root`, if it lies there, without detours.
fn path(place: &Place, files: &Files, root: &Path) -> String {
    let path = Path::new(name(place, files));
    let mut plain = PathBuf::new();
    for component in path.strip_prefix(root).unwrap_or(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            component => plain.push(component),
        }
    }
    plain.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::source::Source;

    #[test]
    fn paths_are_relative_where_they_can_be() {
        for (name, expected) in [
            ("config.toml", "config.toml"),
            ("./a/../config.toml", "config.toml"),
            ("/builds/p/a/./b.yml", "a/b.yml"),
            ("/builds/px", "/builds/px"),
            ("../x", "../x"),
            ("/etc/x", "/etc/x"),
        ] {
            let mut files = Files::default();
            let place = Place::new(files.add(Source::new(name, "")), 0..0);
            assert_eq!(path(&place, &files, Path::new("/builds/p")), expected);
        }
    }
}
