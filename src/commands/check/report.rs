//! What `dind-init check` prints, for people and for programs.

use std::fmt;

use serde_json::{Value, json};

use crate::{
    reasons::{Finding, Layer, Severity},
    report::status,
};

/// The layers that are looked at, in the order in which one brings about the next, each as what
/// should hold.
const EXPECTATIONS: [(Layer, &str); 9] = [
    (Layer::Settings, "the variables say what is wanted"),
    (
        Layer::Privilege,
        "the container has the privileges that dockerd needs",
    ),
    (Layer::Cgroup, "inner containers can have control groups"),
    (Layer::Storage, "images and containers can be stored"),
    (Layer::Network, "ports, sockets and networks can be had"),
    (Layer::Certs, "clients get certificates that they can use"),
    (Layer::Daemon, "dockerd can be run as it is configured"),
    (Layer::Client, "the job's variables lead to this daemon"),
    (Layer::Registry, "the CAs of registries can be used"),
];

/// Everything that was found, and what would be done.
#[derive(Debug, Default)]
pub struct Report {
    facts: Vec<String>,
    pub findings: Vec<Finding>,
    plan: Vec<String>,
}

impl Report {
    pub fn add_facts(&mut self, lines: &str) {
        self.facts.extend(lines.lines().map(str::to_owned));
    }

    pub fn add_plan(&mut self, lines: &str) {
        self.plan.extend(lines.lines().map(str::to_owned));
    }

    /// That of the worst finding which breaks docker commands, the first of several; else 0.
    pub fn exit_status(&self) -> u8 {
        let breaking = self.findings.iter();
        breaking
            .filter(|finding| finding.severity.breaks())
            .min_by_key(|finding| finding.severity)
            .map_or(0, |finding| finding.reason.layer.exit_status())
    }

    /// An object with `facts` and `plan` (lists of lines), `findings`, and `exit_status`.
    pub fn to_json(&self) -> Value {
        json!({
            "facts": self.facts,
            "findings": self.findings.iter().map(status::as_json).collect::<Vec<_>>(),
            "plan": self.steps(),
            "exit_status": self.exit_status(),
        })
    }

    fn fatal(&self) -> Option<&Finding> {
        self.findings
            .iter()
            .find(|finding| finding.severity == Severity::Fatal)
    }

    fn steps(&self) -> Vec<String> {
        match self.fatal() {
            None => self.plan.clone(),
            Some(finding) => vec![format!("explain {}, and start nothing", finding.reason.id)],
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        section(f, "Facts", &self.facts)?;
        let mut lines = Vec::new();
        for (layer, expectation) in EXPECTATIONS {
            let findings: Vec<_> = self
                .findings
                .iter()
                .filter(|finding| finding.reason.layer == layer)
                .collect();
            let worst = findings.iter().map(|finding| finding.severity).min();
            lines.push(format!("{} {expectation}", mark(worst)));
            for finding in findings {
                let text = format!("{} {finding}", finding.severity);
                lines.extend(text.lines().map(|line| format!("    {line}")));
            }
        }
        section(f, "Findings", &lines)?;
        section(f, "Plan", &self.steps())
    }
}

/// Plain characters: logs of jobs are read in many places.
fn mark(worst: Option<Severity>) -> char {
    match worst {
        None | Some(Severity::Note) => '√',
        Some(Severity::Warning) => '‼',
        Some(Severity::Error | Severity::Fatal) => '×',
    }
}

fn section(f: &mut fmt::Formatter<'_>, title: &str, lines: &[String]) -> fmt::Result {
    writeln!(f, "{title}")?;
    lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reasons::{certs, privilege};

    fn report() -> Report {
        let mut report = Report::default();
        report.add_facts("one\ntwo");
        report.add_plan("run dockerd");
        report
    }

    #[test]
    fn a_good_container_has_a_mark_for_each_layer_and_a_plan() {
        let text = report().to_string();
        assert_eq!(text.matches('√').count(), EXPECTATIONS.len(), "{text}");
        assert!(text.ends_with("Plan\n  run dockerd\n"), "{text}");
        assert_eq!(report().exit_status(), 0);
    }

    #[test]
    fn a_finding_stands_below_its_layer_and_a_fatal_one_is_the_plan() {
        let mut report = report();
        report
            .findings
            .push(certs::UNSHARED.found("no volume", "share it"));
        let text = report.to_string();
        let at = |part: &str| {
            text.find(part)
                .unwrap_or_else(|| panic!("{part} in {text}"))
        };
        assert!(at("× clients get certificates") < at("error CERTS-UNSHARED"));
        assert!(text.contains("run dockerd"));
        assert_eq!(report.exit_status(), 70);

        let fatal = privilege::NOT_PRIVILEGED.found("no CAP_SYS_ADMIN", "privileged = true");
        report.findings.push(fatal);
        assert_eq!(report.exit_status(), 71);
        assert!(
            report
                .to_string()
                .contains("explain NOT-PRIVILEGED, and start nothing")
        );
        assert_eq!(report.to_json()["findings"][1]["id"], "NOT-PRIVILEGED");
        assert_eq!(report.to_json()["exit_status"], 71);
    }
}
