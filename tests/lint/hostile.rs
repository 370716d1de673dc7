//! Files that no one means well with: an error or a judgement, in time that the size explains.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use crate::lint;

/// What is not optimized takes ten times as long, and grows in the same way.
const SIZE: usize = if cfg!(debug_assertions) {
    3 << 20
} else {
    10 << 20
};

/// As many lines as fit into that size.
fn large(head: &str, line: impl Fn(usize) -> String) -> String {
    let mut text = head.to_owned();
    let mut number = 0;
    while text.len() < SIZE {
        let _ = write!(text, "{}", line(number));
        number += 1;
    }
    text
}

/// The name, the text and the status that is expected.
fn table() -> Vec<(&'static str, String, i32)> {
    let runner = "[[runners]]\n[runners.kubernetes]\nprivileged = true\n\
                  [[runners.kubernetes.volumes.secret]]\nname = \"a\"\n\
                  mount_path = \"/certs/client\"\n";
    let padded = format!("{runner}# {}\n", "ü".repeat(500));
    let indented = format!("    {}\n", padded.trim_end().replace('\n', "\n    "));
    let job = "services: [docker:dind]\n  script: x\n  variables: {DOCKER_HOST: 'tcp://docker:1'}";
    let text = "text ".repeat(100);
    let values = "runners:\n  config: |\n";
    vec![
        ("findings", large("", |_| padded.clone()), 1),
        ("findings in values", large(values, |_| indented.clone()), 1),
        (
            "findings in jobs",
            large("", |n| format!("j{n}:\n  {job}\n  # {text}\n")),
            1,
        ),
        ("keys", large("", |n| format!("k{n} = \"{text}\"\n")), 0),
        (
            "too many keys",
            large("", |n| format!("a.b.c.d{n} = 1\n")),
            2,
        ),
        (
            "comments",
            large("[[runners]]\n", |_| format!("# {text}\n")),
            0,
        ),
        ("a list", large("a = [", |_| "1,".into()) + "]", 2),
        ("a long line", large("a = \"", |_| "x".into()) + "\n", 2),
        ("spaces", large("a = ", |_| " ".into()), 2),
        (
            "an open string",
            large("a = \"\"\"", |_| format!("{text}\n")),
            2,
        ),
        ("brackets", large("a = ", |_| "[".into()), 2),
        ("tables", large("a = ", |_| "{a=".into()), 2),
        ("dotted keys", large("a", |_| ".a".into()) + " = 1", 2),
        ("headers", large("", |n| format!("[a{n}.b.c]\n")), 2),
        ("YAML, maps", large("", |_| "- a: b\n".into()), 2),
        ("YAML, a list", large("a:\n", |_| "- b\n".into()), 2),
        ("YAML, brackets", large("a: ", |_| "[".into()), 2),
        ("YAML, a block", large("a: |\n", |_| "  text\n".into()), 0),
        ("YAML, a line", large("a: ", |_| "text ".into()), 0),
        (
            "templates",
            large("runners:\n  config: \"", |_| "{{a}}".into()) + "\"",
            2,
        ),
    ]
}

#[test]
fn a_large_file_takes_as_long_as_its_reading_explains() {
    // Before and after each: the machine may get other things to do.
    let mut before = plain_reading();
    for (name, text, status) in table() {
        let start = Instant::now();
        let outcome = lint(&["-"], text.as_bytes());
        let took = start.elapsed();
        let after = plain_reading();
        let plain = std::mem::replace(&mut before, after).min(after);
        assert!(
            !outcome.stderr.contains("panicked"),
            "{name}: {}",
            outcome.stderr
        );
        assert_eq!(outcome.status, status, "{name}\n{}", outcome.stdout);
        assert!(
            outcome.stdout.len() < SIZE,
            "{name}: {} bytes",
            outcome.stdout.len()
        );
        let ratio = took.as_secs_f64() / plain.as_secs_f64();
        assert!(
            ratio < 30.0,
            "{name}: {ratio:.1} times as long as plain reading"
        );
        note(name, ratio);
    }
}

/// For whoever asks the test runner to show what successful tests print.
#[allow(clippy::print_stdout)]
fn note(name: &str, ratio: f64) {
    println!("{name}: {ratio:.1} times as long as plain reading");
}

/// How long it takes to hand as much over, read it as TOML and say nothing: a table of one key.
fn plain_reading() -> Duration {
    let text = format!("a = \"{}\"", "x".repeat(SIZE));
    let start = Instant::now();
    lint(&["-"], text.as_bytes());
    start.elapsed()
}

#[test]
fn what_is_broken_in_small_is_an_error_with_its_place() {
    let deep = |open: &str, close: &str| open.repeat(5000) + &close.repeat(5000);
    for (name, text, message) in [
        ("TOML, nested", format!("a = {}", deep("[", "]")), "TOML"),
        ("YAML, nested", format!("a: {}", deep("[", "]")), "deep"),
        (
            "an alias bomb",
            "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
             c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n\
             e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n\
             g: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n"
                .into(),
            "repeated ones counted",
        ),
        ("TOML, twice", "[a]\nb = 1\nb = 2\n".into(), ":3:"),
        ("YAML, a tab", "a:\n\t- b\n".into(), ":2:"),
        ("TOML, a NUL", "a = \"\0\"\n".into(), ":1:"),
        ("YAML, a NUL", "a: \0\n".into(), "UTF-16"),
    ] {
        let outcome = lint(&["-"], text.as_bytes());
        assert_eq!(outcome.status, 2, "{name}\n{outcome:#?}");
        assert!(outcome.stdout.contains(message), "{name}\n{outcome:#?}");
    }
}

#[test]
fn a_terminal_obeys_nothing_that_a_file_says() {
    let text = "[[runners]]\n[runners.docker]\nprivileged = true\n\
                volumes = [\"/a\\u001b[2J\\u0007:/etc/docker/certs.d/\\u001b[2Jx:1\"]\n";
    let outcome = lint(&["-"], text.as_bytes());
    assert!(outcome.stdout.contains("REGISTRY-HOST"), "{outcome:#?}");
    let is_obeyed = |it: char| it.is_control() && it != '\n';
    assert!(!outcome.stdout.contains(is_obeyed), "{outcome:#?}");
}

#[test]
fn encodings_and_line_ends() {
    let text = "[[runners]]\n[runners.kubernetes]\nprivileged = true\n\
                [[runners.kubernetes.volumes.secret]]\n\tname = \"ü\"\n\
                \tmount_path = \"/certs/client\"\n";
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let latin1: Vec<u8> = text.chars().map(|it| it as u8).collect();
    for (name, bytes, status, said) in [
        ("as it is", text.as_bytes().to_vec(), 1, ":6:15"),
        ("CRLF", text.replace('\n', "\r\n").into_bytes(), 1, ":6:15"),
        (
            "with a mark",
            format!("\u{feff}{text}").into_bytes(),
            1,
            ":6:15",
        ),
        ("UTF-16", utf16, 2, "this is UTF-16"),
        ("Latin 1", latin1, 2, "not UTF-8"),
        ("empty", Vec::new(), 0, "nothing was judged"),
    ] {
        let outcome = lint(&["-"], &bytes);
        assert_eq!(outcome.status, status, "{name}\n{outcome:#?}");
        assert!(outcome.stdout.contains(said), "{name}\n{outcome:#?}");
    }
}
