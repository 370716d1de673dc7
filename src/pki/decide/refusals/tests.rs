use std::{fs, path::Path};

use tempfile::tempdir;

use super::*;
use crate::facts::{certificates::Owner, file::ReadError, mounts::Mounts};

/// `/certs/client` with these names in it, whatever they hold.
fn directory(names: &[&str]) -> Directory {
    let mut directory = Directory::survey(Path::new("/nowhere"), &Mounts::default());
    directory.path = "/certs/client".into();
    directory.presence = Presence::Present;
    directory.access = Access::Writable;
    directory.user = 1000;
    directory.owner = Some(Owner {
        user: 0,
        group: 0,
        mode: 0o755,
    });
    directory.names = names.iter().map(|&name| name.to_owned()).collect();
    directory
}

fn id(judged: Result<(), Finding>) -> Option<&'static str> {
    judged.err().map(|finding| finding.reason.id)
}

#[test]
fn what_cannot_be_read_is_refused_with_its_path_and_why() {
    let mut found = directory(&[]);
    assert_eq!(unreadable(&found), Ok(()));
    for (kind, id) in [
        (io::ErrorKind::PermissionDenied, "CERTS-DENIED"),
        (io::ErrorKind::NotADirectory, "CERTS-IO"),
    ] {
        let error = ReadError::new(&found.path, &kind.into());
        found.presence = Presence::Unreadable(error);
        let finding = unreadable(&found).unwrap_err();
        assert_eq!(finding.reason.id, id);
        let cause = format!("cannot read /certs/client: {kind}.");
        assert_eq!(finding.cause, cause);
    }

    // And so is a single file.
    let root = tempdir().unwrap();
    fs::create_dir(root.path().join(KEY)).unwrap();
    let found = Directory::survey(root.path(), &Mounts::default());
    let finding = unreadable(&found).unwrap_err();
    assert_eq!(finding.reason.id, "CERTS-IO");
    let said = "key.pem: not a regular file.";
    assert!(finding.cause.ends_with(said), "{finding}");
}

#[test]
fn what_cannot_be_written_is_refused_with_who_may_not_do_what() {
    let mut found = directory(&[]);
    assert_eq!(id(unwritable(&found, &[])), None);
    found.access = Access::ReadOnly;
    assert_eq!(id(unwritable(&found, &[])), Some("CERTS-READONLY"));
    found.access = Access::Denied;
    let finding = unwritable(&found, &[]).unwrap_err();
    assert_eq!(finding.reason.id, "CERTS-DENIED");
    assert_eq!(
        finding.cause,
        "the user 1000 of this container may not write to /certs/client \
         (owner 0:0, mode 0755)."
    );
    found.presence = Presence::Missing;
    found.owner = None;
    assert_eq!(
        unwritable(&found, &[]).unwrap_err().cause,
        "the user 1000 of this container may not make /certs/client."
    );
}

/// What is wrong with a set has the reason whose fix mends it, and names the file.
#[test]
fn each_flaw_has_its_reason_and_its_file() {
    let found = directory(&[]);
    for (problem, id, in_fix) in [
        (
            Problem::Missing,
            "CERTS-INCOMPLETE",
            "Add ca.pem to /certs/client",
        ),
        (
            Problem::Unreadable,
            "CERTS-UNREADABLE",
            "/certs/client/ca.pem",
        ),
        (
            Problem::UnreadableKey,
            "CERTS-UNREADABLE",
            "/certs/client/ca.pem",
        ),
        (
            Problem::Mismatch,
            "CERTS-MISMATCH",
            "made together into /certs/client",
        ),
        (
            Problem::Expired,
            "CERTS-EXPIRED",
            "Renew ca.pem in /certs/client",
        ),
        (Problem::NotYetValid, "CERTS-NOT-YET-VALID", "clock"),
        (
            Problem::Usage,
            "CERTS-USAGE",
            "Have ca.pem in /certs/client issued again",
        ),
        (
            Problem::Unverified,
            "CERTS-UNVERIFIED",
            "Nothing has to be changed",
        ),
    ] {
        let told = Flaw {
            problem,
            file: CA_CERTIFICATES.into(),
            why: "is odd".into(),
        };
        let finding = flaw(&found, &told);
        assert_eq!(finding.reason.id, id);
        assert_eq!(finding.cause, "/certs/client/ca.pem is odd.");
        assert!(finding.fix.contains(in_fix), "{finding}");
    }
}

/// A registry's CA that was mounted over the certificates is told where it belongs; nothing else
/// is taken for one.
#[test]
fn a_ca_and_nothing_of_a_set_is_most_likely_a_registrys() {
    let file = |name, is_ca| ForeignFile {
        name,
        what: String::new(),
        is_ca,
    };
    let (ca, certificate) = (file(CA_CERTIFICATES, true), file(CERTIFICATE, false));
    for (names, foreign, is_lone) in [
        (&["ca.crt"][..], &[][..], true),
        (&["registry.pem"], &[], true),
        (&["cert.pem"], &[], false),
        (&["registry.key"], &[], false),
        (&["a.crt", "b.crt"], &[], false),
        (&[], &[], false),
        (&["ca.pem", "notes"], std::slice::from_ref(&ca), true),
        (&["cert.pem"], std::slice::from_ref(&certificate), false),
        (
            &["ca.pem", "cert.pem"],
            &[ca.clone(), certificate.clone()],
            false,
        ),
    ] {
        let found = directory(names);
        assert_eq!(is_lone_ca(&found, foreign), is_lone, "{names:?}");
    }
}

#[test]
fn names_of_kubernetes_are_told_and_do_not_stop_the_service() {
    assert_eq!(naming(&directory(&["ca.pem", "notes"])), None);
    let finding = naming(&directory(&["notes", "tls.crt", "tls.key"])).unwrap();
    assert_eq!(finding.reason.id, "CERTS-NAMING");
    assert_eq!(finding.severity, Severity::Warning);
    let said = "/certs/client holds tls.crt, tls.key, which nothing here reads;";
    assert!(finding.cause.starts_with(said), "{finding}");
}
