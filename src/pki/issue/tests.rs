use std::collections::BTreeSet;

use x509_parser::pem::parse_x509_pem;

use super::*;
use crate::{
    pki::{
        inspect::public_key_of,
        keys::{ClientKeyInTheMaking, new_key, read_key},
    },
    settings::ClientKey,
};

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

fn read(pem: &[u8]) -> Certificate {
    Certificate::parse_pem(pem).unwrap().remove(0)
}

/// Clients dial by any of them, and what looks at the certificate's other names finds them.
#[test]
fn a_server_s_certificate_has_every_name_that_was_asked_for() {
    let validity = Validity::days_from(OffsetDateTime::now_utc(), 1);
    let authority = Authority::create(validity).unwrap();
    let list = "docker,*.docker.example,10.0.0.5,fd00::1";
    let names = SubjectName::parse_list("DOCKER_TLS_SAN", list).unwrap();
    let other_names = [
        OtherName::Email("ops@example.com".into()),
        OtherName::Uri("spiffe://example.com/docker".into()),
    ];
    let key = new_key().unwrap();
    let issued = authority
        .issue_server(&key, &names, &other_names, validity)
        .unwrap();
    let certificate = read(issued.certificate_pem.as_bytes());
    assert_eq!(certificate.names, names);
    assert_eq!(certificate.other_names, other_names);
    assert_eq!(
        public_key_of(issued.key_pem.as_bytes()),
        Ok(certificate.public_key)
    );
}

/// A job that has the old `ca.pem` goes on, and so does one that has an old certificate.
#[test]
fn what_was_issued_before_a_ca_was_renewed_holds_under_the_new_certificate() {
    let now = OffsetDateTime::now_utc();
    let old = Authority::create(Validity::days_from(now, 1)).unwrap();
    let leaf = old.issue_client(&new_key().unwrap(), old.validity).unwrap();
    let leaf = read(leaf.certificate_pem.as_bytes());
    let before = read(&old.certificate_pem);
    let renewed = Authority::renew(
        read_key(old.key_pem().as_bytes()).unwrap(),
        &before.plain_name.clone().unwrap(),
        before.key_identifier.clone(),
        Validity::days_from(now, 2),
    );
    let renewed = read(&renewed.unwrap().certificate_pem);
    assert!(leaf.is_issued_by(&renewed));
    assert!(renewed.key_identifier.is_some());
    assert_eq!(renewed.key_identifier, before.key_identifier);
    assert!(renewed.not_after > before.not_after);
    assert!(renewed.is_authority && renewed.has_key_usage);
}

/// Go and OpenSSL look at each certificate of a chain: one that holds longer than its CA would
/// be kept for good, and refused.
#[test]
fn what_is_issued_holds_within_the_time_of_its_ca() {
    let now = OffsetDateTime::now_utc();
    let at = |hours: i64| now + Duration::hours(hours);
    let between = |from, to| Validity {
        not_before: at(from),
        not_after: at(to),
    };
    let authority = Authority::create(between(-10, 10)).unwrap();
    let key = new_key().unwrap();
    for (asked, given) in [
        (between(-20, 20), between(-10, 10)),
        (between(-5, 5), between(-5, 5)),
    ] {
        let issued = authority.issue_client(&key, asked).unwrap();
        let certificate = read(issued.certificate_pem.as_bytes());
        let seconds = |moment: OffsetDateTime| moment.unix_timestamp();
        assert_eq!(
            [certificate.not_before, certificate.not_after].map(seconds),
            [given.not_before, given.not_after].map(seconds)
        );
    }
}

/// A client whose clock is some minutes late takes it all the same.
#[test]
fn a_validity_begins_an_hour_ago() {
    let now = OffsetDateTime::now_utc();
    let validity = Validity::days_from(now, 30);
    assert_eq!(now - validity.not_before, Duration::hours(1));
    assert_eq!(validity.not_after - now, Duration::days(30));
}

#[test]
fn an_error_says_what_was_wrong() {
    assert_eq!(IssueError("no key".into()).to_string(), "no key");
}
