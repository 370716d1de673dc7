//! Why a directory cannot be used, told so that it can be mended.

use std::{io, path::Path};

use super::read_only::read_only;
use crate::{
    facts::certificates::{Access, CA_CERTIFICATES, CERTIFICATE, Directory, File, KEY, Presence},
    pki::{
        origin::ForeignFile,
        verify::{Flaw, Problem},
    },
    reasons::{Finding, Reason, Severity, certs},
    settings::registry::DEFAULT_DIRECTORY as REGISTRY_CA,
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
    let reason = match error.kind {
        io::ErrorKind::PermissionDenied => &certs::DENIED,
        _ => &certs::IO,
    };
    let fix = match error.kind {
        io::ErrorKind::PermissionDenied => {
            "let this container's user read it, or mount another volume there."
        }
        _ => "put a regular file or directory there, or take it away.",
    };
    Err(reason.found(format!("cannot read {error}."), fix))
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
    let path = directory.path.display();
    let fix = if is_lone_ca(directory, foreign) {
        format!(
            "if this is a registry's CA, keep it at {REGISTRY_CA} and not at {path}.\n\
             Then give the certificates an empty volume (Kubernetes executor, config.toml):\n{}",
            empty_dir(&directory.path)
        )
    } else {
        format!(
            "to use certificates of your own, put the server's {CA_CERTIFICATES}, {CERTIFICATE} \
             and {KEY} into {} as well.\nTo have them made, remove these files or mount an empty \
             volume at {path} (Kubernetes executor, config.toml):\n{}",
            sibling(directory, "server"),
            empty_dir(&directory.path)
        )
    };
    certs::FOREIGN.found(format!("{path} holds {}.", list(foreign)), fix)
}

/// Refuses a set of the user's of which only a part is there.
pub(super) fn incomplete(directory: &Directory, there: &[&str], missing: &[&str]) -> Finding {
    let path = directory.path.display();
    certs::INCOMPLETE.found(
        format!(
            "{path} holds {} but no {}.",
            there.join(" and "),
            missing.join(" and no ")
        ),
        format!(
            "add {} to {path}, or take {} away so that certificates are made.",
            missing.join(" and "),
            there.join(" and ")
        ),
    )
}

/// Tells what is wrong with a set.
pub(super) fn flaw(directory: &Directory, flaw: &Flaw) -> Finding {
    flaw_reason(flaw).found(
        format!("{}/{flaw}.", directory.path.display()),
        flaw_fix(directory, flaw),
    )
}

/// Tells why those who trust the `ca.pem` of `trust_of` refuse the certificate of `leaf_of`.
pub(super) fn flaw_between(leaf_of: &Directory, trust_of: &Directory, flaw: &Flaw) -> Finding {
    flaw_reason(flaw).found(
        format!(
            "{}/{CERTIFICATE}, checked with {}/{CA_CERTIFICATES}: {flaw}.",
            leaf_of.path.display(),
            trust_of.path.display()
        ),
        flaw_fix(leaf_of, flaw),
    )
}

/// Files under Kubernetes' names that Docker will not read: ours are written beside them.
pub(super) fn naming(directory: &Directory) -> Option<Finding> {
    let names = kubernetes_names(directory);
    (!names.is_empty()).then(|| {
        certs::NAMING
            .found(
                format!(
                    "{} holds {}, which nothing here reads; new {CA_CERTIFICATES}, {CERTIFICATE} \
                     and {KEY} are written beside them.",
                    directory.path.display(),
                    names.join(", ")
                ),
                String::new(),
            )
            .with_severity(Severity::Warning)
    })
}

/// The lines of a runner's config.toml that mount an empty volume.
pub(super) fn empty_dir(mount_path: &Path) -> String {
    format!(
        "[[runners.kubernetes.volumes.empty_dir]]\n  name = \"docker-certs\"\n  \
         mount_path = \"{}\"\n  medium = \"Memory\"",
        mount_path.display()
    )
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
    certs::DENIED.found(
        format!(
            "the user {} of this container may not {verb} {path}{owner}.",
            directory.user
        ),
        format!(
            "let that user write there (chown, or the pod's fsGroup), or mount an empty volume \
             (Kubernetes executor, config.toml):\n{}",
            empty_dir(&directory.path)
        ),
    )
}

fn sub_path(directory: &Directory, file: &File) -> Finding {
    certs::SUBPATH.found(
        format!(
            "{} is a mount of its own (sub_path), so it can be neither replaced nor removed.",
            file.path.display()
        ),
        format!(
            "take that volume out of the runner's config.toml; a registry's CA belongs at \
             {REGISTRY_CA}.\nMount an empty volume for the certificates:\n{}",
            empty_dir(&directory.path)
        ),
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

fn flaw_fix(directory: &Directory, flaw: &Flaw) -> String {
    let path = directory.path.display();
    let file = &flaw.file;
    match flaw.problem {
        Problem::Mismatch => format!(
            "put a {CA_CERTIFICATES}, {CERTIFICATE} and {KEY} that were made together into {path}."
        ),
        Problem::Expired => format!("renew {file} in {path}."),
        Problem::NotYetValid => {
            "set the node's clock right, or wait until the certificate is valid.".into()
        }
        Problem::Usage => format!(
            "have {file} in {path} issued anew, with the usages that Docker needs: serverAuth for \
             the server, clientAuth for clients, keyCertSign for the CA."
        ),
        Problem::UnreadableKey => format!(
            "put an unencrypted private key in PEM (PKCS#8, RSA or ECDSA) there: {path}/{file}."
        ),
        Problem::Missing | Problem::Unreadable => {
            format!("put certificates in PEM there: {path}/{file}.")
        }
        Problem::Unverified => String::new(),
    }
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

pub(super) fn sibling(directory: &Directory, name: &str) -> String {
    directory.path.with_file_name(name).display().to_string()
}

pub(super) fn list(foreign: &[ForeignFile]) -> String {
    let files: Vec<_> = foreign
        .iter()
        .map(|file| format!("{}, {}", file.name, file.what))
        .collect();
    files.join("; ")
}
