//! What the chart's templates will fill in, put out of the TOML's way.

/// The same text with `{{ … }}` replaced by something of the same length that TOML can read: the
/// chart evaluates `runners.config` as a template, and its own default has them.
///
/// Alone on a line it becomes nothing, between quotes a word, and elsewhere a string.
pub fn blanked(text: &str) -> String {
    let mut blanked = String::with_capacity(text.len());
    let mut line = Line::default();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let Some(length) = rest[start..].find("}}") else {
            break;
        };
        let (before, action) = rest[..start + length + 2].split_at(start);
        rest = &rest[before.len() + action.len()..];
        blanked.push_str(before);
        line.go_on(before);
        let stand_in = if line.quote.is_some() {
            fill(action, "_")
        } else if line.is_blank && is_end_of_line(rest) {
            fill(action, " ")
        } else {
            format!("\"{}\"", fill(&action[1..action.len() - 1], "_"))
        };
        line.go_on(&stand_in);
        blanked.push_str(&stand_in);
    }
    blanked.push_str(rest);
    blanked
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
            ("a = \"{{.Release.Name}}\"", "a = \"_________________\""),
            (
                "a = \"x-{{ .A | default \"y\" }}\"",
                "a = \"x-______________________\"",
            ),
            ("a = {{ .Values.a }}\n", "a = \"_____________\"\n"),
            (
                "{{- if .A }}\na = 1\n  {{ end }}",
                "            \na = 1\n           ",
            ),
            ("{{ range\n .é }}", "        \n       "),
            ("# '\na = {{ b }}", "# '\na = \"_____\""),
            ("a = {b = {c = 1}}", "a = {b = {c = 1}}"),
            ("a = \"{{ never closed\"", "a = \"{{ never closed\""),
        ] {
            let blanked = blanked(text);
            assert_eq!(blanked, expected);
            assert_eq!(blanked.len(), text.len());
        }
    }
}
