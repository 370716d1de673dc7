//! Whose a file is: only what we or official made may be replaced.
//!
//! A name alone proves nothing. A CA is known by its name and by having signed itself; a
//! certificate by its name and by such a CA's signature; a key by its certificate.

use super::{
    inspect::{Certificate, public_key_of, read_request},
    issue::{CA_NAME, CLIENT_NAME, SERVER_NAME},
};
use crate::facts::certificates::{CA_CERTIFICATES, CERTIFICATE, Directory, KEY, retired};

const CA_NAMES: [&str; 2] = [CA_NAME, "docker:dind CA"];
const LEAF_NAMES: [&str; 4] = [
    SERVER_NAME,
    CLIENT_NAME,
    "docker:dind server",
    "docker:dind client",
];

/// Whether this is a CA certificate that we or official made.
pub fn is_replaceable_ca(certificate: &Certificate) -> bool {
    has_name(&certificate.plain_name, &CA_NAMES) && certificate.is_self_signed()
}

/// A published file that neither we nor official made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ForeignFile {
    pub name: &'static str,
    /// What it is, as in "a CA certificate CN=Example that is not ours".
    pub what: String,
    /// Whether it is a CA certificate and nothing else, such as a registry's.
    pub is_ca: bool,
}

/// The key in `ca/`, under which certificates may have been issued before.
#[derive(Clone, Copy, Debug)]
pub struct HeldKey<'a> {
    /// SubjectPublicKeyInfo, DER.
    pub public_key: &'a [u8],
    /// `ca/cert.pem`, byte for byte.
    pub certificate_pem: Option<&'a [u8]>,
}

/// The files of a set in `server/` or `client/` that must not be replaced.
///
/// What is named as ours and signed with the key in `ca/` counts as ours, and so does a copy of the
/// certificate in `ca/`. A file that is empty counts as missing.
pub fn foreign_files(directory: &Directory, held: Option<HeldKey<'_>>) -> Vec<ForeignFile> {
    let ca_key = held.map(|held| held.public_key);
    let parse_pem = |pem: &[u8]| Certificate::parse_pem(pem).unwrap_or_default();
    let parse = |name: &str| directory.content(name).map(parse_pem).unwrap_or_default();
    let is_known_ca = |certificate: &Certificate| {
        is_replaceable_ca(certificate) || ca_key == Some(&certificate.public_key[..])
    };
    let published = parse(CA_CERTIFICATES);
    // A publisher that was killed leaves the CA of what is there under a hidden name.
    let hidden: Vec<_> = (directory.staged(CA_CERTIFICATES))
        .flat_map(parse_pem)
        .chain(parse(&retired(CA_CERTIFICATES)))
        .collect();
    let known_cas: Vec<_> = published
        .iter()
        .chain(&hidden)
        .filter(|certificate| is_known_ca(certificate))
        .collect();
    let chain = parse(CERTIFICATE);
    let is_known_leaf = |leaf: &Certificate| {
        has_name(&leaf.plain_name, &LEAF_NAMES)
            && (known_cas.iter().any(|ca| leaf.is_issued_by(ca))
                || ca_key.is_some_and(|key| leaf.is_signed_with(key)))
    };

    let mut foreign = Vec::new();
    let is_copy = |pem| held.and_then(|held| held.certificate_pem) == Some(pem);
    // All of them: a bundle that someone added their own CA to is theirs.
    if directory.content(CA_CERTIFICATES).is_some_and(|pem| {
        !is_copy(pem) && (published.is_empty() || !published.iter().all(is_known_ca))
    }) {
        foreign.push(ForeignFile {
            name: CA_CERTIFICATES,
            what: describe_ca(&published),
            is_ca: !published.is_empty(),
        });
    }
    if directory.content(CERTIFICATE).is_some() && !chain.first().is_some_and(is_known_leaf) {
        foreign.push(ForeignFile {
            name: CERTIFICATE,
            what: describe_leaf(&chain),
            is_ca: false,
        });
    }
    if let Some(pem) = directory.content(KEY) {
        let staged: Vec<_> = (directory.staged(CERTIFICATE))
            .filter_map(|pem| parse_pem(pem).into_iter().next())
            .collect();
        // Official, killed before it had a certificate, leaves the request for one.
        let requested = directory
            .content("csr.pem")
            .and_then(read_request)
            .filter(|(name, _)| LEAF_NAMES.contains(&name.as_str()))
            .map(|(_, public_key)| public_key);
        let is_known_key = |key: &[u8]| {
            chain
                .first()
                .filter(|leaf| is_known_leaf(leaf))
                .into_iter()
                .chain(&staged)
                .map(|leaf| &leaf.public_key)
                .chain(&requested)
                .any(|known| known == key)
        };
        let what = match public_key_of(pem) {
            Ok(public_key) if is_known_key(&public_key) => None,
            Ok(_) => Some("a private key that is not ours".to_owned()),
            Err(why) => Some(format!("a file that {why}")),
        };
        foreign.extend(what.map(|what| ForeignFile {
            name: KEY,
            what,
            is_ca: false,
        }));
    }
    foreign
}

fn has_name(name: &Option<String>, known: &[&str]) -> bool {
    name.as_deref().is_some_and(|name| known.contains(&name))
}

fn describe_ca(certificates: &[Certificate]) -> String {
    match certificates {
        [] => "a file that holds no certificate".into(),
        [one] if has_name(&one.plain_name, &CA_NAMES) => {
            format!("named {} but not signed by itself", one.subject)
        }
        [one] if one.is_authority => {
            format!("a CA certificate {} that is not ours", one.subject)
        }
        [one] => format!("a certificate {} that is not ours", one.subject),
        [one, ..] => format!(
            "{} certificates that are not ours, {} first",
            certificates.len(),
            one.subject
        ),
    }
}

fn describe_leaf(chain: &[Certificate]) -> String {
    match chain {
        [] => "a file that holds no certificate".into(),
        [leaf, ..] if has_name(&leaf.plain_name, &LEAF_NAMES) => format!(
            "named {} but signed by no {CA_CERTIFICATES} that lies beside it",
            leaf.subject
        ),
        [leaf, ..] => format!("a certificate {} that is not ours", leaf.subject),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use rcgen::{
        BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa,
        KeyPair,
    };
    use tempfile::tempdir;
    use time::OffsetDateTime;

    use super::*;
    use crate::{
        facts::mounts::Mounts,
        pki::{
            issue::{Authority, Validity},
            keys::new_key,
        },
        system::directory,
    };

    /// A certificate named `name`, signed by itself or by another CA.
    fn certificate(name: &str, is_ca: bool, is_self_signed: bool) -> Vec<Certificate> {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        if is_ca {
            parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let key = KeyPair::generate().unwrap();
        let issued = match is_self_signed {
            true => parameters.self_signed(&key).unwrap(),
            false => {
                let mut other = CertificateParams::default();
                other.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                let other = CertifiedIssuer::self_signed(other, KeyPair::generate().unwrap());
                parameters.signed_by(&key, &other.unwrap()).unwrap()
            }
        };
        Certificate::parse_pem(issued.pem().as_bytes()).unwrap()
    }

    #[test]
    fn a_ca_that_is_not_ours_is_told_by_what_it_claims() {
        let two = [
            certificate("One", true, true),
            certificate("Two", true, true),
        ]
        .concat();
        for (certificates, said) in [
            (Vec::new(), "a file that holds no certificate"),
            (
                certificate(CA_NAME, true, false),
                &*format!("named CN={CA_NAME} but not signed by itself"),
            ),
            (
                certificate("Example", true, true),
                "a CA certificate CN=Example that is not ours",
            ),
            (
                certificate("Example", false, true),
                "a certificate CN=Example that is not ours",
            ),
            (two, "2 certificates that are not ours, CN=One first"),
        ] {
            assert_eq!(describe_ca(&certificates), said);
        }
    }

    #[test]
    fn a_certificate_that_is_not_ours_is_told_by_what_it_claims() {
        let chain = [
            certificate("Example", false, false),
            certificate(CLIENT_NAME, false, false),
        ]
        .concat();
        for (chain, said) in [
            (Vec::new(), "a file that holds no certificate"),
            (
                certificate(CLIENT_NAME, false, false),
                &*format!("named CN={CLIENT_NAME} but signed by no ca.pem that lies beside it"),
            ),
            (chain, "a certificate CN=Example that is not ours"),
        ] {
            assert_eq!(describe_leaf(&chain), said);
        }
    }

    /// A publisher that is killed, ours or official's, leaves a key before its certificate. Anybody
    /// else's key would be lost for good.
    #[test]
    fn a_key_without_a_certificate_is_ours_if_what_is_left_beside_it_says_so() {
        let official = "docker:dind client";
        let (key, other_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let named = |name| {
            let mut parameters = CertificateParams::default();
            parameters.distinguished_name = DistinguishedName::new();
            parameters.distinguished_name.push(DnType::CommonName, name);
            parameters
        };
        let request = |name, key: &KeyPair| {
            let request = named(name).serialize_request(key).unwrap();
            ("csr.pem", request.pem().unwrap())
        };
        let hidden = |key: &KeyPair| {
            let certificate = named(CLIENT_NAME).self_signed(key).unwrap();
            ("hidden", certificate.pem())
        };
        for (what, left, is_ours) in [
            ("nothing", None, false),
            ("official's request", Some(request(official, &key)), true),
            (
                "a request for another key",
                Some(request(official, &other_key)),
                false,
            ),
            ("somebody's request", Some(request("job", &key)), false),
            ("no request", Some(("csr.pem", "garbage".into())), false),
            ("our certificate, hidden", Some(hidden(&key)), true),
            ("one of another key", Some(hidden(&other_key)), false),
        ] {
            let root = tempdir().unwrap();
            fs::write(root.path().join(KEY), key.serialize_pem()).unwrap();
            match left {
                Some(("hidden", content)) => {
                    let opened = directory::Directory::open(root.path()).unwrap();
                    let content = content.as_bytes();
                    opened
                        .stage(CERTIFICATE, content, 0o644, |_| Ok(()))
                        .unwrap();
                }
                Some((name, content)) => fs::write(root.path().join(name), content).unwrap(),
                None => {}
            }
            let found = Directory::survey(root.path(), &Mounts::default());
            let foreign: Vec<_> = foreign_files(&found, None)
                .into_iter()
                .map(|file| (file.name, file.what))
                .collect();
            let expected = match is_ours {
                true => Vec::new(),
                false => vec![(KEY, "a private key that is not ours".to_owned())],
            };
            assert_eq!(foreign, expected, "{what}");
        }
    }

    /// And it takes `ca.pem` away first, and brings it last: under a hidden name it says whose the
    /// others are.
    #[test]
    fn a_set_without_ca_pem_is_ours_if_the_ca_is_hidden_beside_it() {
        let validity = Validity::days_from(OffsetDateTime::now_utc(), 1);
        let (ours, other) = (Authority::create(validity), Authority::create(validity));
        let (ours, other) = (ours.unwrap(), other.unwrap());
        let issued = ours.issue_client(&new_key().unwrap(), validity).unwrap();
        let retire = |root: &Path, pem: &[u8]| {
            fs::write(root.join(retired(CA_CERTIFICATES)), pem).unwrap();
        };
        let stage = |root: &Path, pem: &[u8]| {
            let opened = directory::Directory::open(root).unwrap();
            let staged = opened.stage(CA_CERTIFICATES, pem, 0o644, |_| Ok(()));
            staged.unwrap();
        };
        type Hide<'a> = &'a dyn Fn(&Path);
        let cases: [(Hide<'_>, &[&str]); 5] = [
            (&|_| {}, &[CERTIFICATE, KEY]),
            (&|root| retire(root, &ours.certificate_pem), &[]),
            (&|root| stage(root, &ours.certificate_pem), &[]),
            (
                &|root| retire(root, &other.certificate_pem),
                &[CERTIFICATE, KEY],
            ),
            (
                &|root| stage(root, &other.certificate_pem),
                &[CERTIFICATE, KEY],
            ),
        ];
        for (hide, expected) in cases {
            let root = tempdir().unwrap();
            fs::write(root.path().join(CERTIFICATE), &issued.certificate_pem).unwrap();
            fs::write(root.path().join(KEY), &issued.key_pem).unwrap();
            hide(root.path());
            let found = Directory::survey(root.path(), &Mounts::default());
            let foreign: Vec<_> = foreign_files(&found, None)
                .into_iter()
                .map(|file| file.name)
                .collect();
            assert_eq!(foreign, expected, "{:?}", found.names);
        }
    }
}
