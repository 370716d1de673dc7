//! Reasons about the TLS certificate directory.

use super::{Layer, Reason, Severity};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $severity:ident, $summary:literal;)*) => {
        $(
            $(#[$doc])*
            pub static $name: Reason = Reason {
                id: $id,
                layer: Layer::Certs,
                severity: Severity::$severity,
                summary: $summary,
            };
        )*
    };
}

reasons! {
    READONLY = "CERTS-READONLY", Fatal,
        "the directory for the TLS certificates is read-only and holds no set that can be used";
    /// Also on a directory that belongs to another user.
    DENIED = "CERTS-DENIED", Fatal,
        "this container's user may not read or write the TLS certificates";
    FULL = "CERTS-FULL", Fatal,
        "there is no room to write the TLS certificates";
    IO = "CERTS-IO", Fatal,
        "the TLS certificates cannot be read or written";
    FOREIGN = "CERTS-FOREIGN", Fatal,
        "a file that is not ours lies where a TLS certificate or key has to be written";
    INCOMPLETE = "CERTS-INCOMPLETE", Fatal,
        "a set of TLS certificates is incomplete";
    MISMATCH = "CERTS-MISMATCH", Fatal,
        "TLS certificates and keys do not belong together";
    EXPIRED = "CERTS-EXPIRED", Fatal,
        "a TLS certificate has expired";
    NOT_YET_VALID = "CERTS-NOT-YET-VALID", Fatal,
        "a TLS certificate is not valid yet";
    USAGE = "CERTS-USAGE", Fatal,
        "a TLS certificate is not made for this use";
    UNREADABLE = "CERTS-UNREADABLE", Fatal,
        "a file holds no TLS certificate that can be read";
    UNREADABLE_KEY = "CERTS-UNREADABLE-KEY", Fatal,
        "a file holds no private key that can be read";
    UNVERIFIED = "CERTS-UNVERIFIED", Warning,
        "a TLS certificate uses an algorithm that cannot be checked here";
    NAME = "CERTS-NAME", Error,
        "the server's TLS certificate is not made for the name that clients use";
    /// Kubernetes' and cert-manager's names: `tls.crt`, `tls.key`, `ca.crt`.
    NAMING = "CERTS-NAMING", Fatal,
        "the TLS files have names that Docker does not read";
    SUBPATH = "CERTS-SUBPATH", Fatal,
        "a single file is mounted where a TLS certificate or key has to be written";
    UNSHARED = "CERTS-UNSHARED", Error,
        "the job cannot see the TLS certificates";
    IN_USE = "CERTS-IN-USE", Fatal,
        "another running dind uses the same TLS certificate directory";
    NO_LOCK = "CERTS-NO-LOCK", Note,
        "the TLS certificate directory is on a file system without locks";
    ISSUE = "CERTS-ISSUE", Fatal,
        "a TLS certificate cannot be made";
}
