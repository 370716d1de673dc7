//! A line for each finding, for editors and grep: `file:line:column: severity[ID] summary`.

use std::fmt::Write;

use super::name;
use crate::lint::{
    problem::Judgement,
    source::{Files, Place},
};

/// Findings, files that cannot be read, and, unless `quiet`, what was not looked at.
pub fn render(judgement: &Judgement, files: &Files, quiet: bool) -> String {
    let mut lines: Vec<(&Place, String)> = Vec::new();
    for error in &judgement.errors {
        lines.push((&error.place, format!("error: {}", error.message)));
    }
    for problem in &judgement.problems {
        let finding = &problem.finding;
        let (severity, reason) = (finding.severity, finding.reason);
        let words = format!("{severity}[{}] {}", reason.id, reason.summary);
        lines.push((&problem.place, words));
    }
    for remark in judgement.remarks.iter().filter(|_| !quiet) {
        lines.push((&remark.place, format!("note: {}", remark.message)));
    }
    lines.sort_by_key(|(place, _)| (place.file, place.span.start));
    let mut text = String::new();
    for (place, words) in lines {
        let position = files.position(place);
        // Writing into a String does not fail.
        let _ = writeln!(
            text,
            "{}:{}:{}: {}",
            name(place, files),
            position.line,
            position.column,
            words.replace('\n', " ")
        );
    }
    text
}
