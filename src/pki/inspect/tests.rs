use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, SanType,
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
    let certificate = covering(&["Docker", "*.docker.example", "10.0.0.5", "fd00::5"]);
    for (name, covered) in [
        ("docker", true),
        ("a.docker.example", true),
        ("docker.example", false),
        ("a.b.docker.example", false),
        ("10.0.0.5", true),
        ("10.0.0.6", false),
        ("fd00::5", true),
        ("fd00::6", false),
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

/// Who may replace a certificate is known by its name: with a company in it, it is the company's.
#[test]
fn a_name_is_plain_only_if_it_is_a_common_name_and_nothing_else() {
    let company = (DnType::OrganizationName, "Example Corp");
    let common = (DnType::CommonName, "dind-init CA");
    for (attributes, plain) in [
        (&[common.clone()][..], Some("dind-init CA")),
        (&[common.clone(), company.clone()], None),
        (&[company.clone(), common], None),
        (&[company], None),
        (&[], None),
    ] {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = DistinguishedName::new();
        for (kind, value) in attributes {
            parameters.distinguished_name.push(kind.clone(), *value);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        let certificate = Certificate::parse(certificate.der().clone()).unwrap();
        assert_eq!(certificate.plain_name.as_deref(), plain, "{attributes:?}");

        // And so is it with the request that official leaves beside a key.
        let request = parameters.serialize_request(&key).unwrap();
        let request = read_request(request.pem().unwrap().as_bytes());
        assert_eq!(
            request,
            plain.map(|plain| (plain.to_owned(), certificate.public_key)),
            "{attributes:?}"
        );
    }
    assert_eq!(read_request(b"no request"), None);
}

/// As Go and OpenSSL judge: what is not said is not forbidden, but for being a CA.
#[test]
fn what_a_certificate_may_do_is_read_from_its_extensions() {
    use ExtendedKeyUsagePurpose::{Any, ClientAuth, CodeSigning, ServerAuth};
    use KeyUsagePurpose::{CrlSign, DigitalSignature, KeyCertSign};
    let ca = IsCa::Ca(BasicConstraints::Unconstrained);
    for (is_ca, usages, is_authority) in [
        (ca, &[KeyCertSign, CrlSign][..], true),
        // Official's CA until May 2025.
        (ca, &[], true),
        (ca, &[DigitalSignature], false),
        (IsCa::ExplicitNoCa, &[], false),
        (IsCa::NoCa, &[KeyCertSign], false),
    ] {
        let certificate = with(|parameters| {
            parameters.is_ca = is_ca;
            parameters.key_usages = usages.to_vec();
        });
        assert_eq!(
            certificate.is_authority, is_authority,
            "{is_ca:?} {usages:?}"
        );
        assert_eq!(certificate.has_key_usage, !usages.is_empty(), "{usages:?}");
    }
    for (usages, for_servers, for_clients) in [
        (&[][..], true, true),
        (&[Any], true, true),
        (&[ServerAuth], true, false),
        (&[ClientAuth], false, true),
        (&[ServerAuth, ClientAuth], true, true),
        (&[CodeSigning], false, false),
    ] {
        let certificate = with(|parameters| parameters.extended_key_usages = usages.to_vec());
        assert_eq!(certificate.for_servers, for_servers, "{usages:?}");
        assert_eq!(certificate.for_clients, for_clients, "{usages:?}");
    }
}

/// Some companies still have such a root, and Go takes it.
#[test]
fn a_certificate_of_version_1_knows_no_constraints() {
    let of_version_3 = with(|parameters| parameters.subject_alt_names.clear());
    assert!(!of_version_3.is_authority);
    let mut der = of_version_3.der.to_vec();
    // `[0] { INTEGER 2 }` is what makes it version 3.
    let version = der.windows(5).position(|bytes| bytes == [0xa0, 3, 2, 1, 2]);
    der[version.unwrap() + 4] = 0;
    let of_version_1 = Certificate::parse(der.into()).unwrap();
    assert!(of_version_1.is_authority);
}

#[test]
fn a_key_is_known_by_its_certificate() {
    let made = rcgen::generate_simple_self_signed(["docker".to_owned()]).unwrap();
    let certificate = Certificate::parse(made.cert.der().clone()).unwrap();
    let key = made.signing_key.serialize_pem();
    assert_eq!(
        public_key_of(key.as_bytes()).as_ref(),
        Ok(&certificate.public_key)
    );
    assert!(certificate.is_signed_with(&certificate.public_key));
    assert!(!certificate.is_signed_with(b"no key"));
}

fn with(change: impl Fn(&mut CertificateParams)) -> Certificate {
    let mut parameters = CertificateParams::new(["docker".to_owned()]).unwrap();
    change(&mut parameters);
    let made = parameters.self_signed(&KeyPair::generate().unwrap());
    Certificate::parse(made.unwrap().der().clone()).unwrap()
}
