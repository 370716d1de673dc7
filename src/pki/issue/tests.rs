use std::collections::BTreeSet;

use x509_parser::pem::parse_x509_pem;

use super::*;
use crate::{pki::keys::ClientKeyInTheMaking, settings::ClientKey};

#[test]
fn serials_are_positive_as_long_as_they_can_be_and_random_in_each_bit() {
    let serials = (0..500).map(|_| random_serial().unwrap().to_bytes());
    let serials: BTreeSet<Vec<u8>> = serials.collect();
    assert_eq!(serials.len(), 500);
    assert!(serials.iter().all(|serial| serial.len() == 16));
    let first = || serials.iter().map(|serial| serial[0]);
    assert_eq!(first().fold(0xff, |all, byte| all & byte), 0x40);
    assert_eq!(first().fold(0, |any, byte| any | byte), 0x7f);
}

/// RFC 3279 and RFC 8813: a key that only signs is for nothing else.
#[test]
fn only_rsa_keys_may_encipher_keys_too() {
    let validity = Validity::days_from(OffsetDateTime::now_utc(), 1);
    let authority = Authority::create(validity).unwrap();
    for (kind, may_encipher) in [(ClientKey::EcdsaP256, false), (ClientKey::Rsa2048, true)] {
        let key = ClientKeyInTheMaking::start(kind).wait().unwrap();
        let issued = authority.issue_client(&key, validity).unwrap();
        let (_, pem) = parse_x509_pem(issued.certificate_pem.as_bytes()).unwrap();
        let certificate = pem.parse_x509().unwrap();
        let usage = certificate.key_usage().unwrap().unwrap().value;
        assert!(usage.digital_signature());
        assert_eq!(usage.key_encipherment(), may_encipher, "{kind:?}");
    }
}

#[test]
fn an_error_says_what_was_wrong() {
    assert_eq!(IssueError("no key".into()).to_string(), "no key");
}
