//! `dind-init lint [FILE|DIRECTORY]…`: judges configuration before it is applied.

use std::{
    env,
    io::{self, Write},
    path::Path,
};

use crate::{
    commands::cli::USAGE,
    lint::{
        checks, discovery,
        input::{self, STANDARD_INPUT},
        lint_ignoring,
        output::{self, Color, Format, Options},
        problem::{Judgement, SyntaxError},
        repair::{self, Repaired},
        source::{FileId, Files, Place},
    },
    reasons::{Reason, Severity},
    system::atomic_file,
};

/// The exit status where something is found that breaks docker commands.
const FOUND: u8 = 1;
/// The exit status for a file that cannot be read or written.
const UNREADABLE: u8 = 2;

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Runners' config.toml, Helm values or .gitlab-ci.yml, told by what is in them and judged
    /// together; `-` is standard input
    ///
    /// A directory stands for its .gitlab-ci.yml, what that includes of the project, and the files
    /// below runners/; one that has neither, for all files that end in .toml, .yml or .yaml. Without
    /// any, it is the directory that one is in.
    #[arg(value_name = "FILE")]
    files: Vec<String>,
    /// How the findings are written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Repair what can safely be repaired, and show what is changed
    #[arg(long, conflicts_with = "diff")]
    fix: bool,
    /// Show what --fix would change, and change nothing; the exit status is 1 if there is anything
    #[arg(long)]
    diff: bool,
    /// Also fail on warnings
    #[arg(long, value_enum)]
    deny: Option<Deny>,
    /// Pass over a check; may be given several times
    #[arg(long, value_name = "ID", value_parser = checks::parse)]
    ignore: Vec<&'static Reason>,
    /// Findings alone: no notes, and no last line
    #[arg(long)]
    quiet: bool,
    /// When there are colors
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
    /// Exit with 0 whatever is found; only a file that cannot be read still fails
    #[arg(long)]
    exit_zero: bool,
    /// List the checks
    #[arg(long)]
    list: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum Deny {
    Warnings,
}

/// Prints what is wrong in the files. The status is 0 where nothing is, 1 for findings, 2 where a
/// file cannot be read or written.
pub fn lint(arguments: &Arguments) -> u8 {
    if arguments.list {
        print(&checks::list());
        return 0;
    }
    let names = match discovery::files(&arguments.files) {
        Ok(names) => names,
        Err(message) => return refuse(&message),
    };
    if arguments.fix && names.iter().any(|name| name == STANDARD_INPUT) {
        return refuse("--fix changes files: give it the name of one instead of `-`");
    }
    let mut files = Files::default();
    let unreadable = names.iter();
    let unreadable = unreadable.filter_map(|name| input::read(name, &mut files).err());
    let unreadable: Vec<SyntaxError> = unreadable.collect();
    let mut judgement = lint_ignoring(&mut files, &arguments.ignore);
    let mut status = 0;
    if arguments.fix || arguments.diff {
        let repaired = repair::repair(&files, judgement.clone(), &arguments.ignore);
        if arguments.fix {
            (files, judgement) = write_changes(&files, repaired, arguments);
        } else if show_changes(&files, &repaired, arguments.format) {
            status = FOUND;
        }
    }
    judgement.errors.extend(unreadable);
    let options = Options {
        format: arguments.format,
        color: arguments.color,
        quiet: arguments.quiet,
        root: env::current_dir().unwrap_or_default(),
    };
    print(&output::render(&options, &judgement, &files));
    let status = status.max(exit_status(&judgement, arguments.deny));
    match status {
        FOUND if arguments.exit_zero => 0,
        status => status,
    }
}

fn exit_status(judgement: &Judgement, deny: Option<Deny>) -> u8 {
    if !judgement.errors.is_empty() {
        return UNREADABLE;
    }
    let mut problems = judgement.problems.iter();
    let is_found = problems.any(|problem| match deny {
        Some(Deny::Warnings) => problem.finding.severity <= Severity::Warning,
        None => problem.finding.severity.breaks(),
    });
    if is_found { FOUND } else { 0 }
}

/// Writes what was repaired, and judges what is then there: a file that cannot be written stays as
/// it is, with all that is wrong with it.
fn write_changes(files: &Files, repaired: Repaired, arguments: &Arguments) -> (Files, Judgement) {
    let mut failed: Vec<(FileId, io::Error)> = Vec::new();
    for (file, old) in files.given().iter() {
        let Some(diff) = repaired.diff(file, old) else {
            continue;
        };
        let new = repaired.files.get(file).text().as_bytes();
        match atomic_file::update(Path::new(old.name()), new) {
            Ok(()) => show(&diff, arguments.format),
            Err(error) => failed.push((file, error)),
        }
    }
    if failed.is_empty() {
        return (repaired.files, repaired.judgement);
    }
    let mut files_now = repaired.files.given();
    for (file, _) in &failed {
        files_now.replace(*file, files.get(*file).clone());
    }
    let mut judgement = lint_ignoring(&mut files_now, &arguments.ignore);
    let errors = failed.into_iter().map(|(file, error)| SyntaxError {
        message: format!("this cannot be written: {error}"),
        place: Place::new(file, 0..0),
        help: "it is as it was: --diff shows what is to be changed".to_owned(),
    });
    judgement.errors.extend(errors);
    (files_now, judgement)
}

/// Shows what would be repaired, and whether anything would be.
fn show_changes(files: &Files, repaired: &Repaired, format: Format) -> bool {
    let mut has_changes = false;
    for (file, old) in files.given().iter() {
        if let Some(diff) = repaired.diff(file, old) {
            show(&diff, format);
            has_changes = true;
        }
    }
    has_changes
}

/// Beside the findings for people, apart from a report.
fn show(diff: &str, format: Format) {
    match format {
        Format::Text => print(diff),
        // A closed stderr is no reason to fail otherwise.
        _ => drop(io::stderr().write_all(diff.as_bytes())),
    }
}

fn print(text: &str) {
    // Whoever closed stdout does not want to read it; the status says the same.
    let _ = io::stdout().write_all(text.as_bytes());
}

fn refuse(text: &str) -> u8 {
    // A closed stderr is no reason to fail otherwise.
    let _ = writeln!(io::stderr(), "dind-init: {text}");
    USAGE
}
