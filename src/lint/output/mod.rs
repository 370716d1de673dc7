//! What was found, as people and programs read it.

pub mod code_quality;
pub mod json;
pub mod text;

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
    /// All that is known, for programs
    Json,
    /// A report for GitLab's merge requests
    #[value(name = "codequality")]
    CodeQuality,
}

/// Everything that is to be said.
pub fn render(format: Format, judgement: &Judgement, files: &Files) -> String {
    match format {
        Format::Text => text::render(judgement, files, &text::renderer()),
        Format::Json => format!("{:#}\n", json::render(judgement, files)),
        Format::CodeQuality => format!("{:#}\n", code_quality::render(judgement, files)),
    }
}

/// The file's name for a place.
fn name<'a>(place: &Place, files: &'a Files) -> &'a str {
    files.get(place.file).name()
}
