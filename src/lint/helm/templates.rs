//! What the chart's templates will fill in, put out of the TOML's way.

use crate::lint::source::Span;

/// A text with its templates put out of the way, and what is therefore not known.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    /// Of the same length, line by line.
    pub text: String,
    /// The values that a template is to give, each a string here.
    values: Vec<Span>,
    /// The first template that may add any line.
    pub lines: Option<Span>,
}

impl Templates {
    /// Replaces every `{{ … }}`: the chart evaluates `runners.config` as a template, and its own
    /// default has them.
    ///
    /// Alone on a line it becomes nothing, with all that depends on it; between quotes a variable
    /// that nobody knows; and elsewhere a string of such a variable.
    pub fn blank(text: &str) -> Self {
        let mut blanked = Self {
            text: String::with_capacity(text.len()),
            ..Self::default()
        };
        let mut line = Line::default();
        let mut rest = text;
        while let Some(before) = rest.find("{{") {
            let Some(action) = Action::at(&rest[before..]) else {
                break;
            };
            let start = blanked.text.len() + before;
            line.go_on(&rest[..before]);
            blanked.text.push_str(&rest[..before]);
            rest = &rest[before..];
            let is_in_string = line.quote.is_some();
            let mut length = action.length;
            if action.kind == Kind::Opens && !is_in_string {
                length = block_length(rest).unwrap_or(length);
            }
            let (replaced, after) = rest.split_at(length);
            let stand_in = if is_in_string || line.is_comment {
                variable(replaced)
            } else if line.is_blank && is_end_of_line(after) {
                if action.kind != Kind::Says {
                    blanked.lines.get_or_insert(start..start + action.length);
                }
                fill(replaced, " ")
            } else {
                blanked.values.push(start..start + length);
                format!("\"{}\"", variable(&replaced[1..length - 1]))
            };
            line.go_on(&stand_in);
            blanked.text.push_str(&stand_in);
            rest = after;
        }
        blanked.text.push_str(rest);
        blanked
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_none() && self.values.is_empty()
    }

    /// Whether a value is one that a template gives.
    pub fn give(&self, value: &Span) -> bool {
        self.values.contains(value)
    }
}

/// `{{ … }}`, by its first word.
struct Action {
    kind: Kind,
    length: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// What is between it and its `end` may be there, or not, or several times.
    Opens,
    Ends,
    /// Comments and assignments, which print nothing.
    Says,
    Prints,
}

impl Action {
    /// With which `text` begins; `None` where it is never closed.
    fn at(text: &str) -> Option<Self> {
        let end = text.find("}}")?;
        let inner = text[2..end].trim_start_matches('-').trim_start();
        let word = inner.split_whitespace().next().unwrap_or_default();
        let kind = match word {
            "if" | "with" | "range" | "block" | "define" => Kind::Opens,
            "end" => Kind::Ends,
            word if word.starts_with("/*") => Kind::Says,
            word if word.starts_with('$') && inner.contains('=') => Kind::Says,
            _ => Kind::Prints,
        };
        Some(Self {
            kind,
            length: end + 2,
        })
    }
}

/// From an action that opens to the end of that which closes it.
fn block_length(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        at += text[at..].find("{{")?;
        let action = Action::at(&text[at..])?;
        at += action.length;
        match action.kind {
            Kind::Opens => depth += 1,
            Kind::Ends if depth <= 1 => return Some(at),
            Kind::Ends => depth -= 1,
            Kind::Says | Kind::Prints => {}
        }
    }
}

/// What has been seen of the current line.
struct Line {
    /// The string that is open.
    quote: Option<char>,
    is_blank: bool,
    is_comment: bool,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            quote: None,
            is_blank: true,
            is_comment: false,
        }
    }
}

impl Line {
    fn go_on(&mut self, text: &str) {
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match (self.quote, character) {
                (_, '\n') => *self = Self::default(),
                _ if self.is_comment => {}
                (Some('"'), '\\') => {
                    characters.next();
                }
                (Some(quote), character) if quote == character => self.quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => {
                    self.quote = Some(character);
                    self.is_blank = false;
                }
                (None, '#') => self.is_comment = true,
                (None, character) => self.is_blank &= character.is_whitespace(),
            }
        }
    }
}

fn is_end_of_line(rest: &str) -> bool {
    let next = rest.find(|it: char| !matches!(it, ' ' | '\t' | '\r'));
    next.is_none_or(|next| rest[next..].starts_with('\n'))
}

/// A reference to a variable that is set nowhere, so that what holds it is known to be unknown. It
/// stays on one line.
fn variable(replaced: &str) -> String {
    match replaced.contains('\n') {
        true => fill(replaced, " "),
        false => format!("${}", "_".repeat(replaced.len().saturating_sub(1))),
    }
}

/// As many bytes, with the lines' ends where they are.
fn fill(action: &str, with: &str) -> String {
    let bytes = action.bytes();
    bytes
        .map(|byte| if byte == b'\n' { "\n" } else { with })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_later_becomes_something_that_can_be_read() {
        for (text, expected) in [
            ("a = \"{{.Release.Name}}\"", "a = \"$________________\""),
            (
                "a = \"x-{{ .A | default \"y\" }}\"",
                "a = \"x-$_____________________\"",
            ),
            ("a = {{ .Values.a }}\n", "a = \"$____________\"\n"),
            ("{{ range\n .é }}", "        \n       "),
            ("# '\na = {{ b }}", "# '\na = \"$____\""),
            ("a = {b = {c = 1}}", "a = {b = {c = 1}}"),
            ("a = \"{{ never closed\"", "a = \"{{ never closed\""),
        ] {
            let blanked = Templates::blank(text);
            assert_eq!(blanked.text, expected);
            assert_eq!(blanked.text.len(), text.len());
        }
    }

    #[test]
    fn what_depends_on_a_template_is_not_known() {
        for (block, after) in [
            ("{{- if .A }}\na = 1\n  {{ end }}", "\nb = 1"),
            (
                "{{ if .A }}\n{{ if .B }}{{ end }}a = 1\n{{ else }}\na = 2\n{{ end }}",
                "",
            ),
        ] {
            let blanked = Templates::blank(&format!("{block}{after}"));
            assert_eq!(blanked.text, fill(block, " ") + after, "{block}");
        }
        let value = "{{ if .A }}1{{ else }}2{{ end }}";
        let blanked = Templates::blank(&format!("a = {value}"));
        let stand_in = format!("\"${}\"", "_".repeat(value.len() - 3));
        assert_eq!(blanked.text, format!("a = {stand_in}"));
        assert!(blanked.give(&(4..4 + value.len())));
    }

    #[test]
    fn a_line_may_be_added_where_a_template_stands_alone() {
        for (text, is_added) in [
            ("{{- toYaml .Values.volumes | nindent 8 }}", true),
            ("{{ if .A }}\na = 1\n{{ end }}", true),
            ("a = \"{{ .A }}\"\nb = {{ .B }}", false),
            ("{{/* a remark */}}\n{{ $a := .B }}", false),
        ] {
            assert_eq!(Templates::blank(text).lines.is_some(), is_added, "{text}");
        }
    }
}
