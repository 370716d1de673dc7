//! SARIF 2.1.0, which code scanning services and editors read.
//!
//! Comments name the section of the standard (OASIS, sarif-v2.1.0-os) that asks for it.

use serde_json::{Value, json};

use super::{UNREADABLE, identity::Fingerprints, path};
use crate::{
    lint::{
        checks,
        problem::{Judgement, Problem},
        source::{Files, Place},
    },
    reasons::{Reason, Severity, advice},
};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json";

/// A log with one run.
pub fn render(judgement: &Judgement, files: &Files, root: &std::path::Path) -> Value {
    let mut run = Run {
        files,
        root,
        fingerprints: Fingerprints::default(),
    };
    let results: Vec<_> = judgement.problems.iter().map(|it| run.result(it)).collect();
    let errors = judgement
        .errors
        .iter()
        .map(|error| run.notification("error", UNREADABLE, &error.message, &error.place));
    let remarks = judgement
        .remarks
        .iter()
        .map(|remark| run.notification("note", "LINT-NOT-JUDGED", &remark.message, &remark.place));
    let notifications: Vec<_> = errors.chain(remarks).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "dind-init",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": checks::all().map(rule).collect::<Vec<_>>(),
            }},
            // Columns are characters (§3.14.17).
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": judgement.errors.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    })
}

fn rule(reason: &'static Reason) -> Value {
    let help = advice::text(reason.advice, None, |hole| hole.example().to_owned());
    json!({
        "id": reason.id,
        "shortDescription": {"text": format!("{}.", reason.summary)},
        "help": {"text": help},
        "defaultConfiguration": {"level": level(reason.severity)},
    })
}

/// There is nothing worse than an error (§3.27.10).
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Fatal | Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

struct Run<'a> {
    files: &'a Files,
    root: &'a std::path::Path,
    fingerprints: Fingerprints,
}

impl Run<'_> {
    fn result(&mut self, problem: &Problem) -> Value {
        let finding = &problem.finding;
        let id = finding.reason.id;
        let parts = [finding.reason.summary, &finding.cause, &finding.fix];
        let text: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let path = path(&problem.place, self.files, self.root);
        let place = &problem.place;
        let fingerprint = self.fingerprints.fingerprint(id, &path, place, self.files);
        let related = problem.related.iter().enumerate();
        json!({
            "ruleId": id,
            "ruleIndex": checks::all().position(|reason| reason.id == id),
            "level": level(finding.severity),
            "message": {"text": text.join("\n")},
            "locations": [self.location(place)],
            "relatedLocations": related.map(|(number, (place, label))| {
                let mut location = self.location(place);
                location["id"] = json!(number);
                location["message"] = json!({"text": label});
                location
            }).collect::<Vec<_>>(),
            "partialFingerprints": {"checkFileLine/v1": fingerprint},
        })
    }

    fn notification(&self, level: &str, id: &str, message: &str, place: &Place) -> Value {
        json!({
            "descriptor": {"id": id},
            "level": level,
            "message": {"text": message},
            "locations": [self.location(place)],
        })
    }

    fn location(&self, place: &Place) -> Value {
        let source = self.files.get(place.file);
        let (start, end) = (
            source.position(place.span.start),
            source.position(place.span.end),
        );
        json!({"physicalLocation": {
            "artifactLocation": {"uri": uri(&path(place, self.files, self.root))},
            // The end is the first column that does not belong to it (§3.30.8).
            "region": {
                "startLine": start.line,
                "startColumn": start.column,
                "endLine": end.line,
                "endColumn": end.column,
            },
        }})
    }
}

/// A path as a URI reference (RFC 3986): what is not allowed there is written in hexadecimal.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
