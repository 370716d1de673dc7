//! The commands of a shell script, as far as they can be told apart without a shell.

/// The simple commands of a script: what is quoted, a comment, or a document for another program
/// (`ssh host <<EOF`) is no command of its own.
pub fn commands(script: &str) -> Vec<Command<'_>> {
    let mut reader = Reader {
        script,
        at: 0,
        documents: Vec::new(),
    };
    let mut commands = Vec::new();
    let mut joined_by = "";
    while reader.at < script.len() {
        let start = reader.at;
        let end = reader.end_of_command();
        let text = script[start..end].trim();
        if !text.is_empty() {
            commands.push(Command {
                text,
                is_fallback: joined_by == "||",
            });
        }
        joined_by = &script[end..reader.at];
        if joined_by == "\n" {
            reader.pass_over_documents();
        }
    }
    commands
}

/// One of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Command<'a> {
    pub text: &'a str,
    /// It runs only where the one before it fails.
    pub is_fallback: bool,
}

struct Reader<'a> {
    script: &'a str,
    at: usize,
    /// The words that end the documents which begin at the next line.
    documents: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    /// Stops behind the operator that ends it, and gives where the command ends.
    fn end_of_command(&mut self) -> usize {
        let mut quote = None;
        let mut is_word = false;
        while let Some(c) = self.peek() {
            let start = self.at;
            self.at += c.len_utf8();
            match (quote, c) {
                (Some('"') | None, '\\') => self.at += self.peek().map_or(0, char::len_utf8),
                (Some(open), _) if c == open => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(c),
                (None, '#') if !is_word => self.pass_over_line(),
                (None, '<') if self.rest().starts_with('<') => self.note_document(),
                (None, '&' | '|') => {
                    if self.rest().starts_with(c) {
                        self.at += 1;
                    }
                    return start;
                }
                (None, ';' | '(' | ')' | '\n') => return start,
                _ => {}
            }
            is_word = quote.is_some() || !c.is_whitespace();
        }
        self.at
    }

    /// `<<EOF`, `<<-'EOF'`; `<<<` has its text in the line.
    fn note_document(&mut self) {
        self.at += 1;
        let rest = self.rest();
        if rest.starts_with('<') {
            self.at += 1;
            return;
        }
        let word = rest.trim_start_matches(['-', ' ', '"', '\'', '\\']);
        let is_end = |c: char| c.is_whitespace() || "\"';&|)".contains(c);
        let word = &word[..word.find(is_end).unwrap_or(word.len())];
        if !word.is_empty() {
            self.documents.push(word);
        }
        self.at += rest.find(word).unwrap_or_default() + word.len();
        // What is left of the quotes.
        let closing = self.rest().starts_with(['"', '\'']);
        self.at += usize::from(closing);
    }

    fn pass_over_documents(&mut self) {
        for word in std::mem::take(&mut self.documents) {
            while self.at < self.script.len() {
                let line = self.rest().lines().next().unwrap_or_default();
                self.pass_over_line();
                self.at += usize::from(self.rest().starts_with('\n'));
                if line.trim() == word {
                    break;
                }
            }
        }
    }

    fn pass_over_line(&mut self) {
        let rest = self.rest();
        self.at += rest.find('\n').unwrap_or(rest.len());
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &'a str {
        &self.script[self.at..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(script: &str) -> Vec<&str> {
        let commands = commands(script);
        commands.into_iter().map(|command| command.text).collect()
    }

    #[test]
    fn operators_part_commands_and_quotes_hold_them_together() {
        for (script, expected) in [
            ("a b && c; d | e", &["a b", "c", "d", "e"][..]),
            ("a\nb\n\nc", &["a", "b", "c"]),
            ("(a; b) & c", &["a", "b", "c"]),
            ("ssh host \"a && b\"", &["ssh host \"a && b\""]),
            ("ssh host '\na\nb\n'\nc", &["ssh host '\na\nb\n'", "c"]),
            ("a \"x \\\" && y\" && b", &["a \"x \\\" && y\"", "b"]),
            ("a \\\n  b", &["a \\\n  b"]),
            ("a # don't; b\nc", &["a # don't; b", "c"]),
            ("a#b; c", &["a#b", "c"]),
            ("", &[]),
        ] {
            assert_eq!(texts(script), expected, "{script}");
        }
    }

    #[test]
    fn a_document_for_another_program_is_passed_over() {
        for script in [
            "ssh host <<EOF\nx\ny\nEOF\nb",
            "ssh host << 'EOF'\nx; y\nEOF\nb",
            "ssh host <<-\"EOF\"\n\tx\n\tEOF\nb",
        ] {
            let texts = texts(script);
            assert_eq!(texts.last(), Some(&"b"), "{script}");
            assert_eq!(texts.len(), 2, "{texts:?}");
        }
        assert_eq!(texts("a <<<x\nb"), ["a <<<x", "b"]);
        assert_eq!(texts("a <<EOF && c\nx\nEOF\nb"), ["a <<EOF", "c", "b"]);
        // One that has no end.
        assert_eq!(texts("a <<EOF\nb"), ["a <<EOF"]);
    }

    #[test]
    fn what_follows_a_failure_is_a_fallback() {
        let commands = commands("a || b && c\nd");
        let fallbacks: Vec<_> = commands.iter().map(|it| it.is_fallback).collect();
        assert_eq!(fallbacks, [false, true, false, false]);
    }
}
