use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyIdMethod,
    KeyPair, SanType,
};

use super::*;

fn covering(names: &[&str]) -> Certificate {
    let key = rcgen::generate_simple_self_signed(
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>(),
    )
    .unwrap();
    Certificate::parse_pem(key.cert.pem().as_bytes())
        .unwrap()
        .remove(0)
}

#[test]
fn a_wildcard_covers_one_label_and_an_address_only_itself() {
    let certificate = covering(&["docker", "*.docker.example", "10.0.0.5"]);
    for (name, covered) in [
        ("docker", true),
        ("a.docker.example", true),
        ("docker.example", false),
        ("a.b.docker.example", false),
        ("10.0.0.5", true),
        ("10.0.0.6", false),
    ] {
        let name = SubjectName::from_host(name).unwrap();
        assert_eq!(certificate.covers(&name), covered, "{name}");
    }
}

#[test]
fn a_signature_is_checked_and_not_only_the_issuers_name() {
    let one = covering(&["a"]);
    let other = covering(&["a"]);
    assert!(one.is_self_signed());
    assert_eq!(one.issuer, other.subject);
    assert!(!one.is_issued_by(&other));
}

#[test]
fn what_an_issuer_wrote_is_read() {
    let authority = {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, "authority");
        Issuer::new(params, KeyPair::generate().unwrap())
    };
    let mut params = CertificateParams::new(["docker".to_owned()]).unwrap();
    params.subject_alt_names.extend([
        SanType::Rfc822Name("ops@example.com".try_into().unwrap()),
        SanType::URI("spiffe://example.com/docker".try_into().unwrap()),
    ]);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_identifier_method = KeyIdMethod::PreSpecified(vec![7; 20]);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "server");
    let key = KeyPair::generate().unwrap();
    let signed = params.signed_by(&key, &authority).unwrap();
    let certificate = Certificate::parse(signed.der().clone()).unwrap();
    assert!(!certificate.is_self_signed());
    assert_eq!(
        format!("{certificate:?}"),
        "CN=server issued by CN=authority"
    );
    assert_eq!(certificate.key_identifier, Some(vec![7; 20]));
    assert_eq!(
        certificate.other_names,
        [
            OtherName::Email("ops@example.com".into()),
            OtherName::Uri("spiffe://example.com/docker".into())
        ]
    );
}

#[test]
fn half_of_the_life_has_to_be_left() {
    let certificate = covering(&["a"]);
    let life = certificate.not_after - certificate.not_before;
    assert!(certificate.is_young_at(certificate.not_before + life / 2));
    assert!(!certificate.is_young_at(certificate.not_before + life * 3 / 5));
    assert!(!certificate.is_valid_at(certificate.not_after + time::Duration::SECOND));
}

#[test]
fn what_cannot_be_read_says_why() {
    assert_eq!(
        Certificate::parse_pem(b"hello").unwrap_err(),
        "holds no certificate in PEM"
    );
    for (pem, why) in [
        ("hello", "no private key"),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "passphrase",
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "damaged",
        ),
    ] {
        let error = public_key_of(pem.as_bytes()).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}
