//! Why a directory cannot be used, told so that it can be mended.

use std::io;

use super::read_only::read_only;
use crate::{
    facts::certificates::{Access, CA_CERTIFICATES, CERTIFICATE, Directory, File, KEY, Presence},
    pki::{
        origin::ForeignFile,
        verify::{Flaw, Problem},
    },
    reasons::{Finding, Reason, Severity, certs, hole::Hole},
};

/// Kubernetes' and cert-manager's names for what Docker calls `ca.pem`, `cert.pem` and `key.pem`.
pub(super) const KUBERNETES_NAMES: [(&str, &str); 3] = [
    ("ca.crt", CA_CERTIFICATES),
    ("tls.crt", CERTIFICATE),
    ("tls.key", KEY),
];

/// Refuses a directory, or a file in it, that cannot be read.
pub(super) fn unreadable(directory: &Directory) -> Result<(), Finding> {
    let error = match &directory.presence {
        Presence::Unreadable(error) => error,
        _ => match directory.unreadable().next() {
            Some(error) => error,
            None => return Ok(()),
        },
    };
    let cause = format!("cannot read {error}.");
    Err(match error.kind {
        io::ErrorKind::PermissionDenied => certs::DENIED.met_with(cause, at(directory)),
        _ => certs::IO.met(cause),
    })
}

/// Refuses a directory into which a set has to be written and cannot be.
pub(super) fn unwritable(directory: &Directory, foreign: &[ForeignFile]) -> Result<(), Finding> {
    if let Some(file) = directory.mounted_files().next() {
        return Err(sub_path(directory, file));
    }
    match directory.access {
        Access::Writable => Ok(()),
        Access::ReadOnly => Err(read_only(directory, foreign)),
        Access::Denied => Err(denied(directory)),
    }
}

/// Refuses files that are not ours where ours have to be written.
pub(super) fn foreign(directory: &Directory, foreign: &[ForeignFile]) -> Finding {
    if let Err(finding) = unwritable(directory, foreign) {
        return finding;
    }
    let cause = format!("{} holds {}.", directory.path.display(), list(foreign));
    if is_lone_ca(directory, foreign) {
        return certs::FOREIGN.advised(cause, certs::FOREIGN_LONE_CA, at(directory));
    }
    let [there] = at(directory);
    certs::FOREIGN.met_with(cause, [there, server_beside(directory)])
}

/// Refuses a set of the user's of which only a part is there.
pub(super) fn incomplete(directory: &Directory, there: &[&str], missing: &[&str]) -> Finding {
    let path = directory.path.display();
    let [at] = at(directory);
    certs::INCOMPLETE.met_with(
        format!(
            "{path} holds {} but no {}.",
            there.join(" and "),
            missing.join(" and no ")
        ),
        [
            at,
            (Hole::There, there.join(" and ")),
            (Hole::Missing, missing.join(" and ")),
        ],
    )
}

/// Tells what is wrong with a set.
pub(super) fn flaw(directory: &Directory, flaw: &Flaw) -> Finding {
    let cause = format!("{}/{flaw}.", directory.path.display());
    flaw_reason(flaw).met_with(cause, flawed(directory, flaw))
}

/// Tells why those who trust the `ca.pem` of `trust_of` refuse the certificate of `leaf_of`.
pub(super) fn flaw_between(leaf_of: &Directory, trust_of: &Directory, flaw: &Flaw) -> Finding {
    let cause = format!(
        "{}/{CERTIFICATE}, checked with {}/{CA_CERTIFICATES}: {flaw}.",
        leaf_of.path.display(),
        trust_of.path.display()
    );
    flaw_reason(flaw).met_with(cause, flawed(leaf_of, flaw))
}

/// Files under Kubernetes' names that Docker will not read: ours are written beside them.
pub(super) fn naming(directory: &Directory) -> Option<Finding> {
    let names = kubernetes_names(directory);
    (!names.is_empty()).then(|| {
        certs::NAMING
            .noted(format!(
                "{} holds {}, which nothing here reads; new {CA_CERTIFICATES}, {CERTIFICATE} \
                 and {KEY} are written beside them.",
                directory.path.display(),
                names.join(", ")
            ))
            .with_severity(Severity::Warning)
    })
}

fn denied(directory: &Directory) -> Finding {
    let path = directory.path.display();
    let verb = match directory.presence {
        Presence::Missing => "make",
        _ => "write to",
    };
    let owner = directory.owner.map_or_else(String::new, |owner| {
        format!(
            " (owner {}:{}, mode {:04o})",
            owner.user, owner.group, owner.mode
        )
    });
    certs::DENIED.met_with(
        format!(
            "the user {} of this container may not {verb} {path}{owner}.",
            directory.user
        ),
        at(directory),
    )
}

fn sub_path(directory: &Directory, file: &File) -> Finding {
    certs::SUBPATH.met_with(
        format!(
            "{} is a mount of its own (sub_path), so it can be neither replaced nor removed.",
            file.path.display()
        ),
        at(directory),
    )
}

fn flaw_reason(flaw: &Flaw) -> &'static Reason {
    match flaw.problem {
        Problem::Missing => &certs::INCOMPLETE,
        Problem::Unreadable => &certs::UNREADABLE,
        Problem::UnreadableKey => &certs::UNREADABLE,
        Problem::Mismatch => &certs::MISMATCH,
        Problem::Expired => &certs::EXPIRED,
        Problem::NotYetValid => &certs::NOT_YET_VALID,
        Problem::Usage => &certs::USAGE,
        Problem::Unverified => &certs::UNVERIFIED,
    }
}

fn flawed(directory: &Directory, flaw: &Flaw) -> [(Hole, String); 4] {
    let [at] = at(directory);
    [
        at,
        (Hole::File, flaw.file.to_string()),
        (Hole::Missing, flaw.file.to_string()),
        (Hole::There, "the others".to_owned()),
    ]
}

pub(super) fn at(directory: &Directory) -> [(Hole, String); 1] {
    [(Hole::Directory, directory.path.display().to_string())]
}

/// Where the server's set belongs, for one of its clients.
pub(super) fn server_beside(directory: &Directory) -> (Hole, String) {
    let path = directory.path.with_file_name("server");
    (Hole::ServerDirectory, path.display().to_string())
}

/// A CA and nothing of a set: most likely a registry's, mounted in the wrong place.
pub(super) fn is_lone_ca(directory: &Directory, foreign: &[ForeignFile]) -> bool {
    let is_ca_by_name = directory.names.len() == 1
        && directory.names[0] != CERTIFICATE
        && [".crt", ".pem"]
            .iter()
            .any(|ending| directory.names[0].ends_with(ending));
    match foreign {
        [] => is_ca_by_name,
        [file] => file.is_ca,
        _ => false,
    }
}

pub(super) fn kubernetes_names(directory: &Directory) -> Vec<&str> {
    KUBERNETES_NAMES
        .iter()
        .map(|(theirs, _)| *theirs)
        .filter(|theirs| directory.names.iter().any(|name| name == theirs))
        .collect()
}

pub(super) fn list(foreign: &[ForeignFile]) -> String {
    let files: Vec<_> = foreign
        .iter()
        .map(|file| format!("{}, {}", file.name, file.what))
        .collect();
    files.join("; ")
}

#[cfg(test)]
mod tests;
