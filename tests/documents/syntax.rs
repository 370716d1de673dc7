//! What is to be pasted parses.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::page::{DRAWING, blocks, examples, pages, text};

#[test]
fn every_block_parses() {
    let mut wrong = Vec::new();
    for page in pages() {
        for block in examples(&page) {
            if let Err(error) = parse(&block.language, &block.text) {
                wrong.push(format!("{page}:{}: {error}", block.line));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// As far as it can be known without a browser: each line is one that its kind of drawing has.
#[test]
fn every_drawing_has_only_lines_that_it_may_have() {
    let mut drawings = 0;
    for page in pages() {
        for block in blocks(&text(&page)) {
            if block.language == DRAWING {
                drawings += 1;
                let line = block.line;
                drawing(&block.text).unwrap_or_else(|bad| panic!("{page}:{line}: {bad}"));
            }
        }
    }
    assert!(drawings > 1, "none was found");
    for bad in [
        "flowcart LR",
        "flowchart LR\n  a b",
        "sequenceDiagram\n  alt x\n  a->>b: c",
    ] {
        assert!(drawing(bad).is_err(), "{bad}");
    }
}

fn drawing(text: &str) -> Result<(), String> {
    let mut lines = text.lines();
    let kind = lines.next().unwrap_or_default();
    let mut open = 0;
    for line in lines.map(str::trim).filter(|line| !line.is_empty()) {
        let word = line.split(' ').next().unwrap_or_default();
        let is_known = match (kind, word) {
            ("flowchart LR" | "flowchart TB", _) => line.contains("--") || line.ends_with(']'),
            ("sequenceDiagram", "participant" | "alt" | "else" | "end" | "loop") => true,
            ("sequenceDiagram", _) => line.contains(">>") && line.contains(": "),
            _ => false,
        };
        if !is_known {
            return Err(format!("no line of `{kind}`: {line}"));
        }
        open += i32::from(["alt", "loop"].contains(&word)) - i32::from(word == "end");
    }
    let is_known = kind.starts_with("flowchart ") || kind == "sequenceDiagram";
    if !is_known || open != 0 {
        return Err(format!("`{kind}`, and {open} blocks that are not closed"));
    }
    Ok(())
}

#[test]
fn a_block_that_does_not_parse_is_noticed() {
    for (language, bad) in [
        ("toml", "[runners.kubernetes\nprivileged = true"),
        ("yaml", "services:\n  - name: [docker"),
        ("yaml", "just words"),
        ("yaml", "runners:\n  config: |\n    [[runners]\n"),
        ("json", "{\"mtu\": 1400,}"),
        ("sh", "if true; then echo"),
        ("dockerfile", "FORM docker:29-dind"),
        ("yml", "a: b"),
    ] {
        assert!(parse(language, bad).is_err(), "{language}: {bad}");
    }
}

fn parse(language: &str, text: &str) -> Result<(), String> {
    match language.to_lowercase().as_str() {
        "toml" => toml::from_str::<toml::Table>(text)
            .map(drop)
            .map_err(|error| error.to_string()),
        "yaml" => yaml(text),
        "json" => serde_json::from_str::<serde_json::Value>(text)
            .map(drop)
            .map_err(|error| error.to_string()),
        "sh" => shell(text),
        "dockerfile" => dockerfile(text),
        other => Err(format!("nobody knows how to check `{other}`")),
    }
}

/// Helm's values hold the runner's config.toml as a string.
fn yaml(text: &str) -> Result<(), String> {
    // A component's header and its body are two documents of one file.
    for document in serde_yaml_ng::Deserializer::from_str(text) {
        let mapping: serde_yaml_ng::Mapping =
            serde::Deserialize::deserialize(document).map_err(|error| error.to_string())?;
        if let Some(config) = mapping
            .get("runners")
            .and_then(|runners| runners["config"].as_str())
        {
            parse("toml", config)?;
        }
    }
    Ok(())
}

fn shell(text: &str) -> Result<(), String> {
    let mut shell = Command::new("sh")
        .arg("-n")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sh starts");
    let mut input = shell.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    let done = shell.wait_with_output().unwrap();
    if done.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&done.stderr).into_owned())
}

fn dockerfile(text: &str) -> Result<(), String> {
    const INSTRUCTIONS: [&str; 6] = ["ARG", "COPY", "CMD", "ENV", "FROM", "RUN"];
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let word = line.split(' ').next().unwrap_or_default();
        if !line.starts_with('#') && !INSTRUCTIONS.contains(&word) {
            return Err(format!("no instruction: {line}"));
        }
    }
    Ok(())
}
