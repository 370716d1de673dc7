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
