//! What can safely be repaired, repaired.

use similar::TextDiff;

use super::{
    lint,
    problem::{Judgement, Problem, Repair},
    secrets,
    source::{FileId, Files, Source},
};

/// How many lines of context a diff has.
const CONTEXT: usize = 3;

/// The files as they are once everything is repaired that can be, and what is still to be said
/// about them.
#[derive(Debug)]
pub struct Repaired {
    pub files: Files,
    pub judgement: Judgement,
}

/// Repairs `files`, about which `judgement` was passed. One repair may do away with the need for
/// another, so that after each round everything is judged anew.
pub fn repair(files: &Files, judgement: Judgement) -> Repaired {
    let mut repaired = Repaired {
        files: files.given(),
        judgement,
    };
    loop {
        let before = repairable(&repaired.judgement).count();
        let repairs = one_for_each_part(&repaired.judgement);
        if repairs.is_empty() {
            return repaired;
        }
        let mut next = repaired.files.given();
        for (file, source) in repaired.files.given().iter() {
            let mut of_file = repairs
                .iter()
                .filter(|repair| repair.file == file)
                .peekable();
            if of_file.peek().is_some() {
                next.replace(file, Source::new(source.name(), apply(source, of_file)));
            }
        }
        let judgement = lint(&mut next);
        // Fewer each time, so that this ends; and a file that can be read stays one.
        let is_better = repairable(&judgement).count() < before
            && judgement.errors.len() <= repaired.judgement.errors.len();
        if !is_better {
            return repaired;
        }
        repaired = Repaired {
            files: next,
            judgement,
        };
    }
}

/// What `new` changes, in the form of `diff -u`, without any secret.
pub fn diff(old: &Source, new: &Source) -> String {
    let (before, after) = (secrets::masked(old.text()), secrets::masked(new.text()));
    TextDiff::from_lines(before.as_str(), after.as_str())
        .unified_diff()
        .context_radius(CONTEXT)
        .header(old.name(), new.name())
        .to_string()
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

/// The text with these changes, which do not overlap: they are in different parts.
fn apply<'a>(source: &Source, repairs: impl Iterator<Item = &'a &'a Repair>) -> String {
    let mut edits: Vec<_> = repairs.flat_map(|repair| &repair.edits).collect();
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
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
