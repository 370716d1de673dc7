//! Text that lies within a scalar of another file: a runner's TOML in Helm's values.
//!
//! It is judged as a file of its own; what is said about it is then told of the file that people
//! have.

use std::rc::Rc;

use super::{
    problem::{Edit, Judgement, Repair},
    source::{FileId, Files, Place, Source},
    yaml::{Scalar, Style},
};

/// Where the text is.
#[derive(Clone, Debug)]
pub struct Embedding {
    pub host: FileId,
    pub scalar: Rc<Scalar>,
}

/// Tells everything of the files that were given.
pub fn lift(judgement: &mut Judgement, files: &Files) {
    for problem in &mut judgement.problems {
        lift_place(&mut problem.place, files);
        for (place, _) in &mut problem.related {
            lift_place(place, files);
        }
        problem.repair = problem
            .repair
            .take()
            .and_then(|repair| lift_repair(repair, files));
    }
    for remark in &mut judgement.remarks {
        lift_place(&mut remark.place, files);
    }
    for error in &mut judgement.errors {
        lift_place(&mut error.place, files);
    }
}

fn lift_place(place: &mut Place, files: &Files) {
    if let Some(embedding) = files.get(place.file).embedding() {
        place.span = embedding.scalar.place_of(place.span.clone());
        place.file = embedding.host;
    }
}

/// `None` where the text is not written line by line as it is.
fn lift_repair(repair: Repair, files: &Files) -> Option<Repair> {
    let Some(embedding) = files.get(repair.file).embedding() else {
        return Some(repair);
    };
    let scalar = &embedding.scalar;
    if scalar.style != Style::Literal || !scalar.is_verbatim() {
        return None;
    }
    let host = files.get(embedding.host);
    let edits = repair.edits.into_iter().map(|edit| {
        let span = scalar.place_of(edit.span);
        Edit {
            text: indented(&edit.text, span.start, host),
            span,
        }
    });
    Some(Repair {
        file: embedding.host,
        part: scalar.place_of(repair.part..repair.part).start,
        edits: edits.collect(),
    })
}

/// With the indentation of the line at `offset` after each line's end.
fn indented(text: &str, offset: usize, host: &Source) -> String {
    let before = &host.text()[..offset];
    let line = &before[before.rfind('\n').map_or(0, |end| end + 1)..];
    let indentation = match line.trim_start_matches(' ') {
        "" => line,
        written => &line[..line.len() - written.len()],
    };
    let line_end = host.line_end();
    let lines: Vec<&str> = text.split('\n').collect();
    let mut indented = String::new();
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            indented.push_str(line_end);
            // What follows the last line's end is the rest of the line that was there.
            let is_last = index + 1 == lines.len();
            indented.push_str(if is_last || !line.is_empty() {
                indentation
            } else {
                ""
            });
        }
        indented.push_str(line);
    }
    indented
}
