//! `docs/reasons.md`, the catalogue as a page, and what its snippets must be.
//!
//! `UPDATE_DOCS=1 cargo nextest run --lib commands::page` writes it.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use crate::{
    lint::rules,
    reasons::{
        Ignoring, Layer, Reason,
        advice::{self, Told},
        all,
    },
};

const PATH: &str = "docs/reasons.md";

#[test]
fn the_page_is_what_the_catalogue_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PATH);
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &page).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let same = found == page;
    assert!(same, "{PATH} is stale; write it with UPDATE_DOCS=1");
}

#[test]
fn every_snippet_parses() {
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in all() {
        for (language, snippet) in snippets(reason) {
            let id = reason.id;
            let error = parse_error(language, &snippet);
            assert_eq!(error, None, "{id}:\n{snippet}");
            *counted.entry(language).or_default() += 1;
        }
    }
    assert!(counted["toml"] > 5 && counted["yaml"] > 5, "{counted:?}");
}

#[test]
fn a_snippet_that_does_not_parse_is_noticed() {
    for (language, bad) in [
        ("toml", "[runners.kubernetes\nprivileged = true"),
        ("toml", "privileged: true"),
        ("yaml", "services:\n  - name: [docker"),
        ("yaml", "just words"),
        ("json", "{\"mtu\": 1400,}"),
    ] {
        assert!(parse_error(language, bad).is_some(), "{language}: {bad}");
    }
}

fn parse_error(language: &str, snippet: &str) -> Option<String> {
    match language {
        "toml" => toml::from_str::<toml::Table>(snippet)
            .err()
            .map(|error| error.to_string()),
        "yaml" => serde_yaml_ng::from_str::<serde_yaml_ng::Mapping>(snippet)
            .err()
            .map(|error| error.to_string()),
        "json" => serde_json::from_str::<serde_json::Value>(snippet)
            .err()
            .map(|error| error.to_string()),
        _ => None,
    }
}

/// What the advice gives to paste, as on the page.
fn snippets(reason: &Reason) -> Vec<(&'static str, String)> {
    let told = told(reason).into_iter();
    let lines = told.filter_map(|told| told.lines);
    lines
        .map(|(place, lines)| (place.language(), lines))
        .collect()
}

fn told(reason: &Reason) -> Vec<Told> {
    advice::tell(reason.advice, None, |hole| hole.example().to_owned()).collect()
}

fn page() -> String {
    let mut page = String::from(
        "<!-- Written by a test from src/reasons and src/lint/rules: UPDATE_DOCS=1 cargo nextest run --lib commands::page -->\n\
         # Why Docker does not work in a job\n\n\
         Every reason that dind-init knows, in the order in which one brings about the next. \
         `dind-init explain ID` prints the same.\n\n\
         | Severity | Means |\n| --- | --- |\n\
         | fatal | dockerd cannot start, or is gone; docker commands get the explanation as their \
         answer |\n\
         | error | dockerd runs, but docker commands of this job will fail |\n\
         | warning | it works, slowly or dangerously |\n\
         | note | what was done, or left alone |\n\n\
         A reason may be met in a milder form, and is then reported as such. `DIND_IGNORE` takes a \
         comma-separated list of ids; what it does is said below. *Retry* means that a new pod on \
         another node may cure it, *lint* that [`dind-init lint`](lint.md) finds it in files, before \
         there is a pod.\n\n\
         ## Exit status\n\n\
         dockerd's own, and 128 + n where signal n ended it; 126 or 127 where it could not be run. \
         The init's own:\n\n| Status | Layer |\n| --- | --- |\n",
    );
    let mut layers = Layer::ALL;
    layers.sort_by_key(|layer| layer.exit_status());
    for layer in layers {
        let _ = writeln!(page, "| {} | {} |", layer.exit_status(), layer.title());
    }
    for layer in Layer::ALL {
        let _ = writeln!(page, "\n## {}", capitalised(layer.title()));
        for reason in all().filter(|reason| reason.layer == layer) {
            page.push_str(&entry(reason));
        }
    }
    page
}

fn entry(reason: &Reason) -> String {
    let mut entry = format!(
        "\n### {id}\n<a id=\"{id}\"></a>\n\n{summary}.\n\n*{severity}*{retry}{lint} · {ignoring}.\n",
        id = reason.id,
        summary = capitalised(reason.summary),
        severity = capitalised(&reason.severity.to_string()),
        retry = if reason.retryable { " · *retry*" } else { "" },
        lint = if rules::find(reason) {
            " · *lint*"
        } else {
            ""
        },
        ignoring = match reason.ignoring {
            Ignoring::Possible(then) => format!("ignored: {then}"),
            Ignoring::Impossible(why) => format!("cannot be ignored: {why}"),
        },
    );
    let mut prose = String::new();
    for told in told(reason) {
        prose.push_str(&format!(" {}", told.sentence));
        if let Some((place, lines)) = told.lines {
            let _ = write!(entry, "\n{}\n", advice::wrapped(&prose).join("\n"));
            let _ = writeln!(entry, "```{}\n{lines}\n```", place.language());
            prose.clear();
        }
    }
    if !prose.is_empty() {
        let _ = write!(entry, "\n{}\n", advice::wrapped(&prose).join("\n"));
    }
    if !reason.samples.is_empty() {
        entry.push_str("\nLogged as:\n```\n");
        for sample in reason.samples {
            let _ = writeln!(entry, "# {}\n{}", sample.source, sample.text);
        }
        entry.push_str("```\n");
    }
    entry
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        // A name keeps its spelling.
        Some(first)
            if !["dockerd", "containerd", "iptables"]
                .iter()
                .any(|n| text.starts_with(n)) =>
        {
            first.to_uppercase().chain(characters).collect()
        }
        _ => text.to_owned(),
    }
}
