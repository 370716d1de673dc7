//! `dind-init lint FILE…`: judges configuration before it is applied.

use std::{
    io::{self, Write},
    path::Path,
};

use crate::{
    commands::cli::USAGE,
    lint::{
        self,
        input::{self, STANDARD_INPUT},
        output::{self, Format},
        problem::{Judgement, SyntaxError},
        repair::{self, Repaired},
        source::Files,
    },
    reasons::Severity,
    system::atomic_file,
};

/// The exit status where something is found that breaks docker commands.
const FOUND: u8 = 1;
/// The exit status for a file that cannot be read.
const UNREADABLE: u8 = 2;

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Runners' config.toml, Helm values or .gitlab-ci.yml, told by what is in them and judged
    /// together; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// How the findings are written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Repair what can safely be repaired, and show what is changed
    #[arg(long)]
    fix: bool,
    /// Also fail on warnings
    #[arg(long, value_enum)]
    deny: Option<Deny>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum Deny {
    Warnings,
}

/// Prints what is wrong in the files. The status is 0 where nothing is, 1 for findings, 2 where a
/// file cannot be read or written.
pub fn lint(arguments: &Arguments) -> u8 {
    if arguments.fix && arguments.files.iter().any(|path| path == STANDARD_INPUT) {
        complain("--fix changes files: give it the name of one instead of `-`");
        return USAGE;
    }
    let mut files = Files::default();
    let paths = arguments.files.iter();
    let unreadable = paths.filter_map(|path| input::read(path, &mut files).err());
    let unreadable: Vec<SyntaxError> = unreadable.collect();
    let mut judgement = lint::lint(&mut files);
    let mut status = 0;
    if arguments.fix {
        let repaired = repair::repair(&files, judgement);
        status = write_changes(&files, &repaired, arguments.format);
        (files, judgement) = (repaired.files, repaired.judgement);
    }
    judgement.errors.extend(unreadable);
    let text = output::render(arguments.format, &judgement, &files);
    // Whoever closed stdout does not want to read it; the status says the same.
    let _ = io::stdout().write_all(text.as_bytes());
    status.max(exit_status(&judgement, arguments.deny))
}

fn exit_status(judgement: &Judgement, deny: Option<Deny>) -> u8 {
    if !judgement.errors.is_empty() {
        return UNREADABLE;
    }
    let mildest = match deny {
        Some(Deny::Warnings) => Severity::Warning,
        None => Severity::Error,
    };
    let mut problems = judgement.problems.iter();
    let is_found = problems.any(|problem| problem.finding.severity <= mildest);
    if is_found { FOUND } else { 0 }
}

/// Writes what was repaired, and shows it: beside the findings for people, apart from a report.
fn write_changes(files: &Files, repaired: &Repaired, format: Format) -> u8 {
    let mut status = 0;
    for (file, old) in files.given().iter() {
        let Some(diff) = repaired.diff(file, old) else {
            continue;
        };
        let new = repaired.files.get(file);
        if let Err(error) = atomic_file::update(Path::new(old.name()), new.text().as_bytes()) {
            complain(&format!("{}: {error}", old.name()));
            status = UNREADABLE;
            continue;
        }
        let _ = match format {
            Format::Text => io::stdout().write_all(diff.as_bytes()),
            Format::Json | Format::CodeQuality => io::stderr().write_all(diff.as_bytes()),
        };
    }
    status
}

fn complain(text: &str) {
    // A closed stderr is no reason to fail otherwise.
    let _ = writeln!(io::stderr(), "dind-init: {text}");
}
