//! What can safely be repaired, repaired.

mod diff;

use std::collections::HashMap;

use self::diff::{Origins, diff};
use super::{
    lint_ignoring,
    problem::{Edit, Judgement, Problem, Repair},
    source::{FileId, Files, Source},
};
use crate::reasons::Reason;

/// The files as they are once everything is repaired that can be, and what is still to be said
/// about them.
#[derive(Debug)]
pub struct Repaired {
    pub files: Files,
    pub judgement: Judgement,
    /// Of those that are changed.
    origins: HashMap<FileId, Origins>,
}

impl Repaired {
    /// What has become of a file, in the form of `diff -u`, and without any secret; `None` where it
    /// stays as it is.
    pub fn diff(&self, file: FileId, old: &Source) -> Option<String> {
        let origins = self.origins.get(&file)?;
        Some(diff(old, self.files.get(file), origins))
    }
}

/// Repairs `files`, about which `judgement` was passed. One repair may do away with the need for
/// another, so that after each round everything is judged anew.
pub fn repair(files: &Files, judgement: Judgement, ignored: &[&'static Reason]) -> Repaired {
    let mut repaired = Repaired {
        files: files.given(),
        judgement,
        origins: HashMap::new(),
    };
    loop {
        let before = repairable(&repaired.judgement).count();
        let repairs = one_for_each_part(&repaired.judgement);
        if repairs.is_empty() {
            return repaired;
        }
        let mut next = repaired.files.given();
        let mut origins = repaired.origins.clone();
        for (file, source) in repaired.files.given().iter() {
            let mut of_file = repairs
                .iter()
                .filter(|repair| repair.file == file)
                .peekable();
            if of_file.peek().is_some() {
                let edits = edits(of_file);
                let text = apply(source, &edits);
                let before = origins.remove(&file);
                let before = before.unwrap_or_else(|| Origins::of_unchanged(source.text()));
                origins.insert(file, before.after(&edits, source.text(), &text));
                next.replace(file, Source::new(source.name(), text));
            }
        }
        let judgement = lint_ignoring(&mut next, ignored);
        // Fewer each time, so that this ends; and a file that can be read stays one.
        let is_better = repairable(&judgement).count() < before
            && judgement.errors.len() <= repaired.judgement.errors.len();
        if !is_better {
            return repaired;
        }
        repaired = Repaired {
            files: next,
            judgement,
            origins,
        };
    }
}

fn repairable(judgement: &Judgement) -> impl Iterator<Item = &Repair> {
    let problems = judgement.problems.iter();
    problems.filter_map(|problem: &Problem| problem.repair.as_ref())
}

/// The first of each part of a file.
fn one_for_each_part(judgement: &Judgement) -> Vec<&Repair> {
    let mut chosen: Vec<&Repair> = Vec::new();
    let mut parts = std::collections::HashSet::<(FileId, usize)>::new();
    for repair in repairable(judgement) {
        if parts.insert((repair.file, repair.part)) {
            chosen.push(repair);
        }
    }
    chosen
}

/// In the order of the text. They do not overlap: they are in different parts.
fn edits<'a>(repairs: impl Iterator<Item = &'a &'a Repair>) -> Vec<&'a Edit> {
    let mut edits: Vec<_> = repairs.flat_map(|repair| &repair.edits).collect();
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    edits
}

fn apply(source: &Source, edits: &[&Edit]) -> String {
    let mut text = String::with_capacity(source.text().len());
    let mut done = 0;
    for edit in edits {
        text.push_str(&source.text()[done..edit.span.start.max(done)]);
        text.push_str(&edit.text);
        done = edit.span.end.max(done);
    }
    text.push_str(&source.text()[done..]);
    text
}

#[cfg(test)]
mod tests;
