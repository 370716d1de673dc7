//! What is trusted, and what is said about it.

use std::io;

use super::*;
use crate::{
    facts::file::ReadError,
    registry::samples::{self, authority},
};

fn host(name: &str) -> RegistryHost {
    RegistryHost::parse(name).unwrap()
}

fn file(path: &str, scope: Scope, content: impl AsRef<[u8]>) -> Source {
    Source {
        origin: path.into(),
        role: Role::Authorities(scope),
        content: Ok(content.as_ref().to_vec()),
    }
}

fn general(path: &str, content: impl AsRef<[u8]>) -> Source {
    file(path, Scope::EveryRegistry, content)
}

fn of(name: &str, path: &str, content: impl AsRef<[u8]>) -> Source {
    file(path, Scope::Registry(host(name)), content)
}

fn judge(sources: &[Source]) -> Trust {
    Trust::judge(sources, OffsetDateTime::now_utc())
}

/// Ids with their severities.
fn ids(trust: &Trust) -> Vec<String> {
    let found = trust.findings.iter();
    let ids = found.map(|f| format!("{} {}", f.severity, f.reason.id));
    ids.collect()
}

const NONE: [&str; 0] = [];

#[test]
fn good_cas_go_where_they_are_meant_and_nothing_is_said() {
    let (one, other) = (authority("One"), authority("Other"));
    let trust = judge(&[
        general("/ca.crt", &one.pem),
        of("a.test", "/a.test.crt", &other.pem),
        of("b.test:5000", "/b.test_5000/ca.crt", &other.pem),
    ]);
    assert_eq!(ids(&trust), NONE);
    assert_eq!(trust.every_registry.len(), 1);
    let hosts: Vec<_> = trust.registries.keys().map(ToString::to_string).collect();
    assert_eq!(hosts, ["a.test", "b.test:5000"]);
    assert_eq!(trust.certificates().len(), 2);
    let listed = trust.listing[1].to_string();
    for part in ["/a.test.crt: CN=Other", "SHA-256 ", "for a.test"] {
        assert!(listed.contains(part), "{listed}");
    }
}

#[test]
fn a_bad_file_is_an_error_where_nothing_is_in_its_place_and_spoils_no_other() {
    let ca = authority("CA");
    let bad = || of("a.test", "/a.test.crt", "hello");
    assert_eq!(ids(&judge(&[bad()])), ["error REGISTRY-NOT-PEM"]);
    for good in [
        general("/ca.crt", &ca.pem),
        of("a.test", "/a.test/ca.crt", &ca.pem),
    ] {
        let trust = judge(&[bad(), good]);
        assert_eq!(ids(&trust), ["warning REGISTRY-NOT-PEM"]);
        assert_eq!(trust.certificates().len(), 1);
    }
    let elsewhere = of("b.test", "/b.test.crt", &ca.pem);
    assert_eq!(ids(&judge(&[bad(), elsewhere])), ["error REGISTRY-NOT-PEM"]);
}

#[test]
fn what_cannot_be_read_is_named() {
    let error = ReadError::new(
        "/pipe.crt".as_ref(),
        &io::Error::other("not a regular file"),
    );
    let source = Source {
        content: Err(error),
        ..general("/pipe.crt", "")
    };
    let trust = judge(&[source]);
    assert_eq!(ids(&trust), ["error REGISTRY-UNREADABLE"]);
    assert!(trust.findings[0].cause.contains("/pipe.crt"));
}

#[test]
fn a_leaf_is_trusted_for_what_it_is() {
    let ca = authority("Corp CA");
    let signed = ca.sign("a.test");
    let own = samples::self_signed_server("a.test");
    let trust = judge(&[of("a.test", "/a.test.crt", &signed.pem)]);
    assert_eq!(ids(&trust), ["warning REGISTRY-NOT-CA"]);
    assert!(
        trust.findings[0].cause.contains("CN=Corp CA"),
        "{}",
        trust.findings[0]
    );
    assert_eq!(trust.certificates().len(), 1);
    let trust = judge(&[of("a.test", "/a.test.crt", &own.pem)]);
    assert_eq!(ids(&trust), ["note REGISTRY-NOT-CA"]);
    // Beside its CA, a leaf is no mistake.
    let chain = format!("{}{}", signed.pem, ca.pem);
    let trust = judge(&[of("a.test", "/a.test.crt", chain)]);
    assert_eq!(ids(&trust), NONE);
    assert_eq!(trust.certificates()[0].subject, "CN=Corp CA");
}

#[test]
fn the_runner_s_own_file_raises_nothing_whatever_part_of_the_chain_it_has() {
    let ca = authority("Corp CA");
    let leaf = ca.sign("gitlab.test");
    let scope = || Scope::GitLab(vec![host("gitlab.test"), host("registry.test")]);
    for content in [
        leaf.pem.clone(),
        samples::self_signed_server("gitlab.test").pem,
        format!("{}{}", leaf.pem, ca.pem),
    ] {
        let trust = judge(&[file(
            "/builds/p.tmp/CI_SERVER_TLS_CA_FILE",
            scope(),
            content,
        )]);
        assert_eq!(ids(&trust), NONE);
        assert_eq!(trust.registries.len(), 2);
    }
}

#[test]
fn dates_are_judged_by_what_remains_usable() {
    let (old, young) = (
        samples::authority_valid("Old", -20, -10),
        samples::authority_valid("Young", 10, 20),
    );
    let trust = judge(&[general("/old.crt", &old.pem)]);
    assert_eq!(ids(&trust), ["error REGISTRY-EXPIRED"]);
    assert!(trust.is_empty());
    let trust = judge(&[general("/young.crt", &young.pem)]);
    // Installed all the same: the clock may be wrong, and the day may come.
    assert_eq!(trust.every_registry.len(), 1);
    assert_eq!(ids(&trust), ["warning REGISTRY-NOT-YET-VALID"]);
    // In a bundle, an old one is no news.
    let bundle = format!("{}{}", old.pem, authority("New").pem);
    let trust = judge(&[general("/bundle.crt", bundle)]);
    assert_eq!(ids(&trust), NONE);
    assert_eq!(trust.every_registry.len(), 1);
}

#[test]
fn private_keys_are_warned_about_and_left_out() {
    let ca = authority("CA");
    for (content, count) in [(format!("{}{}", ca.pem, ca.key_pem), 1), (ca.key_pem, 0)] {
        let trust = judge(&[general("/ca.pem", content)]);
        assert_eq!(ids(&trust), ["warning REGISTRY-PRIVATE-KEY"]);
        assert_eq!(trust.certificates().len(), count);
    }
}

#[test]
fn a_client_s_pair_is_whole_or_left_out() {
    let (one, other) = (
        authority("CA").sign("client"),
        authority("CA").sign("client"),
    );
    let source = |name: &str, content: &str| Source {
        origin: format!("/a.test/{name}").into(),
        role: match name.split_once('.').unwrap() {
            (stem, "cert") => Role::ClientCertificate {
                host: host("a.test"),
                stem: stem.into(),
            },
            (stem, _) => Role::ClientKey {
                host: host("a.test"),
                stem: stem.into(),
            },
        },
        content: Ok(content.into()),
    };
    let (certificate, key) = (
        source("client.cert", &one.pem),
        source("client.key", &one.key_pem),
    );
    let trust = judge(&[certificate.clone(), key.clone()]);
    assert_eq!(ids(&trust), NONE);
    assert_eq!(trust.registries[&host("a.test")].clients.len(), 1);
    for (sources, id) in [
        (vec![certificate.clone()], "error REGISTRY-CLIENT-PAIR"),
        (vec![key], "warning REGISTRY-PRIVATE-KEY"),
        (
            vec![certificate, source("client.key", &other.key_pem)],
            "error REGISTRY-CLIENT-PAIR",
        ),
    ] {
        let trust = judge(&sources);
        assert_eq!(ids(&trust), [id]);
        assert!(trust.registries.is_empty());
    }
}

#[test]
fn two_places_that_differ_are_named_and_both_trusted() {
    let (one, other) = (authority("One"), authority("Other"));
    let twice = [
        of("a.test", "/ca/a.test.crt", &one.pem),
        of("a.test", "/ca/a.test/ca.crt", &other.pem),
    ];
    let trust = judge(&twice);
    assert_eq!(ids(&trust), ["note REGISTRY-DUPLICATE"]);
    assert_eq!(trust.registries[&host("a.test")].authorities.len(), 2);
    let same = [
        of("a.test", "/ca/a.test.crt", &one.pem),
        of("a.test", "/ca/a.test/ca.crt", &one.pem),
    ];
    assert_eq!(ids(&judge(&same)), NONE);
    let one_directory = [
        of("a.test", "/ca/a.test/one.crt", &one.pem),
        of("a.test", "/ca/a.test/other.crt", &other.pem),
    ];
    assert_eq!(ids(&judge(&one_directory)), NONE);
}

#[test]
fn a_name_without_a_port_counts_for_the_port_that_gitlab_names() {
    let ca = authority("CA");
    let mut trust = judge(&[of("a.test", "/a.test.crt", &ca.pem)]);
    trust.extend_to_ports(&[host("a.test:5050"), host("b.test:5050")]);
    let hosts: Vec<_> = trust.registries.keys().map(ToString::to_string).collect();
    assert_eq!(hosts, ["a.test", "a.test:5050"]);
}
