//! A TLS handshake that failed, judged by what is known of the certificates and of the job.

use crate::reasons::{Finding, Severity, certs, client, hole::Hole};

/// What is known in that moment.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Somebody else's set lies where ours was published.
    pub overwritten: Option<Finding>,
    /// That the server's certificate lacks a name was told already.
    pub name_is_told: bool,
    /// The job's `DOCKER_CERT_PATH` is another directory than the one that is served from here.
    pub reads_elsewhere: bool,
    /// The job's variables lead its docker commands here, with their certificates.
    pub is_led_here: bool,
    /// The names of the server's certificate, with commas.
    pub names: String,
}

/// What is told instead of `finding`, which dockerd's log alone shows.
///
/// Go's clients send the same alert for a name that the certificate lacks and for a CA that they do
/// not know (`crypto/tls`: `alertBadCertificate` for every error of the verification); so do Java's
/// with another one.
pub fn judge(finding: Finding, known: &Known) -> Vec<Finding> {
    let reason = finding.reason;
    if *reason == client::WRONG_CA {
        if let Some(overwritten) = &known.overwritten {
            return vec![overwritten.clone(), finding];
        }
        return match is_about_the_ca(&finding.cause) || known.reads_elsewhere {
            true => vec![finding],
            // The client's refusal follows from it.
            false if known.name_is_told => Vec::new(),
            false => vec![refused(&finding.cause, &known.names)],
        };
    }
    let has_no_certificate = *reason == client::NO_CERTIFICATE || *reason == client::HTTP_ON_TLS;
    if has_no_certificate && known.is_led_here {
        // Somebody who waits for the port, such as a loop of curl.
        return vec![finding.with_severity(Severity::Note)];
    }
    vec![finding]
}

/// Whether the words of the handshake leave nothing else: OpenSSL's clients say so, and so does
/// dockerd where it is the one who refuses.
fn is_about_the_ca(words: &str) -> bool {
    words.contains("unknown certificate authority") || words.contains("x509: ")
}

fn refused(words: &str, names: &str) -> Finding {
    certs::NAME.advised(
        format!(
            "{words}\nSo a client has refused the server's certificate, which is for {names}. Most \
             likely it calls the daemon by another name, which the script sets: what is set there is \
             not known here. Or it reads the certificates of another daemon, from another directory."
        ),
        certs::NAME_OF_A_SCRIPT,
        [(Hole::Names, Hole::Names.example().to_owned())],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAD: &str = "dockerd says: http: TLS handshake error from 10.0.0.7:1: remote error: tls: \
                       bad certificate";

    fn told(words: &str, known: &Known) -> String {
        let finding = client::WRONG_CA.met(words);
        let told = judge(finding, known);
        let ids: Vec<_> = told.iter().map(|finding| finding.reason.id).collect();
        ids.join(" ")
    }

    #[test]
    fn where_our_own_set_is_published_still_it_is_the_name() {
        let ours = Known {
            names: "docker, localhost".into(),
            ..Known::default()
        };
        assert_eq!(told(BAD, &ours), "CERTS-NAME");
        let java = BAD.replace("bad certificate", "unknown certificate");
        assert_eq!(told(&java, &ours), "CERTS-NAME");
        let finding = judge(client::WRONG_CA.met(BAD), &ours).remove(0);
        assert_eq!(finding.severity, Severity::Error);
        for part in [
            "is for docker, localhost.",
            "another daemon",
            "bad certificate",
        ] {
            assert!(finding.cause.contains(part), "{part} in {}", finding.cause);
        }
        let told_already = Known {
            name_is_told: true,
            ..ours
        };
        assert_eq!(told(BAD, &told_already), "");
    }

    #[test]
    fn another_ca_is_one_that_the_words_the_files_or_the_job_s_path_show() {
        let ours = Known::default();
        for words in [
            "remote error: tls: unknown certificate authority",
            "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        ] {
            assert_eq!(told(words, &ours), "CLIENT-WRONG-CA", "{words}");
        }
        let elsewhere = Known {
            reads_elsewhere: true,
            ..Known::default()
        };
        assert_eq!(told(BAD, &elsewhere), "CLIENT-WRONG-CA");
        let overwritten = Known {
            overwritten: Some(certs::OVERWRITTEN.met("")),
            ..Known::default()
        };
        assert_eq!(told(BAD, &overwritten), "CERTS-OVERWRITTEN CLIENT-WRONG-CA");
    }

    #[test]
    fn whoever_tries_the_port_is_no_error_in_a_job_that_is_right() {
        for reason in [&client::NO_CERTIFICATE, &client::HTTP_ON_TLS] {
            for (is_led_here, severity) in [(true, Severity::Note), (false, Severity::Error)] {
                let known = Known {
                    is_led_here,
                    ..Known::default()
                };
                let told = judge(reason.met(""), &known);
                assert_eq!(told[0].severity, severity, "{}", reason.id);
            }
        }
    }
}
