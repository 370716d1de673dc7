//! What somebody may have mounted as a registry's CA: whatever it is, it is judged, and what is
//! trusted can be written as PEM and read again.
#![no_main]

use dind_init::testing::{
    pki::inspect::Certificate,
    registry::{
        install::to_pem,
        sources::{Role, Scope, Source},
        trust::Trust,
    },
};
use libfuzzer_sys::fuzz_target;
use time::OffsetDateTime;

fuzz_target!(|bytes: &[u8]| {
    let source = Source {
        origin: "/etc/dind/registry-ca/ca.crt".into(),
        role: Role::Authorities(Scope::EveryRegistry),
        content: Ok(bytes.to_vec()),
    };
    let trust = Trust::judge(&[source], OffsetDateTime::now_utc());
    let certificates = trust.certificates();
    if certificates.is_empty() {
        assert!(!trust.findings.is_empty(), "left out without a word");
        return;
    }
    let written = to_pem(certificates.iter().copied());
    let read = Certificate::parse_pem(written.as_bytes()).expect("what was written can be read");
    assert_eq!(read.len(), certificates.len());
});
