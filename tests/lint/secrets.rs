//! Tokens and passwords are in these files, and in nothing that is printed.

use std::{collections::BTreeSet, fs, ops::Range, path::Path};

use dind_init::testing::lint::{
    lint,
    output::{Format, Options, render},
    problem::Judgement,
    repair::repair,
    secrets::shown_line,
    source::{Files, Source},
};

use crate::{
    lint_in,
    marker::{MARKERS, PARTS, places},
};

const MARKER: &str = "hUnter2-mArkEr";

/// Findings on the very lines with secrets, and beside them.
const RUNNER: &str = "concurrent = 4
[[runners]]
  name = \"a\"
  token = \"glrt-MARKER\"
  environment = [\"REGISTRY_PASSWORD=MARKER\", \"DOCKER_TLS_CERTDIR=/certs\", \"X=MARKER\"]
  [runners.docker]
    privileged = false # password: MARKER
    [[runners.docker.services]]
      name = \"docker:dind\"
      environment = [\"DOCKER_AUTH_CONFIG={\\\"auths\\\": \\\"MARKER\\\"}\", \"DOCKER_TLS_CERTDIR=/certs\"]
[[runners]]
  token = \"MARKER\"
  [runners.kubernetes]
    [[runners.kubernetes.volumes.secret]]
      name = \"ca\"
      # PRIVATE-TOKEN: MARKER
      mount_path = \"/certs/client\"
      # token = MARKER
";

const PIPELINE: &str = "build:
  services: [{name: 'docker:dind', alias: docker, variables: {HEALTHCHECK_TCP_PORT: '1', PASSWORD: MARKER}}]
  variables: {DEPLOY_TOKEN: MARKER, DOCKER_HOST: 'tcp://user:MARKER@docker:2375', KEY: MARKER}
  script: docker login -p MARKER
other:
  services: ['docker:dind']
  variables:
    HTTPS_PROXY: http://me:MARKER@proxy.example.com
    HTTP_PROXY: http://me:MARKER@proxy.example.com
    DOCKER_HOST: tcp://docker:2376
    DOCKER_TLS_VERIFY: 1
    DIND_MTU: glpat-MARKER
  script: x
";

/// Each mistake on a line with a secret.
const BROKEN: [&str; 6] = [
    "[[runners]]\ntoken = \"MARKER\nname = \"x\"\n",
    "[[runners]]\ntoken = MARKER\n",
    "[[runners]]\ntoken = \"MARKER\"\ntoken = \"MARKER\"\n",
    "[[runners]]\nlimit = \"x\"\ntoken = [\"MARKER\"]\n",
    "runners:\n  token: MARKER\n  token: MARKER\n",
    "job:\n  variables:\n    PASSWORD: \"MARKER\n  script: [MARKER\n",
];

#[test]
fn no_secret_is_printed_in_any_format() {
    let directory = tempfile::tempdir().unwrap();
    let values = values();
    let texts = [RUNNER, PIPELINE, values.as_str()];
    let texts = texts.into_iter().chain(BROKEN);
    for (index, text) in texts.enumerate() {
        let name = format!("file-{index}");
        let text = text.replace("MARKER", MARKER);
        let mut said = 0;
        for format in ["text", "oneline", "json", "codequality", "sarif"] {
            for fix in [&[][..], &["--diff"], &["--fix"]] {
                fs::write(directory.path().join(&name), &text).unwrap();
                let always = ["--deny", "warnings", "--format", format, name.as_str()];
                let arguments = [&always[..], fix].concat();
                let outcome = lint_in(directory.path(), &arguments, b"");
                let printed = format!("{}{}", outcome.stdout, outcome.stderr);
                for part in ["hUnter2", "mArkEr"] {
                    assert!(!printed.contains(part), "{arguments:?}\n{text}\n{printed}");
                }
                said += usize::from(outcome.status > 0);
            }
        }
        // Otherwise nothing would be shown here that could have a secret in it.
        assert!(said > 0, "nothing is found in\n{text}");
    }
}

#[test]
fn what_is_underlined_is_shown_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("c"), RUNNER.replace("MARKER", MARKER)).unwrap();
    let outcome = lint_in(directory.path(), &["c"], b"");
    for part in [
        "\"DOCKER_TLS_CERTDIR=/certs\"",
        "privileged = false # …",
        "docker:dind",
    ] {
        assert!(
            outcome.stdout.contains(part),
            "{part} in\n{}",
            outcome.stdout
        );
    }
}

/// Ours, and all that the tests have.
fn texts() -> Vec<String> {
    let mut texts = vec![RUNNER.to_owned(), PIPELINE.to_owned(), values()];
    let mut directories = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let endings = ["toml", "yml", "yaml"];
            if path.is_dir() {
                directories.push(path);
            } else if endings
                .iter()
                .any(|end| path.extension() == Some(end.as_ref()))
            {
                texts.push(fs::read_to_string(path).unwrap());
            }
        }
    }
    assert!(texts.len() > 25, "{}", texts.len());
    texts
}

fn values() -> String {
    let runner = RUNNER.replace('\n', "\n    ");
    format!("runnerToken: MARKER\nrunners:\n  config: |\n    {runner}")
}

/// A line may be shown because of anything: so all of them are asked for.
#[test]
fn no_line_shows_a_marker_wherever_it_is_put() {
    let mut count = 0;
    for text in texts() {
        for marked in MARKERS.iter().flat_map(|marker| places(&text, marker)) {
            let mut start = 0;
            for line in marked.split_inclusive('\n') {
                // What is shown is a part of the line.
                if !PARTS.iter().any(|part| line.contains(part)) {
                    start += line.len();
                    continue;
                }
                let shown = shown_line(&marked, start).text;
                assert_none(&shown, &[line, &marked]);
                start += line.len();
            }
            count += 1;
        }
    }
    assert!(count > 10_000, "{count}");
}

#[test]
fn no_format_and_no_diff_shows_a_marker_wherever_it_is_put() {
    for text in [RUNNER.to_owned(), PIPELINE.to_owned(), values()] {
        let (mut beside, mut has_diff) = (BTreeSet::new(), false);
        for marked in places(&text, MARKERS[0]) {
            let mut files = Files::default();
            let file = files.add(Source::new("file", marked.as_str()));
            let judgement = lint(&mut files);
            let mut lines = lines_with_problems(&judgement, &files).into_iter();
            if lines.any(|lines| marked[lines].contains(MARKERS[0])) {
                beside.insert(marked.clone());
            }
            if is_a_name(&marked) {
                continue;
            }
            for format in FORMATS {
                let options = Options {
                    format,
                    ..Options::default()
                };
                assert_none(&render(&options, &judgement, &files), &[&marked]);
            }
            let repaired = repair(&files, judgement, &[]);
            if let Some(diff) = repaired.diff(file, files.get(file)) {
                assert_none(&diff, &[&marked]);
                has_diff = true;
            }
        }
        // The control: with a marker in a comment, each line with a problem has it all the same, and
        // would have shown the marker if that were not hidden.
        let mut files = Files::default();
        let file = files.add(Source::new("file", text.as_str()));
        let judgement = lint(&mut files);
        let lines = lines_with_problems(&judgement, &files);
        assert!(!lines.is_empty(), "{text}");
        for lines in lines {
            let number = text[..lines.start].lines().count();
            let mut marked: Vec<_> = text.lines().map(str::to_owned).collect();
            marked[number].push_str(&format!(" # {}", MARKERS[0]));
            let marked = marked.join("\n") + "\n";
            assert!(beside.contains(&marked), "{marked}");
        }
        let repaired = repair(&files, judgement, &[]);
        let diff = repaired.diff(file, files.get(file));
        assert_eq!(has_diff, diff.is_some(), "{text}");
    }
}

/// Of the only file.
fn lines_with_problems(judgement: &Judgement, files: &Files) -> Vec<Range<usize>> {
    let problems = judgement.problems.iter();
    problems
        .map(|problem| files.get(problem.place.file).lines_of(&problem.place.span))
        .collect()
}

const FORMATS: [Format; 5] = [
    Format::Text,
    Format::Oneline,
    Format::Json,
    Format::CodeQuality,
    Format::Sarif,
];

/// Runners and jobs are called by their names in what is said.
fn is_a_name(marked: &str) -> bool {
    let mut lines = marked.lines().filter(|line| line.contains(MARKERS[0]));
    lines.any(|line| {
        let line = line.trim_start_matches([' ', '-']);
        line.starts_with("name = ") || line.starts_with(&format!("{}:", MARKERS[0]))
    })
}

#[track_caller]
fn assert_none(printed: &str, of: &[&str]) {
    for part in PARTS {
        assert!(
            !printed.contains(part),
            "{printed}\n--- of ---\n{}",
            of.join("\n---\n")
        );
    }
}
