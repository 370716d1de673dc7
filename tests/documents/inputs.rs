//! The tables of inputs in component/README.md, made from each component's own `spec:inputs`.
//!
//! `UPDATE_DOCS=1 cargo nextest run --test documents inputs` writes it.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_yaml_ng::{Deserializer, Mapping, Value};

use crate::{page, template};

const PAGE: &str = "component/README.md";
const END: &str = "<!-- end -->";

#[test]
fn each_table_is_what_its_component_takes() {
    let mut text = page::text(PAGE);
    for component in template::COMPONENTS {
        let begin = format!(
            "<!-- Written by a test from {component}.yml: \
             UPDATE_DOCS=1 cargo nextest run --test documents inputs -->\n"
        );
        let (before, rest) = text.split_once(&begin).unwrap();
        let (found, after) = rest.split_once(END).unwrap();
        let table = table(&page::text(&format!("component/{component}.yml")));
        if std::env::var_os("UPDATE_DOCS").is_none() {
            assert_eq!(found, table, "{PAGE} is stale; write it with UPDATE_DOCS=1");
        }
        text = format!("{before}{begin}{table}{END}{after}");
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
        fs::write(path, text).unwrap();
    }
}

/// The control: each thing that a reader needs is in it.
#[test]
fn an_input_has_its_name_its_default_its_options_and_its_description() {
    let component = "spec:\n  inputs:\n    one:\n      description: >-\n        Two\n        lines.\n      \
                     default: a\n      options: [a, b]\n    two:\n      description: A list.\n      \
                     type: array\n      default: []\n    three:\n      description: It.\n      default: \"@IMAGE@\"\n---\n{}\n";
    let lines: Vec<_> = table(component)
        .lines()
        .skip(2)
        .map(str::to_owned)
        .collect();
    assert_eq!(
        lines,
        [
            "| `one` | `a` | `a`, `b` | Two lines. |",
            "| `two` | `[]` | array | A list. |",
            "| `three` | this version's | string | It. |",
        ]
    );
}

fn table(component: &str) -> String {
    let mut documents = Deserializer::from_str(component);
    let header = Mapping::deserialize(documents.next().unwrap()).unwrap();
    let mut table = "| Input | Default | Takes | |\n| --- | --- | --- | --- |\n".to_owned();
    for (name, input) in header["spec"]["inputs"].as_mapping().unwrap() {
        let name = name.as_str().unwrap();
        let default = match &input["default"] {
            Value::String(text) if text.is_empty() => "empty".to_owned(),
            // It changes with each release (tests/component/template.rs).
            Value::String(text) if text == "@IMAGE@" => "this version's".to_owned(),
            Value::String(text) => format!("`{text}`"),
            other => format!("`{}`", serde_json::to_string(other).unwrap()),
        };
        let takes = match input.get("options").and_then(Value::as_sequence) {
            Some(options) => {
                let options = options.iter().map(|option| option.as_str().unwrap());
                let quoted: Vec<_> = options.map(|option| format!("`{option}`")).collect();
                quoted.join(", ")
            }
            None => {
                let kind = input.get("type").and_then(Value::as_str);
                kind.unwrap_or("string").to_owned()
            }
        };
        let description = input["description"].as_str().unwrap();
        table.push_str(&format!(
            "| `{name}` | {default} | {takes} | {description} |\n"
        ));
    }
    table
}
