use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, NameConstraints,
    PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256,
};
use time::{Duration, UtcOffset};

use super::*;

/// A server's certificate `CN=docker` of a CA `CN=Issuing` under a `CN=Root`, all of them good for a
/// day before and after `now`.
struct Chain {
    root: CertificateParams,
    issuing: CertificateParams,
    leaf: CertificateParams,
    now: OffsetDateTime,
}

impl Chain {
    fn good_at(now: OffsetDateTime) -> Self {
        let named = |name, is_ca| {
            let mut parameters = CertificateParams::new(["docker".to_owned()]).unwrap();
            parameters.distinguished_name = DistinguishedName::new();
            parameters.distinguished_name.push(DnType::CommonName, name);
            parameters.not_before = now - Duration::DAY;
            parameters.not_after = now + Duration::DAY;
            parameters.is_ca = is_ca;
            parameters
        };
        let authority = IsCa::Ca(BasicConstraints::Unconstrained);
        Self {
            root: named("Root", authority),
            issuing: named("Issuing", authority),
            leaf: named("docker", IsCa::NoCa),
            now,
        }
    }

    /// Signed with new keys; the root is the only one that is trusted.
    fn issued(self) -> Set {
        let key = || KeyPair::generate().unwrap();
        let root = CertifiedIssuer::self_signed(self.root, key()).unwrap();
        let issuing = CertifiedIssuer::signed_by(self.issuing, key(), &root).unwrap();
        let leaf = self.leaf.signed_by(&key(), &issuing).unwrap();
        let read = |der: &CertificateDer<'static>| Certificate::parse(der.clone()).unwrap();
        Set {
            authorities: vec![read(root.der())],
            leaf: read(leaf.der()),
            intermediates: vec![read(issuing.der())],
        }
    }

    fn ended(&self) -> OffsetDateTime {
        self.now - Duration::HOUR
    }

    fn not_begun(&self) -> OffsetDateTime {
        self.now + Duration::HOUR
    }
}

/// Whoever is told "cert.pem is refused" would renew the wrong one of a chain.
#[test]
fn what_breaks_a_chain_is_told_of_the_certificate_that_breaks_it() {
    type Change = fn(&mut Chain);
    let cases: [(Change, Problem, &str); 12] = [
        (
            |chain| chain.leaf.not_after = chain.ended(),
            Problem::Expired,
            "cert.pem (CN=docker) expired on",
        ),
        (
            |chain| chain.issuing.not_after = chain.ended(),
            Problem::Expired,
            "cert.pem (CN=Issuing) expired on",
        ),
        (
            |chain| chain.root.not_after = chain.ended(),
            Problem::Expired,
            "ca.pem (CN=Root) expired on",
        ),
        (
            |chain| chain.leaf.not_before = chain.not_begun(),
            Problem::NotYetValid,
            "cert.pem (CN=docker) is valid from",
        ),
        (
            |chain| chain.issuing.not_before = chain.not_begun(),
            Problem::NotYetValid,
            "cert.pem (CN=Issuing) is valid from",
        ),
        (
            |chain| chain.root.not_before = chain.not_begun(),
            Problem::NotYetValid,
            "ca.pem (CN=Root) is valid from",
        ),
        (
            |chain| chain.root.is_ca = IsCa::ExplicitNoCa,
            Problem::Usage,
            "ca.pem (CN=Root) is not marked as a CA",
        ),
        // What can be renewed comes before what has to be made anew.
        (
            |chain| chain.issuing.is_ca = IsCa::ExplicitNoCa,
            Problem::Usage,
            "cert.pem (CN=docker) is not allowed by the constraints of its CA: EndEntityUsedAsCa",
        ),
        // A department's CA that may speak for the company's names only,
        (
            |chain| {
                chain.issuing.name_constraints = Some(NameConstraints {
                    permitted_subtrees: vec![GeneralSubtree::DnsName("corp.example".into())],
                    excluded_subtrees: Vec::new(),
                });
            },
            Problem::Usage,
            "cert.pem (CN=docker) is not allowed by the constraints of its CA: \
             NameConstraintViolation",
        ),
        // or for people and not for servers.
        (
            |chain| {
                chain.issuing.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            },
            Problem::Usage,
            "cert.pem (CN=docker) is not allowed by the constraints of its CA: RequiredEkuNotFound",
        ),
        (
            |chain| chain.leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
            Problem::Usage,
            "cert.pem (CN=docker) has an extended key usage without serverAuth",
        ),
        // A client that knows the extension has nothing against it.
        (
            |chain| {
                let mut unknown = CustomExtension::from_oid_content(&[1, 3, 9999], vec![5, 0]);
                unknown.set_criticality(true);
                chain.leaf.custom_extensions.push(unknown);
            },
            Problem::Unverified,
            "cert.pem (CN=docker) cannot be checked: UnsupportedCriticalExtension",
        ),
    ];
    for (change, problem, said) in cases {
        let mut chain = Chain::good_at(OffsetDateTime::now_utc());
        change(&mut chain);
        let now = chain.now;
        let set = chain.issued();
        let flaw = set.verify(&set.authorities, Usage::Server, now);
        let flaw = flaw.expect_err(said);
        assert_eq!(flaw.problem, problem, "{flaw}");
        assert!(flaw.to_string().starts_with(said), "{flaw}");
        assert!(
            !flaw.to_string().contains('{'),
            "no inner value is shown: {flaw}"
        );
    }
}

#[test]
fn a_good_chain_holds_for_servers_and_clients_alike() {
    let now = OffsetDateTime::now_utc();
    let set = Chain::good_at(now).issued();
    for usage in [Usage::Server, Usage::Client] {
        assert_eq!(set.verify(&set.authorities, usage, now), Ok(()));
    }
    // An old root that is still in the bundle is in nobody's way,
    let mut old = Chain::good_at(now);
    old.root.not_after = old.ended();
    let bundle = [old.issued().authorities, set.authorities.clone()].concat();
    assert_eq!(set.verify(&bundle, Usage::Server, now), Ok(()));
    // and a certificate that is trusted itself needs nobody to vouch for it.
    let trusted = [set.leaf.clone()];
    assert_eq!(set.verify(&trusted, Usage::Server, now), Ok(()));
}

#[test]
fn a_certificate_that_no_trusted_ca_signed_is_told_with_its_issuer() {
    let now = OffsetDateTime::now_utc();
    let set = Chain::good_at(now).issued();
    let mut cases = vec![Set {
        intermediates: Vec::new(),
        ..set.clone()
    }];
    // The root was made anew with the same name, and with a key of the same kind or of another.
    for kind in [&PKCS_ECDSA_P256_SHA256, &PKCS_RSA_SHA256, &PKCS_ED25519] {
        let key = KeyPair::generate_for(kind).unwrap();
        let root = Chain::good_at(now).root.self_signed(&key).unwrap();
        cases.push(Set {
            authorities: vec![Certificate::parse(root.der().clone()).unwrap()],
            ..set.clone()
        });
    }
    for set in cases {
        let flaw = set.verify(&set.authorities, Usage::Server, now);
        let flaw = flaw.unwrap_err();
        assert_eq!(flaw.problem, Problem::Mismatch, "{flaw}");
        assert_eq!(
            flaw.to_string(),
            "cert.pem (CN=docker) was issued by CN=Issuing, and no CA of ca.pem signed it"
        );
    }
}

/// A curve or a digest that is not known here may be known to others; another kind of key is wrong
/// for all.
#[test]
fn a_key_of_another_kind_cannot_have_signed() {
    const ECDSA: &[u8] = &[6, 8, 42, 134, 72, 206, 61, 4, 3, 2];
    const BRAINPOOL: &[u8] = &[
        6, 7, 42, 134, 72, 206, 61, 2, 1, 6, 9, 43, 36, 3, 3, 2, 8, 1, 1, 7,
    ];
    const RSA_SIGNATURE: &[u8] = &[6, 9, 42, 134, 72, 134, 247, 13, 1, 1, 11, 5, 0];
    const RSA: &[u8] = &[6, 9, 42, 134, 72, 134, 247, 13, 1, 1, 1, 5, 0];
    const ED25519: &[u8] = &[6, 3, 43, 101, 112];
    for (signature, key, can) in [
        (ECDSA, BRAINPOOL, true),
        (RSA_SIGNATURE, RSA, true),
        (ED25519, ED25519, true),
        (ECDSA, RSA, false),
        (RSA_SIGNATURE, BRAINPOOL, false),
        (ECDSA, ED25519, false),
        (ED25519, RSA, false),
    ] {
        let context = UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id: signature.to_vec(),
            public_key_algorithm_id: key.to_vec(),
        };
        assert_eq!(can_have_signed(&context), can, "{signature:?} {key:?}");
    }
}

/// RFC 5280, 4.1.2.5: both ends belong to the time in which it holds.
#[test]
fn a_certificate_holds_from_its_first_second_to_its_last() {
    let leaf = Chain::good_at(OffsetDateTime::now_utc()).issued().leaf;
    let second = Duration::SECOND;
    for (moment, problem) in [
        (leaf.not_before - second, Some(Problem::NotYetValid)),
        (leaf.not_before, None),
        (leaf.not_after, None),
        (leaf.not_after + second, Some(Problem::Expired)),
    ] {
        let checked = check_time(&leaf, CERTIFICATE, moment);
        assert_eq!(checked.err().map(|flaw| flaw.problem), problem, "{moment}");
        assert_eq!(leaf.is_valid_at(moment), problem.is_none(), "{moment}");
    }
}

#[test]
fn a_moment_is_told_in_utc_wherever_it_was_written_down() {
    let moment = OffsetDateTime::UNIX_EPOCH;
    let berlin = UtcOffset::from_hms(1, 0, 0).unwrap();
    assert_eq!(day(moment), "1970-01-01 00:00 UTC");
    assert_eq!(day(moment.to_offset(berlin)), "1970-01-01 00:00 UTC");
}
