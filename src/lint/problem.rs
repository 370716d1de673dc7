//! What is found in files: a finding of the catalogue with the place that brings it about.

use super::{
    secrets,
    source::{FileId, Place, Span},
};
use crate::reasons::Finding;

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

/// All that is said about files.
#[derive(Debug, Default)]
pub struct Judgement {
    pub problems: Vec<Problem>,
    pub remarks: Vec<Remark>,
    pub errors: Vec<SyntaxError>,
}

impl Judgement {
    pub fn extend(&mut self, other: Self) {
        self.problems.extend(other.problems);
        self.remarks.extend(other.remarks);
        self.errors.extend(other.errors);
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

    /// Hides tokens and passwords in what is quoted from the files, and what a terminal would
    /// obey.
    pub fn make_presentable(&mut self) {
        for problem in &mut self.problems {
            let finding = &mut problem.finding;
            let related = problem.related.iter_mut().map(|(_, label)| label);
            [&mut finding.cause, &mut finding.fix, &mut problem.label]
                .into_iter()
                .chain(related)
                .for_each(make_presentable);
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

fn make_presentable(text: &mut String) {
    let is_obeyed = |it: char| it.is_control() && it != '\n';
    *text = secrets::without_tokens(text).replace(is_obeyed, "\u{fffd}");
}
