//! `dind-init lint FILE…`: judges configuration before it is applied.

use std::{
    fmt, fs,
    io::{self, Read, Write},
    path::Path,
};

use crate::{
    lint::{
        self,
        output::text,
        problem::Judgement,
        source::{Files, Source},
    },
    reasons::Severity,
};

/// The exit status where something is found that breaks docker commands.
const FOUND: u8 = 1;
/// The exit status for a file that cannot be read.
const UNREADABLE: u8 = 2;

/// The name that means standard input.
const STANDARD_INPUT: &str = "-";

/// Prints what is wrong in the files. The status is 0 where nothing is, 1 for findings, 2 where a
/// file cannot be read.
pub fn lint(paths: &[String]) -> u8 {
    let mut files = Files::default();
    let mut status = 0;
    for path in paths {
        match read(path) {
            Ok(source) => {
                files.add(source);
            }
            Err(error) => {
                // A closed stderr is no reason to fail otherwise.
                let _ = writeln!(io::stderr(), "dind-init: {error}");
                status = UNREADABLE;
            }
        }
    }
    let judgement = lint::lint(&mut files);
    let text = text::render(&judgement, &files, &text::renderer());
    // Whoever closed stdout does not want to read it; the status says the same.
    let _ = io::stdout().write_all(text.as_bytes());
    status.max(exit_status(&judgement))
}

fn exit_status(judgement: &Judgement) -> u8 {
    if !judgement.errors.is_empty() {
        return UNREADABLE;
    }
    let worst = judgement.problems.iter();
    match worst.map(|problem| problem.finding.severity).min() {
        Some(Severity::Fatal | Severity::Error) => FOUND,
        _ => 0,
    }
}

fn read(path: &str) -> Result<Source, Unreadable> {
    let failed = |error| Unreadable {
        path: path.to_owned(),
        error,
    };
    let bytes = match path {
        STANDARD_INPUT => {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes).map(|_| bytes)
        }
        path => fs::read(Path::new(path)),
    }
    .map_err(failed)?;
    let text = String::from_utf8(bytes)
        .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidData, error)))?;
    Ok(Source::new(path, text))
}

/// A file that could not be read at all.
#[derive(Debug)]
struct Unreadable {
    path: String,
    error: io::Error,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.error)
    }
}
