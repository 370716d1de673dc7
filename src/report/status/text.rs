//! The status for shells that have nothing but `read` and `sed`.
//!
//! ```text
//! ready job=17 version=0.1.0 docker=26.1.5
//! start|dind-init: error CLIENT-…: …
//! start|  Cause: …
//! later|dind-init: error STORAGE-…: …
//! ```
//!
//! The first line begins with the state. Then come the findings that belong into the job's log, a
//! mark before each line: `start` for those that were known when dockerd became ready or could not,
//! `above` for those of them that this service has put into the job's log itself, and `later` for
//! those that came while dockerd ran.

use super::Status;

pub(super) fn render(status: &Status, job: &str) -> String {
    let mut text = format!(
        "{} job={job} version={} docker={}\n",
        status.state.name(),
        env!("CARGO_PKG_VERSION"),
        status.docker.as_deref().unwrap_or_default()
    );
    for (number, finding) in status.findings.iter().enumerate() {
        if !finding.severity.breaks() {
            continue;
        }
        let mark = match number < status.known_at_start {
            true if status.in_job_log.contains(&number) => "above",
            true => "start",
            false => "later",
        };
        let words = format!("dind-init: {} {finding}", finding.severity);
        for line in words.lines() {
            text.push_str(&format!("{mark}|{line}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        reasons::{certs, daemon, network},
        report::status::State,
    };

    #[test]
    fn each_line_of_a_finding_says_when_it_was_known() {
        let status = Status {
            state: State::Ready,
            docker: Some("26.1.5+dfsg1".into()),
            findings: vec![
                certs::UNSHARED.found("no volume", "add one:\n    a line"),
                network::MTU.found("a note", ""),
                certs::READONLY.found("a Secret", "move it"),
                daemon::KILLED.found("a signal", "look there"),
            ],
            known_at_start: 3,
            in_job_log: [2, 3].into(),
            failure: None,
        };
        let text = render(&status, "17");
        let mut lines = text.lines();
        let first = format!(
            "ready job=17 version={} docker=26.1.5+dfsg1",
            env!("CARGO_PKG_VERSION")
        );
        assert_eq!(lines.next(), Some(first.as_str()));
        let marks: Vec<_> = lines
            .map(|line| line.split_once('|').unwrap())
            .map(|(mark, words)| (mark, words.contains("dind-init: ")))
            .collect();
        let heads: Vec<_> = marks.iter().filter(|(_, is_head)| *is_head).collect();
        let expected = ["start", "above", "later"].map(|mark| (mark, true));
        assert_eq!(heads, expected.iter().collect::<Vec<_>>(), "{text}");
        assert!(
            text.contains("start|dind-init: error CERTS-UNSHARED"),
            "{text}"
        );
        assert!(text.contains("a line\n"), "{text}");
        assert!(!text.contains("a note"), "{text}");
    }
}
