//! What of a single source can be used.

use time::OffsetDateTime;

use super::Client;
use crate::{
    pki::inspect::{Certificate, public_key_of},
    reasons::Finding,
    registry::{
        contents::Contents,
        findings,
        sources::{Scope, Source},
    },
};

/// The certificates of a source that can be trusted, and what is to be said about it.
pub fn authorities(
    source: &Source,
    scope: &Scope,
    now: OffsetDateTime,
) -> (Vec<Certificate>, Vec<Finding>) {
    let path = &source.origin;
    let bytes = match &source.content {
        Ok(bytes) => bytes,
        Err(error) => return (Vec::new(), vec![findings::unreadable(error)]),
    };
    let contents = match Contents::parse(bytes) {
        Ok(contents) => contents,
        Err(unusable) if unusable.has_private_key => {
            return (Vec::new(), vec![findings::private_key(path)]);
        }
        Err(unusable) => return (Vec::new(), vec![findings::not_pem(path, &unusable.why)]),
    };
    let mut findings = Vec::new();
    if contents.has_private_key {
        findings.push(findings::private_key(path));
    }
    if let Some(mended) = contents.mended {
        findings.push(findings::mended(path, mended));
    }
    if let Some(why) = &contents.damaged {
        findings.push(findings::damaged(path, why));
    }
    let (mut cas, mut leaves): (Vec<_>, Vec<_>) = contents
        .certificates
        .into_iter()
        .partition(|certificate| certificate.is_authority);
    let kind = if cas.is_empty() {
        &mut leaves
    } else {
        &mut cas
    };
    let last = kind
        .iter()
        .max_by_key(|certificate| certificate.not_after)
        .cloned();
    kind.retain(|certificate| now <= certificate.not_after);
    let usable = std::mem::take(kind);
    match (usable.as_slice(), last) {
        ([], Some(last)) => findings.push(findings::expired(path, &last)),
        (usable, _)
            if usable
                .iter()
                .all(|certificate| now < certificate.not_before) =>
        {
            findings.extend(
                usable
                    .first()
                    .map(|first| findings::not_yet_valid(path, first, now)),
            );
        }
        // GitLab's whole chain: its leaf is not there by mistake.
        _ if matches!(scope, Scope::GitLab(_)) => {}
        ([leaf, ..], _) if !leaf.is_authority => {
            findings.push(findings::not_ca(path, leaf));
        }
        _ => {}
    }
    (usable, findings)
}

pub fn client(stem: &str, certificate: &Source, key: &Source) -> Result<Client, String> {
    let bytes = |source: &Source| source.content.clone().map_err(|error| error.to_string());
    let (certificate_pem, key_pem) = (bytes(certificate)?, bytes(key)?);
    let chain = Certificate::parse_pem(&certificate_pem)?;
    let public_key = public_key_of(&key_pem)
        .map_err(|why| format!("cannot be used: {} {why}", key.origin.display()))?;
    if chain[0].public_key != public_key {
        return Err(format!("has another key than {}", key.origin.display()));
    }
    Ok(Client {
        stem: stem.to_owned(),
        certificate_pem,
        key_pem,
    })
}
