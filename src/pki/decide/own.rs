//! The user's own certificates: verified as official does, and more; never written.

use time::OffsetDateTime;

use super::{ClientAction, Wanted, refusals};
use crate::{
    facts::certificates::{CA_CERTIFICATES, CERTIFICATE, CertificateDirectory, Directory, KEY},
    pki::{
        inspect::Certificate,
        origin::ForeignFile,
        verify::{Problem, Set, Usage},
    },
    reasons::{Finding, Severity, certs, hole::Hole},
    settings::subject_names::SubjectName,
};

const SET: [&str; 3] = [CA_CERTIFICATES, CERTIFICATE, KEY];

/// The set in `server/`, with what is doubtful about it. The error is fatal: dockerd or every
/// client would refuse it.
pub(super) fn verified_server(
    directory: &Directory,
    foreign: &[ForeignFile],
    wanted: &Wanted<'_>,
) -> Result<(Set, Vec<Finding>), Finding> {
    let (there, missing): (Vec<_>, Vec<_>) = SET
        .into_iter()
        .partition(|name| directory.content(name).is_some());
    if !missing.is_empty() {
        // One file that is the user's makes the others theirs too.
        debug_assert!(!foreign.is_empty());
        return Err(refusals::incomplete(directory, &there, &missing));
    }
    let set = Set::read(directory).map_err(|flaw| refusals::flaw(directory, &flaw))?;
    let mut findings = names(directory, &set.leaf, wanted);
    match set.verify(&set.authorities, Usage::Server, wanted.now) {
        Err(flaw) if flaw.problem == Problem::Unverified => {
            findings.push(refusals::flaw(directory, &flaw));
        }
        verified => verified.map_err(|flaw| refusals::flaw(directory, &flaw))?,
    }
    Ok((set, findings))
}

/// What is to be said of a `client/` beside the user's own `server/`: nothing of it stops dockerd,
/// because this job's clients may have their certificates from elsewhere.
pub(super) fn client(
    found: &CertificateDirectory,
    server: &Set,
    now: OffsetDateTime,
) -> (ClientAction, Vec<Finding>) {
    let directory = &found.client;
    if let Err(finding) = refusals::unreadable(directory) {
        return (
            ClientAction::Leave,
            vec![finding.with_severity(Severity::Error)],
        );
    }
    let (there, missing): (Vec<_>, Vec<_>) = SET
        .into_iter()
        .partition(|name| directory.content(name).is_some());
    if there.is_empty() {
        let finding = certs::INCOMPLETE
            .advised(
                format!(
                    "{} holds your own server certificate, so none are made for clients; {} holds \
                     none either.",
                    found.server.path.display(),
                    directory.path.display()
                ),
                certs::INCOMPLETE_CLIENT,
                refusals::at(directory),
            )
            .with_severity(Severity::Warning);
        return (ClientAction::Leave, vec![finding]);
    }
    if !missing.is_empty() {
        let finding = refusals::incomplete(directory, &there, &missing);
        return (
            ClientAction::Leave,
            vec![finding.with_severity(Severity::Error)],
        );
    }
    let set = match Set::read(directory) {
        Ok(set) => set,
        Err(flaw) => {
            let finding = refusals::flaw(directory, &flaw).with_severity(Severity::Error);
            return (ClientAction::Leave, vec![finding]);
        }
    };
    let mut findings: Vec<_> = [
        (
            set.verify(&server.authorities, Usage::Client, now),
            directory,
            &found.server,
        ),
        (
            server.verify(&set.authorities, Usage::Server, now),
            &found.server,
            directory,
        ),
    ]
    .into_iter()
    .filter_map(|(verified, leaf_of, trust_of)| {
        let flaw = verified.err()?;
        let severity = match flaw.problem {
            Problem::Unverified => Severity::Warning,
            _ => Severity::Error,
        };
        Some(refusals::flaw_between(leaf_of, trust_of, &flaw).with_severity(severity))
    })
    .collect();
    let action = match findings.is_empty() {
        true => ClientAction::UseOwn,
        false => ClientAction::Leave,
    };
    findings.extend(key_for_root_alone(directory));
    (action, findings)
}

/// Secrets often are; official's key is not, on purpose (docker-library/docker#171).
fn key_for_root_alone(directory: &Directory) -> Option<Finding> {
    let key = directory.file(KEY)?;
    (!key.is_readable_by_all).then(|| {
        certs::UNREADABLE_KEY.met(format!(
            "the permissions of {} keep other users from reading it.",
            key.path.display()
        ))
    })
}

/// The names that clients will dial and the server certificate does not have.
pub(super) fn names(
    directory: &Directory,
    leaf: &Certificate,
    wanted: &Wanted<'_>,
) -> Vec<Finding> {
    let usual = SubjectName::Dns("docker".into());
    let (dialled, severity) = match &wanted.job.docker_host {
        Some(host) => (host, Severity::Error),
        None => (&usual, Severity::Warning),
    };
    let mut findings = Vec::new();
    if !leaf.covers(dialled) {
        findings.push(uncovered(directory, leaf, dialled).with_severity(severity));
    }
    for name in &wanted.settings.names {
        if name != dialled && !leaf.covers(name) {
            findings.push(uncovered(directory, leaf, name).with_severity(Severity::Warning));
        }
    }
    findings
}

fn uncovered(directory: &Directory, leaf: &Certificate, name: &SubjectName) -> Finding {
    let own: Vec<_> = leaf.names.iter().map(SubjectName::to_string).collect();
    let own = match own.len() {
        0 => "for no name at all (clients ignore the common name)".to_owned(),
        1..=6 => format!("for {}", own.join(", ")),
        more => format!("for {} and {} more", own[..6].join(", "), more - 6),
    };
    let cause = format!(
        "{}/{CERTIFICATE} ({}) is {own}, not for {name}.",
        directory.path.display(),
        leaf.subject
    );
    let uncovered = (Hole::Uncovered, name.to_string());
    match leaf.names.first() {
        Some(SubjectName::Dns(covered)) if !covered.starts_with("*.") => {
            let covered = (Hole::Covered, covered.clone());
            certs::NAME.met_with(cause, [uncovered, covered])
        }
        _ => certs::NAME.advised(cause, certs::NAME_ALONE, [uncovered]),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use time::OffsetDateTime;

    use super::*;
    use crate::{
        facts::mounts::Mounts,
        pki::{
            decide::Job,
            issue::{Authority, Validity},
            keys::new_key,
        },
        settings::CertificateSettings,
    };

    fn subject_names(list: &str) -> Vec<SubjectName> {
        SubjectName::parse_list("DOCKER_TLS_SAN", list).unwrap()
    }

    fn certificate_for(list: &str) -> Certificate {
        let validity = Validity::days_from(OffsetDateTime::now_utc(), 1);
        let authority = Authority::create(validity).unwrap();
        let names = subject_names(list);
        let issued = authority.issue_server(&new_key().unwrap(), &names, &[], validity);
        let pem = issued.unwrap().certificate_pem;
        Certificate::parse_pem(pem.as_bytes()).unwrap().remove(0)
    }

    /// What is told of a certificate for `covered` in a job with this `DOCKER_HOST` and
    /// `DOCKER_TLS_SAN`.
    fn told(covered: &str, docker_host: &str, san: &str) -> Vec<Finding> {
        let settings = CertificateSettings {
            names: subject_names(san),
            ..CertificateSettings::of(Path::new("/certs"))
        };
        let wanted = Wanted {
            settings: &settings,
            names: &[],
            job: Job {
                docker_host: SubjectName::from_host(docker_host),
                ..Job::default()
            },
            now: OffsetDateTime::now_utc(),
        };
        let server = Directory::survey(Path::new("/nowhere/server"), &Mounts::default());
        names(&server, &certificate_for(covered), &wanted)
    }

    /// The job fails for certain only where it says itself what it dials.
    #[test]
    fn a_name_that_is_dialled_and_lacks_is_an_error_and_one_that_may_be_is_a_warning() {
        use Severity::{Error, Warning};
        for (covered, docker_host, san, expected) in [
            ("docker", "", "", &[][..]),
            ("example", "", "", &[("docker", Warning)]),
            ("example", "example", "", &[]),
            ("docker", "example", "", &[("example", Error)]),
            ("docker", "", "docker,a.example", &[("a.example", Warning)]),
            // Once is enough.
            ("docker", "example", "example", &[("example", Error)]),
            (
                "docker",
                "example",
                "a.example,docker,b.example",
                &[
                    ("example", Error),
                    ("a.example", Warning),
                    ("b.example", Warning),
                ],
            ),
        ] {
            let findings = told(covered, docker_host, san);
            let expected: Vec<_> = expected
                .iter()
                .map(|(name, severity)| (format!("not for {name}."), *severity))
                .collect();
            assert_eq!(findings.len(), expected.len(), "{findings:?}");
            for (finding, (words, severity)) in findings.iter().zip(expected) {
                assert!(finding.cause.ends_with(&words), "{finding}");
                assert_eq!(finding.severity, severity, "{finding}");
            }
        }
    }

    #[test]
    fn the_names_that_it_has_are_told_and_no_list_is_endless() {
        for (covered, said) in [
            ("", "is for no name at all (clients ignore the common name)"),
            ("a,b,c,d,e,f", "is for a, b, c, d, e, f, not for docker."),
            ("a,b,c,d,e,f,g,h", "is for a, b, c, d, e, f and 2 more,"),
        ] {
            let finding = told(covered, "", "").remove(0);
            assert!(finding.cause.contains(said), "{finding}");
        }
    }

    /// The service's alias can be a name; it can be neither a wildcard nor an address.
    #[test]
    fn a_name_that_the_certificate_has_is_offered_where_it_can_be_an_alias() {
        for (covered, alias) in [
            ("a.example,10.0.0.5", Some("a.example")),
            ("*.example", None),
            ("10.0.0.5", None),
            ("", None),
        ] {
            let finding = told(covered, "", "").remove(0);
            assert!(finding.fix.contains("docker"), "{finding}");
            let offered = finding.fix.contains("the alias");
            assert_eq!(offered, alias.is_some(), "{finding}");
            assert!(finding.fix.contains(alias.unwrap_or_default()), "{finding}");
        }
    }
}
