//! A finding in the words of those who get it.

use crate::reasons::Finding;

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

/// What is appended to the runner's log file: plain text that begins and ends a line.
///
/// No line begins with `{`, which the runner could take for a status of its own.
pub fn job_log_entry(finding: &Finding) -> String {
    let text = finding.to_string().replace("\n{", "\n {");
    format!(
        "\ndind-init: this matters only if the job uses docker:\ndind-init: {} {text}\n",
        finding.severity
    )
}

/// A DNS name that is the message: a Go client that trusts some other CA prints the names of the
/// server's certificate before it looks at the chain.
///
/// Letters, digits and hyphens, in labels of at most 63 characters and 253 in all.
pub fn certificate_name(finding: &Finding) -> String {
    const TAIL: &str = "see-the-log-of-the-docker-service.dind-init";
    let mut name = finding.reason.id.to_owned();
    for part in [finding.reason.summary, finding.cause.as_str()] {
        for label in labels(part) {
            if name.len() + label.len() + TAIL.len() + 2 > 253 {
                return format!("{name}.{TAIL}");
            }
            name.push('.');
            name.push_str(&label);
        }
    }
    format!("{name}.{TAIL}")
}

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
            "move it:\n{\"not\": \"a status\"}",
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
        let entry = job_log_entry(&finding());
        assert!(entry.starts_with('\n') && entry.ends_with('\n'));
        assert!(entry.lines().all(|line| !line.starts_with('{')), "{entry}");
        assert!(
            entry
                .lines()
                .nth(1)
                .unwrap()
                .contains("only if the job uses docker")
        );
    }

    #[test]
    fn the_certificate_s_name_is_the_message_and_a_dns_name() {
        let long = certs::READONLY.found("word ".repeat(200), "");
        for finding in [finding(), long] {
            let name = certificate_name(&finding);
            assert!(name.starts_with("CERTS-READONLY."), "{name}");
            assert!(name.len() <= 253, "{name}");
            assert!(
                name.split('.').all(|label| (1..=63).contains(&label.len())),
                "{name}"
            );
            assert!(name.ends_with("see-the-log-of-the-docker-service.dind-init"));
        }
        assert!(certificate_name(&finding()).contains("read-only"));
    }
}
