//! Everything that is known about the findings, for programs.

use serde_json::{Value, json};

use super::name;
use crate::{
    lint::{
        problem::{Judgement, Problem},
        source::{Files, Place},
    },
    report::status,
};

/// Rises when something that a program may rely on changes; more fields are no such change.
const VERSION: u32 = 1;

/// As docs/lint.md describes it: an object with `findings`, each as in the status file and `check`'s report with its place
/// besides; `errors`, for files that cannot be read; and `remarks` on what was not looked at.
pub fn render(judgement: &Judgement, files: &Files) -> Value {
    let problems = judgement.problems.iter();
    let errors = judgement.errors.iter().map(|error| {
        json!({"message": error.message, "help": error.help, "at": place(&error.place, files)})
    });
    let remarks = judgement.remarks.iter().map(|remark| {
        json!({
            "message": remark.message,
            "label": remark.label,
            "at": place(&remark.place, files),
        })
    });
    let judged = &judgement.judged;
    let left_out = judged.left_out.iter();
    json!({
        "version": VERSION,
        "judged": {
            "files": files.count(),
            "runners": judged.runners,
            "jobs": judged.jobs,
            "not_judged": left_out.map(|it| {
                json!({"what": it.noun, "count": it.count, "because": it.because})
            }).collect::<Vec<_>>(),
        },
        "ignored": judgement.ignored,
        "findings": problems.map(|problem| finding(problem, files)).collect::<Vec<_>>(),
        "errors": errors.collect::<Vec<_>>(),
        "remarks": remarks.collect::<Vec<_>>(),
    })
}

fn finding(problem: &Problem, files: &Files) -> Value {
    let mut value = status::as_json(&problem.finding);
    let related = problem.related.iter();
    let related = related.map(|(at, label)| json!({"label": label, "at": place(at, files)}));
    value["at"] = place(&problem.place, files);
    value["label"] = json!(problem.label);
    value["related"] = related.collect();
    value["can_be_repaired"] = json!(problem.repair.is_some());
    value
}

/// Lines and columns count from 1, columns in characters, and the end is the first that does not
/// belong to it.
fn place(place: &Place, files: &Files) -> Value {
    let source = files.get(place.file);
    let (start, end) = (
        source.position(place.span.start),
        source.position(place.span.end),
    );
    json!({
        "file": name(place, files),
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
    })
}
