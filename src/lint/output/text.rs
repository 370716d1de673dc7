//! As rustc would: the place, the line with the span underlined, the cause, the fix.

use std::{collections::BTreeSet, io::IsTerminal};

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::{Options, summary::summary};
use crate::{
    lint::{
        problem::{Judgement, Problem, Remark, SyntaxError},
        secrets,
        source::{Files, Place, Source, Span},
    },
    reasons::Severity,
};

/// Everything, problems last: the end of the output is what stays on the screen.
pub fn render(judgement: &Judgement, files: &Files, options: &Options) -> String {
    let renderer = renderer(options.color);
    let remarks = judgement.remarks.iter().filter(|_| !options.quiet);
    let errors = judgement.errors.iter();
    let problems = judgement.problems.iter();
    let groups = remarks
        .map(|remark| remark_group(remark, files))
        .chain(errors.map(|error| error_group(error, files)))
        .chain(problems.map(|problem| problem_group(problem, files)));
    let mut text = String::new();
    for group in groups {
        text.push_str(&renderer.render(&[group]));
        text.push_str("\n\n");
    }
    if !options.quiet {
        text.push_str(&more(judgement));
        text.push_str(&summary(judgement, files));
    }
    text
}

/// Where the catalogue tells more.
fn more(judgement: &Judgement) -> String {
    let ids: BTreeSet<_> = judgement
        .problems
        .iter()
        .map(|it| it.finding.reason.id)
        .collect();
    let ids: Vec<_> = ids.into_iter().collect();
    match ids.as_slice() {
        [] => String::new(),
        [id] => format!("for more: dind-init explain {id}\n"),
        [id, ..] => format!("for more: dind-init explain ID, such as {id}\n"),
    }
}

/// When there are colors.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    Always,
    Never,
}

fn renderer(color: Color) -> Renderer {
    let wants_none = || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let has_colors = match color {
        Color::Auto => std::io::stdout().is_terminal() && !wants_none(),
        Color::Always => true,
        Color::Never => false,
    };
    if has_colors {
        Renderer::styled()
    } else {
        Renderer::plain()
    }
}

fn problem_group<'a>(problem: &'a Problem, files: &'a Files) -> Group<'a> {
    let finding = &problem.finding;
    let title = level(finding.severity)
        .primary_title(finding.reason.summary)
        .id(finding.reason.id);
    let mut group = title.element(excerpt(
        files,
        &problem.place,
        &problem.label,
        AnnotationKind::Primary,
    ));
    for (place, label) in &problem.related {
        group = group.element(excerpt(files, place, label, AnnotationKind::Context));
    }
    if !finding.cause.is_empty() {
        group = group.element(Level::NOTE.with_name("cause").message(&finding.cause));
    }
    if !finding.fix.is_empty() {
        group = group.element(Level::HELP.with_name("fix").message(&finding.fix));
    }
    group
}

fn error_group<'a>(error: &'a SyntaxError, files: &'a Files) -> Group<'a> {
    let group = Level::ERROR.primary_title(&error.message).element(excerpt(
        files,
        &error.place,
        "",
        AnnotationKind::Primary,
    ));
    match error.help.as_str() {
        "" => group,
        help => group.element(Level::HELP.with_name("fix").message(help)),
    }
}

fn remark_group<'a>(remark: &'a Remark, files: &'a Files) -> Group<'a> {
    Level::NOTE.primary_title(&remark.message).element(excerpt(
        files,
        &remark.place,
        &remark.label,
        AnnotationKind::Primary,
    ))
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Fatal => Level::ERROR.with_name("fatal"),
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    }
}

/// More is no help to anybody, and drawing it takes its time.
const LONGEST_EXCERPT: usize = 2000;

/// The lines of `place` alone, without what may be secret in them.
fn excerpt<'a>(
    files: &'a Files,
    place: &Place,
    label: &'a str,
    kind: AnnotationKind,
) -> Element<'a> {
    let source: &'a Source = files.get(place.file);
    let lines: Span = source.lines_of(&place.span);
    let position = source.position(place.span.start);
    if source.text().is_empty() {
        return Origin::path(source.name()).into();
    }
    if lines.len() > LONGEST_EXCERPT {
        return Origin::path(source.name())
            .line(position.line)
            .char_column(position.column)
            .into();
    }
    let (text, span) = shown(source.text(), lines, &place.span);
    let annotation = kind.span(span);
    Snippet::source(text)
        .path(source.name())
        .line_start(position.line)
        .annotation(match label {
            "" => annotation,
            label => annotation.label(label),
        })
        .into()
}

/// These lines as they may be printed, and where `span` is in that.
fn shown(text: &str, lines: Span, span: &Span) -> (String, Span) {
    let mut shown = String::new();
    let mut marked: Option<Span> = None;
    let mut start = lines.start;
    for (number, line) in text[lines].split('\n').enumerate() {
        if number > 0 {
            shown.push('\n');
        }
        let end = start + line.len();
        let masked = secrets::shown_line(text, start);
        let within = span.start.clamp(start, end) - start..span.end.clamp(start, end) - start;
        let is_marked = span.start <= end && (span.end > start || number == 0);
        if is_marked {
            let place = masked.place_of(within);
            let from = marked.map_or(shown.len() + place.start, |marked| marked.start);
            marked = Some(from..shown.len() + place.end);
        }
        shown.push_str(&masked.text);
        start = end + 1;
    }
    (shown, marked.unwrap_or(0..0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{lint::source::Source, reasons::certs};

    #[test]
    fn a_problem_is_told_with_its_place_its_line_its_cause_and_its_fix() {
        let mut files = Files::default();
        let text = "# runner\nmount_path = \"/certs/client\"\nname = \"x\"\n";
        let file = files.add(Source::new("config.toml", text));
        let start = text.find('"').unwrap();
        let judgement = Judgement {
            problems: vec![Problem::new(
                certs::READONLY.found("a Secret volume is always read-only.", "move it:\n    here"),
                Place::new(file, start..start + 15),
                "here",
            )],
            ..Judgement::default()
        };
        let text = render(&judgement, &files, &Options::default());
        for part in [
            "fatal[CERTS-READONLY]: the directory for the TLS certificates",
            "--> config.toml:2:14",
            "2 | mount_path = \"/certs/client\"",
            "^^^^^^^^^^^^^^^ here",
            "cause: a Secret volume is always",
            "fix: move it:",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(
            !text.contains("# runner") && !text.contains("name ="),
            "{text}"
        );
    }
}
