use std::collections::BTreeSet;

use x509_parser::{extensions::ParsedExtension, pem::parse_x509_pem};

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

/// A job that has the old `ca.pem` goes on, and so does one that has an old certificate. Official's
/// CAs have a name and an identifier that are not ours.
#[test]
fn what_was_issued_before_a_ca_was_renewed_holds_under_the_new_certificate() {
    let now = OffsetDateTime::now_utc();
    let name = "docker:dind CA";
    let identifier = Some(vec![7; 20]);
    let renew = |key, days| {
        let validity = Validity::days_from(now, days);
        Authority::renew(key, name, identifier.clone(), validity).unwrap()
    };
    let old = renew(new_key().unwrap(), 1);
    let renewed = renew(read_key(old.key_pem().as_bytes()).unwrap(), 2);
    let leaf = old.issue_client(&new_key().unwrap(), old.validity).unwrap();
    let leaf = read(leaf.certificate_pem.as_bytes());
    let (old, renewed) = (read(&old.certificate_pem), read(&renewed.certificate_pem));
    for authority in [&old, &renewed] {
        assert!(leaf.is_issued_by(authority));
        assert_eq!(authority.plain_name.as_deref(), Some(name));
        assert_eq!(authority.key_identifier, identifier);
        assert!(authority.is_authority && authority.has_key_usage);
    }
    assert!(renewed.not_after > old.not_after);
}

/// RFC 5280, 4.2.1.1 and 4.2.1.2: strict clients want to be told which of two CAs of one name it is.
#[test]
fn a_certificate_identifies_its_own_key_and_that_of_its_ca() {
    let validity = Validity::days_from(OffsetDateTime::now_utc(), 1);
    let authority = Authority::create(validity).unwrap();
    let ca = read(&authority.certificate_pem).key_identifier;
    assert!(ca.is_some());
    let key = new_key().unwrap();
    for issued in [
        authority.issue_server(&key, &[], &[], validity),
        authority.issue_client(&key, validity),
    ] {
        let pem = issued.unwrap().certificate_pem;
        let own = read(pem.as_bytes()).key_identifier;
        assert!(own.is_some());
        assert_ne!(own, ca);
        let (_, pem) = parse_x509_pem(pem.as_bytes()).unwrap();
        let certificate = pem.parse_x509().unwrap();
        let of_ca = certificate.iter_extensions().find_map(|extension| {
            match extension.parsed_extension() {
                ParsedExtension::AuthorityKeyIdentifier(named) => named.key_identifier.as_ref(),
                _ => None,
            }
        });
        assert_eq!(of_ca.map(|identifier| identifier.0.to_vec()), ca);
    }
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
