//! The examples in our own documentation, and what the catalogue tells users to paste.

use std::{fs, path::Path};

use crate::{assert_clean, judge};

/// What a page shows as the mistake that it is about, by a part of the example.
const MISTAKES: [(&str, &str); 2] = [
    (
        "name = \"registry-ca\"\n      mount_path = \"/certs/client\"",
        "CERTS-READONLY",
    ),
    // The same in a chart's values.
    (
        "name = \"registry-ca\"\n          mount_path = \"/certs/client\"",
        "CERTS-READONLY",
    ),
];

#[test]
fn what_we_write_down_is_clean() {
    let mut counted = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for (line, example) in examples(&text) {
            let judgement = judge(vec![("example".into(), example.clone())]);
            counted += 1;
            if let Some((_, id)) = MISTAKES.iter().find(|(part, _)| example.contains(part)) {
                let found = judgement.problems.iter().map(|it| it.finding.reason.id);
                assert_eq!(found.collect::<Vec<_>>(), [*id], "{example}");
                continue;
            }
            assert_clean(&judgement, &format!("{}:{line}\n{example}", page.display()));
        }
    }
    assert!(counted > 40, "only {counted}");
}

#[test]
fn an_example_with_a_mistake_is_noticed() {
    for example in [
        "```yaml\nvariables:\n  DOCKER_HOST: tcp://docker:2375\n```",
        "- item:\n\n  ```yaml\n  variables: { DIND_MTU: small }\n  ```",
        "```yaml\nservices: [my/dind]\nvariables: { DOCKER_HOST: tcp://docker }\n```",
        "```toml\n[[runners.kubernetes.volumes.secret]]\nname = \"a\"\nmount_path = \"/certs/client\"\n```",
    ] {
        let found = examples(example);
        let [(_, text)] = found.as_slice() else {
            panic!("{found:?}");
        };
        let judgement = judge(vec![("example".into(), text.clone())]);
        assert!(!judgement.problems.is_empty(), "{text}");
    }
}

fn pages() -> Vec<std::path::PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap();
    let pages = docs.map(|entry| entry.unwrap().path());
    let is_page = |path: &std::path::PathBuf| path.extension().is_some_and(|it| it == "md");
    pages
        .filter(is_page)
        .chain(["README.md", "component/README.md"].map(|page| root.join(page)))
        .collect()
}

/// With the number of the line on which each begins.
fn examples(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let indentation = line.len() - line.trim_start().len();
        let language = match line.trim().strip_prefix("```") {
            Some(language @ ("yaml" | "yml" | "toml")) => language,
            // Another block's end must not be taken for a beginning.
            Some(_) => {
                lines.by_ref().find(|(_, line)| line.trim() == "```");
                continue;
            }
            None => continue,
        };
        let text: Vec<&str> = lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| line.trim() != "```")
            .map(|line| line.get(indentation..).unwrap_or_default())
            .collect();
        found.push((number + 1, whole(language, &text)));
    }
    found
}

/// A part of a file is judged in the place where it belongs.
fn whole(language: &str, lines: &[&str]) -> String {
    let begins = |key: &str| lines.iter().any(|line| line.starts_with(key));
    match language {
        "toml" if !begins("[[runners]]") => {
            let executor = match begins("[runners.docker]") {
                true => "docker",
                false => "kubernetes",
            };
            let header = format!("[runners.{executor}]");
            let section = format!("{header}\nprivileged = true");
            let lines = lines.join("\n");
            let lines = match lines.contains(&header) {
                true if lines.contains("privileged") => lines,
                true => lines.replace(&header, &section),
                false => format!("{section}\n{lines}"),
            };
            format!("[[runners]]\nexecutor = \"{executor}\"\n{lines}")
        }
        "toml" => lines.join("\n"),
        // Some keys of a job, rather than a pipeline with jobs.
        _ if begins("services:") || begins("variables:") || begins("before_script:") => {
            let service = match begins("services:") {
                true => "",
                false => "  services: ['docker:dind']\n",
            };
            format!(
                "job:\n  script: docker info\n{service}  {}",
                lines.join("\n  ")
            )
        }
        _ => lines.join("\n"),
    }
}
