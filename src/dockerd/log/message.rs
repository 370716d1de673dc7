//! One line of a log, whoever of dockerd, containerd and Go's libraries wrote it.

use serde_json::{Map, Value};

/// How grave a line is by its own word. Plain text, which dockerd writes when it gives up, counts
/// most.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Level {
    Debug,
    Info,
    Warning,
    Error,
    Fatal,
    Plain,
}

impl Level {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "trace" | "debug" => Self::Debug,
            "info" => Self::Info,
            "warning" | "warn" => Self::Warning,
            "error" => Self::Error,
            "fatal" | "panic" => Self::Fatal,
            _ => return None,
        })
    }
}

/// A line without its time stamp and quotation marks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    pub level: Level,
    /// The message, then its other fields as `key=value`.
    pub text: String,
}

impl Message {
    /// Reads logrus's text (`time="…" level=… msg="…" key=value`), its JSON (dockerd's
    /// `--log-format=json`), and anything else as plain text.
    pub fn parse(line: &str) -> Self {
        Self::text(line)
            .or_else(|| Self::json(line))
            .unwrap_or_else(|| Self {
                level: Level::Plain,
                text: without_date(line).to_owned(),
            })
    }

    /// dockerd's version, in the one line with which every version introduces itself.
    pub fn docker_version(&self) -> Option<&str> {
        let (_, fields) = self.text.split_once("Docker daemon ")?;
        let mut fields = fields.split(' ');
        let is_introduction = self.level == Level::Info
            && self.text.starts_with("Docker daemon ")
            && fields.clone().any(|field| field.starts_with("commit="));
        let version = fields.find_map(|field| field.strip_prefix("version="))?;
        is_introduction.then_some(version)
    }

    fn text(line: &str) -> Option<Self> {
        let line = match line.strip_prefix("time=") {
            Some(_) => line.split_once(' ')?.1,
            None => line,
        };
        let (level, fields) = line.strip_prefix("level=")?.split_once(' ')?;
        let fields = fields.strip_prefix("msg=")?;
        let (message, rest) = match fields.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let (word, rest) = fields.split_once(' ').unwrap_or((fields, ""));
                (word.to_owned(), rest)
            }
        };
        // The ids of a trace come last, and say nothing to a reader.
        let rest = rest.split("spanID=").next().unwrap_or_default();
        Some(Self {
            level: Level::parse(level)?,
            text: joined(message, rest.trim()),
        })
    }

    fn json(line: &str) -> Option<Self> {
        let line = line.strip_prefix('{').map(|_| line)?;
        let mut fields: Map<String, Value> = serde_json::from_str(line).ok()?;
        let level = Level::parse(fields.remove("level")?.as_str()?)?;
        let message = fields.remove("msg")?.as_str()?.to_owned();
        fields.remove("time");
        let rest: Vec<String> = fields
            .iter()
            .map(|(key, value)| match value {
                Value::String(text) => format!("{key}={text}"),
                other => format!("{key}={other}"),
            })
            .collect();
        Some(Self {
            level,
            text: joined(message, &rest.join(" ")),
        })
    }
}

fn joined(message: String, rest: &str) -> String {
    match (message.trim_end(), rest) {
        (message, "") => message.to_owned(),
        (message, rest) => format!("{message} {rest}"),
    }
}

/// The value of a quoted string, without its escapes, and what follows it.
fn unquote(quoted: &str) -> (String, &str) {
    let mut value = String::with_capacity(quoted.len());
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => match characters.next() {
                Some((_, 'n' | 't' | 'r')) => value.push(' '),
                Some((_, escaped)) => value.push(escaped),
                None => {}
            },
            other => value.push(other),
        }
    }
    (value, "")
}

/// The text after the date and time of Go's own `log` package: `2026/11/23 10:00:00 `.
fn without_date(line: &str) -> &str {
    let is_stamp = |stamp: &str| {
        stamp
            .bytes()
            .zip(*b"0000/00/00 00:00:00 ")
            .all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            })
    };
    match line.split_at_checked(20) {
        Some((stamp, rest)) if is_stamp(stamp) => rest,
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_gives_the_same_message() {
        for line in [
            r#"time="2026-11-23T10:00:00.1Z" level=error msg="failed \"x\":\nno" driver=vfs"#,
            r#"level=error msg="failed \"x\":\nno" driver=vfs"#,
            r#"{"level":"error","msg":"failed \"x\": no","time":"2026-11-23T10:00:00Z","driver":"vfs"}"#,
        ] {
            let message = Message::parse(line);
            assert_eq!(message.level, Level::Error, "{line}");
            assert_eq!(message.text, "failed \"x\": no driver=vfs", "{line}");
        }
        let word = Message::parse("time=\"t\" level=info msg=serving... address=/a.sock");
        assert_eq!(word.text, "serving... address=/a.sock");
        assert_eq!(word.level, Level::Info);
        let traced = Message::parse("level=error msg=\"x\" a=b spanID=1f traceID=2f");
        assert_eq!(traced.text, "x a=b");
    }

    #[test]
    fn anything_else_is_plain_text_without_go_s_date() {
        for (line, text) in [
            ("failed to start daemon: x", "failed to start daemon: x"),
            ("2026/11/23 10:00:00 http: x", "http: x"),
            (
                "2026/11/23 ten o'clock http: x",
                "2026/11/23 ten o'clock http: x",
            ),
            ("{ not json", "{ not json"),
            ("time=\"t\"", "time=\"t\""),
            ("level=strange msg=\"x\"", "level=strange msg=\"x\""),
            ("", ""),
        ] {
            let message = Message::parse(line);
            assert_eq!((message.level, message.text.as_str()), (Level::Plain, text));
        }
        // An unfinished line, as a cut leaves it.
        assert_eq!(Message::parse("level=info msg=\"unfin\\").text, "unfin");
    }
}
