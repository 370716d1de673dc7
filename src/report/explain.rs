//! A finding in the words of those who get it.

use crate::reasons::{Finding, Severity};

/// The answer to a docker command, which the CLI prints after `Error response from daemon: `.
///
/// `also` is what else was found to be wrong. It is worth a line each: whoever mends the first would
/// only meet the next.
pub fn api_message(finding: &Finding, also: &[Finding]) -> String {
    let mut message = format!("this job's Docker daemon is not running.\ndind-init: {finding}");
    for other in also {
        message.push_str(&format!(
            "\n  Also: {}: {}",
            other.reason.id, other.reason.summary
        ));
    }
    message
}

/// The first line alone, for places that have room for no more.
pub fn one_line(finding: &Finding) -> String {
    format!(
        "dind-init: {} {}: {}",
        finding.severity, finding.reason.id, finding.reason.summary
    )
}

/// What is appended to the runner's log file: plain text that begins and ends a line. The worst
/// finding comes first.
///
/// A job may not use Docker at all, and is not to be frightened then.
pub fn job_log_entry(findings: &[Finding]) -> String {
    let mut findings: Vec<_> = findings.iter().collect();
    findings.sort_by_key(|finding| finding.severity);
    let preface = match findings.first().map(|worst| worst.severity) {
        Some(Severity::Fatal) => {
            "Docker will not work in this job (ignore this if it does not use Docker):"
        }
        _ => "docker commands of this job may fail (ignore this if it has none):",
    };
    let mut entry = format!("\ndind-init: {preface}\n");
    for finding in findings {
        entry.push_str(&format!("dind-init: {} {finding}\n", finding.severity));
    }
    entry
}

/// A DNS name that is the message: a Go client that trusts some other CA prints the names of the
/// server's certificate before it looks at the chain.
///
/// Letters, digits and hyphens, in labels of at most 63 characters and 253 in all. Nothing is cut
/// in its middle: what there is no room for is left out, the summary before the cause, and the cause
/// before the fix.
pub fn certificate_name(finding: &Finding) -> String {
    let reason = finding.reason;
    let cause = finding.cause.split([';', '\n']).next().unwrap_or_default();
    let cause = cause.split(". ").next().unwrap_or_default();
    // By how much each is wanted, and where it stands.
    let parts = [
        (1, reason.id),
        (6, "dind-init"),
        (4, reason.in_short),
        (3, cause),
        (5, "set CI-DEBUG-SERVICES true"),
        (2, reason.summary),
    ];
    let mut told: Vec<(u8, String)> = Vec::new();
    let mut length = 0;
    for (place, text) in parts {
        let name = labels(text).join(".");
        if !name.is_empty() && length + name.len() < DNS_NAME {
            length += name.len() + 1;
            told.push((place, name));
        }
    }
    told.sort_by_key(|(place, _)| *place);
    let names: Vec<_> = told.into_iter().map(|(_, name)| name).collect();
    names.join(".")
}

/// The length of a DNS name, at most (RFC 1035, without the root's label).
const DNS_NAME: usize = 253;

/// The words of `text`, as many in a label as it holds.
fn labels(text: &str) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for word in text
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let word = &word[..word.len().min(63)];
        match labels.last_mut() {
            Some(label) if label.len() + 1 + word.len() <= 63 => {
                label.push('-');
                label.push_str(word);
            }
            _ => labels.push(word.to_owned()),
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reasons::certs;

    fn finding() -> Finding {
        certs::READONLY.found(
            "/certs/client is a read-only Secret volume. It holds ca.pem, a CA certificate \
             CN=Example Corp Registry CA that is not ours.",
            "move it:\n{\"script\": \"/scripts\"}",
        )
    }

    #[test]
    fn the_answer_to_docker_has_the_id_the_cause_and_the_fix() {
        let also = [certs::UNSHARED.noted("")];
        let message = api_message(&finding(), &also);
        for part in [
            "CERTS-READONLY",
            "Secret volume",
            "move it",
            "Also: CERTS-UNSHARED",
        ] {
            assert!(message.contains(part), "{message}");
        }
        assert!(message.lines().count() <= 14);
    }

    #[test]
    fn the_job_log_gets_whole_lines_that_are_no_status_of_the_runner() {
        let entry = job_log_entry(&[finding()]);
        assert!(entry.starts_with('\n') && entry.ends_with('\n'));
        let error = certs::UNSHARED.noted("x").with_severity(Severity::Error);
        let both = job_log_entry(&[error.clone(), finding()]);
        let ids: Vec<_> = both
            .lines()
            .filter(|line| line.contains("CERTS-"))
            .collect();
        assert!(ids[0].contains("fatal CERTS-READONLY"), "{both}");
        assert!(ids[1].contains("error CERTS-UNSHARED"), "{both}");
        assert_eq!(both.matches("ignore this").count(), 1, "{both}");
        let milder = job_log_entry(&[error]);
        assert!(
            milder.contains("may fail (ignore this if it has none)"),
            "{milder}"
        );
        // The runner reads a line as JSON, which may begin with white space.
        let is_json = |line| serde_json::from_str::<serde_json::Value>(line).is_ok();
        assert!(!entry.lines().any(is_json), "{entry}");
        assert!(
            entry
                .lines()
                .nth(1)
                .unwrap()
                .contains("Docker will not work in this job")
        );
    }

    #[test]
    fn the_certificate_s_name_is_the_message_and_a_dns_name() {
        let name = certificate_name(&finding());
        assert_eq!(
            name,
            "CERTS-READONLY.the-directory-for-the-TLS-certificates-is-read-only-and-holds.\
             no-set-that-can-be-used.certs-client-is-a-read-only-Secret-volume.\
             mount-an-empty-volume-at-certs-client.set-CI-DEBUG-SERVICES-true.dind-init"
        );
    }

    #[test]
    fn what_a_certificate_s_name_has_no_room_for_is_left_out_whole() {
        let long = certs::READONLY.found("word ".repeat(200), "");
        let name = certificate_name(&long);
        assert!(!name.contains("word"), "{name}");
        assert!(name.contains("mount-an-empty-volume"), "{name}");
        for reason in crate::reasons::all() {
            let name = certificate_name(&reason.found("x".repeat(100), ""));
            assert!(name.starts_with(reason.id), "{name}");
            assert!(name.ends_with(".dind-init"), "{name}");
            assert!(name.contains(&labels(reason.in_short).join(".")), "{name}");
            assert!(name.len() <= DNS_NAME, "{name}");
            assert!(
                name.split('.').all(|label| (1..=63).contains(&label.len())),
                "{name}"
            );
        }
    }
}
