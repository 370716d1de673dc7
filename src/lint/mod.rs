//! `dind-init lint`: the mistake is found before the pod exists.
//!
//! Reading (text → documents whose values know their places), judging (documents → [`Problem`]s of
//! the catalogue, pure), speaking ([`output`]) and repairing are apart.

pub mod output;
pub mod pipeline;
pub mod problem;
pub mod runner;
pub mod source;
pub mod yaml;

use self::{
    problem::Judgement,
    source::{FileId, Files, Source},
};

/// Judges all files, together.
pub fn lint(files: &Files) -> Judgement {
    let mut judgement = Judgement::default();
    for (file, source) in files.iter() {
        judgement.extend(judge(file, source));
    }
    judgement.sort();
    judgement
}

/// What can be said about a file by itself.
fn judge(file: FileId, source: &Source) -> Judgement {
    match runner::read(file, source.text()) {
        Ok(configuration) => runner::judge(&configuration, source),
        Err(errors) => Judgement {
            errors,
            ..Judgement::default()
        },
    }
}
