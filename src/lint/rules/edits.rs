//! Changes of a `config.toml` that keep its comments and its look.

use std::path::Path;

use crate::lint::{
    model::runner::{Executor, Runner, Volume},
    problem::Edit,
    scene::OneRunner,
    source::{Place, Source},
};

/// The lines that mount an empty volume, for people to paste.
pub(super) fn empty_dir_lines(mount_path: &Path) -> String {
    format!(
        "    [[runners.kubernetes.volumes.empty_dir]]\n      name = \"{EMPTY_DIR_NAME}\"\n      \
         mount_path = \"{}\"\n      medium = \"Memory\"",
        mount_path.display()
    )
}

/// What to write so that jobs see the certificates, or a socket.
pub(super) fn sharing_fix(runner: &OneRunner<'_>, client: &Path) -> String {
    let file = runner.source.name();
    match runner.runner.executor {
        Executor::Kubernetes => format!(
            "in {file}, share an empty volume:\n{}",
            empty_dir_lines(client)
        ),
        _ => format!(
            "in {file}, below [runners.docker], share a volume:\n    volumes = [\"{}\", \
             \"/cache\"]",
            client.display()
        ),
    }
}

/// Mounts an empty volume, said before another volume's header; `None` where that one has none.
pub(super) fn empty_dir_before(
    volume: &Volume,
    mount_path: &Path,
    runner: &Runner,
    source: &Source,
) -> Option<Edit> {
    if !volume.has_header {
        return None;
    }
    let text = source.text();
    let header_line = line_start(text, volume.place.span.start);
    let header_indent = indent(&text[header_line..]);
    let key_indent = indent(&text[line_start(text, volume.mount_path.place.span.start)..]);
    let line_end = source.line_end();
    let start = above_comments(text, header_line);
    let lines = [
        format!("{header_indent}[[runners.kubernetes.volumes.empty_dir]]"),
        format!("{key_indent}name = \"{}\"", free_name(runner)),
        format!("{key_indent}mount_path = \"{}\"", mount_path.display()),
        format!("{key_indent}medium = \"Memory\""),
    ];
    let mut inserted = lines.map(|line| line + line_end).concat();
    if is_blank(line_before(text, start)) {
        inserted.push_str(line_end);
    }
    Some(Edit {
        span: start..start,
        text: inserted,
    })
}

/// A string, or a part of one, becomes another; `None` where that is not as simple as it sounds.
pub(super) fn replace_text(place: &Place, text: &str, source: &Source) -> Option<Edit> {
    let written = &source.text()[place.span.clone()];
    // What would need escaping is left to people.
    let is_plain = !text.contains(['"', '\'', '\\']) && !text.contains(char::is_control);
    let is_one_line = !written.starts_with("\"\"\"") && !written.starts_with("'''");
    let quote = match written.chars().next()? {
        quote @ ('"' | '\'') => quote.to_string(),
        _ => String::new(),
    };
    (is_plain && is_one_line).then(|| Edit {
        span: place.span.clone(),
        text: format!("{quote}{text}{quote}"),
    })
}

const EMPTY_DIR_NAME: &str = "docker-certs";

/// Names of volumes are unique in a pod.
fn free_name(runner: &Runner) -> String {
    let is_taken = |name: &str| runner.volumes.iter().any(|volume| volume.name == name);
    let numbered = (2..).map(|number| format!("{EMPTY_DIR_NAME}-{number}"));
    let mut names = std::iter::once(EMPTY_DIR_NAME.to_owned()).chain(numbered);
    names
        .find(|name| !is_taken(name))
        .unwrap_or_else(|| EMPTY_DIR_NAME.to_owned())
}

fn line_start(text: &str, offset: usize) -> usize {
    text[..offset].rfind('\n').map_or(0, |end| end + 1)
}

fn indent(line: &str) -> &str {
    let end = line.find(|it| it != ' ' && it != '\t').unwrap_or(0);
    &line[..end]
}

/// The beginning of the comments that stand directly above a line: they speak of it.
fn above_comments(text: &str, mut line: usize) -> usize {
    while line > 0 && line_before(text, line).trim_start().starts_with('#') {
        line = line_start(text, line - 1);
    }
    line
}

fn line_before(text: &str, line: usize) -> &str {
    match line {
        0 => "",
        line => &text[line_start(text, line - 1)..line - 1],
    }
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}
