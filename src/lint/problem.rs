//! What is found in files: a finding of the catalogue with the place that brings it about.

use std::collections::{HashMap, HashSet};

use super::{
    judged::Judged,
    secrets,
    source::{FileId, Files, Place, Span},
};
use crate::reasons::{Finding, Severity};

/// A finding, and where.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Its cause and fix speak of the file; the reason, id and severity are those of run time.
    pub finding: Finding,
    /// What is underlined: no more than what is wrong.
    pub place: Place,
    /// A few words below the underlined text; may be empty.
    pub label: String,
    /// Other places that one has to see to understand it, each with its label.
    pub related: Vec<(Place, String)>,
    /// What mends it, where that is safe. All of them or none.
    pub repair: Option<Repair>,
}

impl Problem {
    pub fn new(finding: Finding, place: Place, label: impl Into<String>) -> Self {
        Self {
            finding,
            place,
            label: label.into(),
            related: Vec::new(),
            repair: None,
        }
    }

    pub fn with_related(mut self, place: Place, label: impl Into<String>) -> Self {
        self.related.push((place, label.into()));
        self
    }

    /// More of the places that it is about, up to what somebody would look at.
    pub fn add_related(&mut self, related: Vec<(Place, String)>) {
        for place in related {
            let is_new = self.related.iter().all(|(known, _)| *known != place.0);
            if is_new && self.related.len() <= MAXIMAL_RELATED {
                self.related.push(place);
            }
        }
    }

    pub fn with_repair(mut self, repair: Repair) -> Self {
        self.repair = Some(repair);
        self
    }
}

/// Changes of one file that belong together.
#[derive(Clone, Debug)]
pub struct Repair {
    pub file: FileId,
    /// Where the part of the file begins that it belongs to, such as a runner: two repairs of one
    /// part may be in each other's way, and are made one after the other.
    pub part: usize,
    pub edits: Vec<Edit>,
}

/// Other text in place of a span; an empty span inserts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Edit {
    pub span: Span,
    pub text: String,
}

/// What cannot be judged, or was left out of account: said, so that silence is no promise.
#[derive(Clone, Debug)]
pub struct Remark {
    pub message: String,
    pub place: Place,
    pub label: String,
}

/// A file that cannot be read as what it is.
#[derive(Clone, Debug)]
pub struct SyntaxError {
    /// Never quotes the file: what it says is printed as it is.
    pub message: String,
    pub place: Place,
    /// What to do; may be empty.
    pub help: String,
}

const MAXIMAL_PROBLEMS: usize = 1000;
/// Of the places of one problem.
const MAXIMAL_RELATED: usize = 10;

/// All that is said about files.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    pub problems: Vec<Problem>,
    pub remarks: Vec<Remark>,
    pub errors: Vec<SyntaxError>,
    /// How many problems somebody has said to ignore.
    pub ignored: usize,
    pub judged: Judged,
}

impl Judgement {
    pub fn extend(&mut self, other: Self) {
        self.problems.extend(other.problems);
        self.remarks.extend(other.remarks);
        self.errors.extend(other.errors);
    }

    /// One problem for one cause: several places that have the same reason, fix and culprit are
    /// one problem with more places. Those that can be repaired are repaired one by one.
    pub fn merge(&mut self) {
        let mut merged: Vec<Problem> = Vec::new();
        let mut seen: HashMap<(&str, Severity, String, Place), (usize, usize)> = HashMap::new();
        for problem in std::mem::take(&mut self.problems) {
            let culprit = problem.related.first();
            let Some((culprit, _)) = culprit.filter(|_| problem.repair.is_none()) else {
                merged.push(problem);
                continue;
            };
            let finding = &problem.finding;
            let (id, severity) = (finding.reason.id, finding.severity);
            let key = (id, severity, finding.fix.clone(), culprit.clone());
            let Some((index, count)) = seen.get_mut(&key) else {
                seen.insert(key, (merged.len(), 0));
                merged.push(problem);
                continue;
            };
            *count += 1;
            if *count <= MAXIMAL_RELATED {
                let also = (problem.place, "and here".to_owned());
                merged[*index].related.push(also);
            }
        }
        for (index, count) in seen.into_values() {
            let more = count.saturating_sub(MAXIMAL_RELATED);
            if let Some((_, label)) = merged[index].related.last_mut().filter(|_| more > 0) {
                *label = format!("and here, and at {more} more");
            }
        }
        self.problems = merged;
    }

    /// Leaves out what nobody would read to the end, and says so.
    pub fn truncate(&mut self) {
        if let Some(first) = self.problems.get(MAXIMAL_PROBLEMS) {
            self.remarks.push(Remark {
                message: format!(
                    "only the first {MAXIMAL_PROBLEMS} of {} findings are told",
                    self.problems.len()
                ),
                place: first.place.clone(),
                label: "from here on".into(),
            });
            self.problems.truncate(MAXIMAL_PROBLEMS);
        }
    }

    /// Hides in what is quoted from the files what the excerpts do not show, tokens, and what a
    /// terminal would obey.
    pub fn make_presentable(&mut self, files: &Files) {
        let mut variables = HashSet::new();
        if !self.problems.is_empty() {
            let texts = files.iter().map(|(_, source)| source.text());
            variables.extend(texts.flat_map(secrets::hidden_variables));
        }
        for problem in &mut self.problems {
            let related = problem.related.iter().map(|(place, _)| place);
            let places = std::iter::once(&problem.place).chain(related);
            let hidden: Vec<&str> = places.flat_map(|place| hidden_at(place, files)).collect();
            let finding = &mut problem.finding;
            let related = problem.related.iter_mut().map(|(_, label)| label);
            [&mut finding.cause, &mut finding.fix, &mut problem.label]
                .into_iter()
                .chain(related)
                .for_each(|text| {
                    for value in &hidden {
                        if text.contains(value) {
                            *text = text.replace(value, "…");
                        }
                    }
                    *text = secrets::without_values(text, &variables);
                    make_presentable(text);
                });
        }
        for remark in &mut self.remarks {
            make_presentable(&mut remark.message);
            make_presentable(&mut remark.label);
        }
    }

    /// Orders everything by its place.
    pub fn sort(&mut self) {
        let key = |place: &Place| (place.file, place.span.start);
        self.problems.sort_by_key(|problem| key(&problem.place));
        self.remarks.sort_by_key(|remark| key(&remark.place));
        self.errors.sort_by_key(|error| key(&error.place));
    }
}

/// Longer ones are not shown at all.
const LONGEST_LINES: usize = 2000;

fn hidden_at<'a>(place: &Place, files: &'a Files) -> Vec<&'a str> {
    let source = files.get(place.file);
    let lines = source.lines_of(&place.span);
    if lines.len() > LONGEST_LINES {
        return vec![&source.text()[place.span.clone()]];
    }
    secrets::hidden_values(source.text(), lines)
}

fn make_presentable(text: &mut String) {
    let is_obeyed = |it: char| it.is_control() && it != '\n';
    *text = secrets::without_tokens(text).replace(is_obeyed, "\u{fffd}");
}
