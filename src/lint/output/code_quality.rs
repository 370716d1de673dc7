//! GitLab's Code Quality report, which shows findings in merge requests.
//!
//! GitLab reads `description`, `check_name`, `fingerprint`, `location.path`,
//! `location.lines.begin` and `severity` of each entry, and passes over entries that lack one
//! (docs/ci/testing/code_quality, "Code Quality report format").

use std::path::Path;

use serde_json::{Value, json};

use super::{UNREADABLE, identity::Fingerprints, path};
use crate::{
    lint::{
        problem::Judgement,
        source::{Files, Place},
    },
    reasons::Severity,
};

/// A list with an entry for each finding and each file that cannot be read.
pub fn render(judgement: &Judgement, files: &Files, root: &Path) -> Value {
    let mut report = Report {
        files,
        root,
        fingerprints: Fingerprints::default(),
    };
    let mut entries = Vec::new();
    for error in &judgement.errors {
        let description = sentence(&error.message, &error.help);
        entries.push(report.entry(UNREADABLE, description, "blocker", &error.place));
    }
    for problem in &judgement.problems {
        let finding = &problem.finding;
        let description = sentence(finding.reason.summary, &finding.cause);
        let severity = match finding.severity {
            Severity::Fatal => "critical",
            Severity::Error => "major",
            Severity::Warning => "minor",
            Severity::Note => "info",
        };
        entries.push(report.entry(finding.reason.id, description, severity, &problem.place));
    }
    Value::Array(entries)
}

struct Report<'a> {
    files: &'a Files,
    /// The repository, which is where CI jobs start: paths are relative to it.
    root: &'a Path,
    fingerprints: Fingerprints,
}

impl Report<'_> {
    fn entry(&mut self, check: &str, description: String, severity: &str, place: &Place) -> Value {
        let path = path(place, self.files, self.root);
        let fingerprint = self
            .fingerprints
            .fingerprint(check, &path, place, self.files);
        json!({
            "description": description,
            "check_name": check,
            "fingerprint": fingerprint,
            "severity": severity,
            "location": {
                "path": path,
                "lines": {"begin": self.files.position(place).line},
            },
        })
    }
}

/// One line: the widget shows no other.
fn sentence(summary: &str, more: &str) -> String {
    match more.is_empty() {
        true => format!("{summary}."),
        false => format!("{summary}: {}", more.replace('\n', " ")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::lint::{lint, source::Source};

    const SECRET: &str = "[runners.kubernetes]\nprivileged = true\n[[runners.kubernetes.volumes.secret]]\nname = \"ca\"\n\
                          mount_path = \"/certs/client\"\n";

    fn report(name: &str, text: &str) -> Vec<Value> {
        let mut files = Files::default();
        files.add(Source::new(name, text));
        let judgement = lint(&mut files);
        render(&judgement, &files, Path::new(""))
            .as_array()
            .unwrap()
            .clone()
    }

    #[test]
    fn an_entry_has_what_gitlab_reads() {
        for (text, check, severity, line) in [
            (
                format!("[[runners]]\n{SECRET}"),
                "CERTS-READONLY",
                "critical",
                6,
            ),
            ("[[runners]]\na = \n".to_owned(), UNREADABLE, "blocker", 2),
        ] {
            let report = report("./config.toml", &text);
            let [entry] = report.as_slice() else {
                panic!("{report:#?}");
            };
            assert_eq!(entry["check_name"], check);
            assert_eq!(entry["severity"], severity);
            assert_eq!(entry["location"]["path"], "config.toml");
            assert_eq!(entry["location"]["lines"]["begin"], line);
            assert_eq!(entry["fingerprint"].as_str().unwrap().len(), 64);
            let description = entry["description"].as_str().unwrap();
            assert!(!description.is_empty() && !description.contains('\n'));
        }
    }

    #[test]
    fn a_fingerprint_stays_when_lines_move_and_tells_equal_findings_apart() {
        let once = report("c", &format!("[[runners]]\n{SECRET}"));
        let moved = report("c", &format!("# new\n\n[[runners]]\n{SECRET}"));
        assert_eq!(once[0]["fingerprint"], moved[0]["fingerprint"]);
        let elsewhere = report("d", &format!("[[runners]]\n{SECRET}"));
        assert_ne!(once[0]["fingerprint"], elsewhere[0]["fingerprint"]);
        let twice = report("c", &format!("[[runners]]\n{SECRET}[[runners]]\n{SECRET}"));
        let prints: HashSet<_> = twice
            .iter()
            .map(|entry| entry["fingerprint"].to_string())
            .collect();
        assert_eq!(prints.len(), 2);
    }
}
