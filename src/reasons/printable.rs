//! What comes from outside is text: nothing in it commands a terminal or GitLab's log, fills them,
//! or gives a secret away.
//!
//! A value is made printable where it is read or put into a sentence; whatever is told goes
//! through [`explanation`] where a finding is made, so that nobody who passes it on can forget it.

/// The longest value that is shown, in characters.
const VALUE: usize = 200;
/// The longest line.
const LINE: usize = 400;
/// The longest cause, and the longest fix, in bytes: the two make an explanation of 4 kB.
const EXPLANATION: usize = 2_000;
/// Tokens are not shorter, and hardly any word is longer.
const TOKEN: usize = 32;

const CUT: char = '…';

/// What somebody else chose, on one line: a subject, the name of a file, what a variable holds.
pub fn value(text: &str) -> String {
    // Whoever sends more than this means harm, and it costs time to look at.
    let text = without_secrets(head(text, 64 * 1024));
    let mut printable = String::new();
    for character in text.chars() {
        push_escaped(&mut printable, character);
    }
    cut(&printable, VALUE)
}

/// What is told in lines of our own making, with values of others among them.
pub fn explanation(text: &str) -> String {
    let text = without_secrets(head(text, 64 * 1024));
    let mut told = String::new();
    for line in text.lines() {
        let mut printable = String::new();
        if could_be_a_status(line) {
            printable.push_str("| ");
        }
        for character in line.chars() {
            push_escaped(&mut printable, character);
        }
        let printable = cut(&printable, LINE);
        if told.len() + printable.len() + CUT.len_utf8() + 2 > EXPLANATION {
            told.push(CUT);
            told.push('\n');
            break;
        }
        told.push_str(&printable);
        told.push('\n');
    }
    if !text.ends_with('\n') {
        told.pop();
    }
    told
}

/// Lines of any number and length, in which nothing commands a terminal.
pub fn lines(text: &str) -> String {
    let mut printable = String::new();
    for character in text.chars() {
        match character {
            '\n' => printable.push(character),
            other => push_escaped(&mut printable, other),
        }
    }
    printable
}

/// Control characters would move a cursor, begin a section of GitLab's log (`\r` and escape), or
/// turn what follows around (Unicode's marks of direction).
fn push_escaped(printable: &mut String, character: char) {
    let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    if character.is_control() || turns {
        printable.extend(character.escape_default());
    } else {
        printable.push(character);
    }
}

/// On Kubernetes the runner takes a line of its log that is a JSON object, with white space around
/// it or without, for the end of the job's script if it has one of two keys (gitlab-runner
/// `shells/trap_command_exit_status.go`). Go finds a key in upper case as well, and written with
/// escapes or with letters that fold to ASCII.
fn could_be_a_status(line: &str) -> bool {
    let line = line.trim();
    let is_plain = line.is_ascii() && !line.contains('\\');
    let lower = line.to_ascii_lowercase();
    line.starts_with('{')
        && (!is_plain
            || ["command_exit_code", "script"]
                .iter()
                .any(|key| lower.contains(key)))
}

/// Private keys, passwords in URLs, and tokens, by their form.
fn without_secrets(text: &str) -> String {
    without_tokens(&without_private_keys(text))
}

fn without_private_keys(text: &str) -> String {
    const BEGIN: &str = "-----BEGIN ";
    const END: &str = "-----END ";
    let mut shown = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(BEGIN) {
        let label = &rest[start + BEGIN.len()..];
        let label = &label[..label.find("-----").unwrap_or(label.len())];
        if !label.contains("PRIVATE KEY") {
            shown.push_str(&rest[..start + BEGIN.len()]);
            rest = &rest[start + BEGIN.len()..];
            continue;
        }
        shown.push_str(&rest[..start]);
        shown.push_str("[a private key]");
        rest = match rest[start..].find(END) {
            Some(end) => {
                let tail = &rest[start + end + END.len()..];
                tail.split_once("-----").map_or("", |(_, tail)| tail)
            }
            None => "",
        };
    }
    shown + rest
}

fn without_tokens(text: &str) -> String {
    let is_border = |it: char| it.is_whitespace() || "\"'`,;()[]{}<>".contains(it);
    let mut shown = String::new();
    for piece in text.split_inclusive(is_border) {
        let word = piece.trim_end_matches(is_border);
        let border = &piece[word.len()..];
        match word.split_once("://") {
            Some((scheme, rest)) if authority(rest).contains('@') => {
                let end = authority(rest).rfind('@').unwrap_or_default();
                shown.push_str(&format!("{scheme}://{CUT}{}", &rest[end..]));
            }
            _ if is_token(word) => shown.push_str("[hidden]"),
            _ => shown.push_str(word),
        }
        shown.push_str(border);
    }
    shown
}

/// Of a URL without its scheme: user, host and port.
fn authority(rest: &str) -> &str {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    // A password may hold a slash that nobody has escaped.
    match rest[end..].find('@') {
        Some(at) if has_password(&rest[..end]) => &rest[..end + at + 1],
        _ => &rest[..end],
    }
}

/// Whether what follows a colon is no port.
fn has_password(authority: &str) -> bool {
    let after = authority.rsplit_once(':').map(|(_, after)| after);
    after.is_some_and(|after| !after.bytes().all(|byte| byte.is_ascii_digit()))
}

/// By how services mark theirs, or as base64 looks: digests are in lower case, names are shorter.
fn is_token(word: &str) -> bool {
    const MARKS: [&str; 18] = [
        "glpat-",
        "glrt-",
        "glrtr-",
        "gldt-",
        "glcbt-",
        "glptt-",
        "glft-",
        "glsoat-",
        "glagent-",
        "glimt-",
        "GR1348941",
        "dckr_pat_",
        "dckr_oat_",
        "ghp_",
        "ghs_",
        "github_pat_",
        "AKIA",
        "eyJ",
    ];
    let has = |kind: fn(&u8) -> bool| move |run: &&str| run.bytes().any(|byte| kind(&byte));
    let is_base64 = |it: char| it.is_ascii_alphanumeric() || "+=".contains(it);
    MARKS.iter().any(|mark| {
        word.find(mark)
            .is_some_and(|at| word.len() - at >= mark.len() + 12)
    }) || word
        .split(|it| !is_base64(it))
        .filter(|run| run.len() >= TOKEN)
        .filter(has(u8::is_ascii_uppercase))
        .filter(has(u8::is_ascii_lowercase))
        .any(|run| run.bytes().any(|byte| byte.is_ascii_digit()))
}

fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some(_) => text.chars().take(longest - 1).chain([CUT]).collect(),
    }
}

/// The first bytes, as far as they are whole characters.
fn head(text: &str, longest: usize) -> &str {
    &text[..text.floor_char_boundary(longest)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reasons::{self, advice};

    #[test]
    fn lines_stay_lines_and_command_nothing() {
        let text = "removed /builds/\u{1b}[2J\rsection_start:1\n  and more";
        let printable = "removed /builds/\\u{1b}[2J\\rsection_start:1\n  and more";
        assert_eq!(lines(text), printable);
    }

    #[test]
    fn a_value_is_one_line_that_commands_nothing() {
        for (text, shown) in [
            ("CN=Example Corp", "CN=Example Corp"),
            ("CN=Größe – 日本", "CN=Größe – 日本"),
            (
                "x\n{\"command_exit_code\":0}",
                "x\\n{\"command_exit_code\":0}",
            ),
            (
                "section_start:1:a\r\u{1b}[0K",
                "section_start:1:a\\r\\u{1b}[0K",
            ),
            ("a\0b\u{9b}31m\u{7f}", "a\\u{0}b\\u{9b}31m\\u{7f}"),
            ("evil\u{202e}txt\u{2028}", "evil\\u{202e}txt\\u{2028}"),
        ] {
            assert_eq!(value(text), shown);
        }
    }

    #[test]
    fn values_lines_and_explanations_end_somewhere() {
        let long = "ä ".repeat(1_000);
        assert_eq!(value(&long).chars().count(), VALUE);
        let told = explanation(&format!("{long}\nnext"));
        let lengths: Vec<_> = told.lines().map(|line| line.chars().count()).collect();
        assert_eq!(lengths, [LINE, 4]);
        assert!(explanation(&"a line\n".repeat(1_000)).len() <= EXPLANATION);
        assert_eq!(explanation("as\n\n  it is\n"), "as\n\n  it is\n");
    }

    #[test]
    fn no_line_is_a_status_of_the_runner() {
        for status in [
            r#"{"command_exit_code":0}"#,
            r#"  {"Command_Exit_Code": 0, "script": "x"}"#,
            r#"	{"\u0063ommand_exit_code":0}"#,
            r#"{"ſcript":"/x"}"#,
        ] {
            let told = explanation(&format!("said:\n{status}\n"));
            for line in told.lines() {
                assert!(
                    serde_json::from_str::<serde_json::Value>(line).is_err(),
                    "{line}"
                );
            }
        }
        let pasted = "in daemon.json:\n    {\"default-cgroupns-mode\": \"private\"}";
        assert_eq!(explanation(pasted), pasted);
    }

    #[test]
    fn secrets_are_not_shown_and_what_only_looks_long_is() {
        let key = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----";
        for (text, shown) in [
            (format!("is {key}, but"), "is [a private key], but"),
            (key.replace('\n', "\\n"), "[a private key]"),
            (key[..40].to_owned(), "[a private key]"),
            (
                "https://user:sec/ret@mirror/v2".into(),
                "https://…@mirror/v2",
            ),
            (
                "\"https://user:secret@mirror/v2\", x".into(),
                "\"https://…@mirror/v2\", x",
            ),
            ("glpat-abcdefghijklmnopqrst".into(), "[hidden]"),
            (
                "TOKEN=MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj".into(),
                "[hidden]",
            ),
        ] {
            assert_eq!(value(&text), shown);
            assert_eq!(explanation(&text), shown);
        }
        for text in [
            "-----BEGIN CERTIFICATE-----",
            "docker@sha256:8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4",
            "/builds/Group/Some-Project-2/Some-Other-Directory-3/CI_SERVER_TLS_CA_FILE",
            "CN=Example Corporation Root Certification Authority G2 2024",
            "https://mirror.example.com:5000/v2/a@b",
        ] {
            assert_eq!(explanation(text), text);
        }
    }

    #[test]
    fn the_catalogue_s_own_advice_is_told_whole() {
        for reason in reasons::all() {
            let advice = advice::text(reason.advice, None, |hole| hole.example().to_owned());
            assert_eq!(explanation(&advice), advice, "{}", reason.id);
        }
    }
}
