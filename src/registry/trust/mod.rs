//! Judging: from what the sources hold to which certificates are trusted for which registry.
//!
//! Pure. One bad file never spoils a good one.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest;
use time::OffsetDateTime;

use super::{
    contents::Contents,
    findings,
    sources::{Role, Scope, Source},
};
use crate::{
    pki::{
        inspect::{Certificate, public_key_of},
        verify::day,
    },
    reasons::{Finding, Severity},
    settings::registry_host::RegistryHost,
};

/// Whom dockerd is to trust.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    pub every_registry: Vec<Certificate>,
    pub registries: BTreeMap<RegistryHost, Registry>,
    /// What was found in each source, for `dind-init check`.
    pub listing: Vec<Listed>,
    /// None of them fatal.
    pub findings: Vec<Finding>,
}

/// What is installed for one registry.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    pub authorities: Vec<Certificate>,
    pub clients: Vec<Client>,
    /// The user's sources of `authorities`.
    pub origins: Vec<PathBuf>,
}

/// What this machine presents to a registry that asks for it.
#[derive(Clone)]
pub struct Client {
    pub stem: String,
    pub certificate_pem: Vec<u8>,
    pub key_pem: Vec<u8>,
}

impl fmt::Debug for Client {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stem)
    }
}

/// A certificate and where it goes.
#[derive(Clone, Debug)]
pub struct Listed {
    pub origin: PathBuf,
    pub certificate: Certificate,
    pub scope: Scope,
}

/// As in `/x/ca.crt: CN=…, issued by …, from … to …, SHA-256 …; for every registry`.
impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let certificate = &self.certificate;
        let hosts: Vec<_> = self.scope.hosts().iter().map(ToString::to_string).collect();
        write!(
            f,
            "{}: {}, issued by {}, valid from {} to {}, SHA-256 {}; for {}",
            self.origin.display(),
            certificate.subject,
            certificate.issuer,
            day(certificate.not_before),
            day(certificate.not_after),
            fingerprint(certificate),
            match self.scope {
                Scope::EveryRegistry => "every registry".to_owned(),
                _ => hosts.join(", "),
            }
        )
    }
}

/// As `openssl x509 -fingerprint -sha256` prints it.
pub fn fingerprint(certificate: &Certificate) -> String {
    let hash = digest::digest(&digest::SHA256, &certificate.der);
    let bytes: Vec<_> = hash.as_ref().iter().map(|b| format!("{b:02X}")).collect();
    bytes.join(":")
}

impl Trust {
    /// Judges the sources.
    pub fn judge(sources: &[Source], now: OffsetDateTime) -> Self {
        let mut trust = Self::default();
        let mut judged = Vec::new();
        for source in sources {
            match &source.role {
                Role::Authorities(scope) => {
                    let (certificates, findings) = authorities(source, scope, now);
                    judged.extend(findings.into_iter().map(|found| (scope, found)));
                    trust.add(&source.origin, scope, certificates);
                }
                Role::NoHost => trust.findings.push(findings::no_host(&source.origin)),
                Role::ClientCertificate { .. } | Role::ClientKey { .. } => {}
            }
        }
        trust.add_clients(sources);
        for (scope, mut finding) in judged {
            // With nothing in its place, the job's pulls will fail.
            if finding.severity == Severity::Error && trust.covers(scope) {
                finding = finding.with_severity(Severity::Warning);
            }
            trust.findings.push(finding);
        }
        trust.findings.extend(trust.duplicates());
        trust
    }

    /// Trusts what another one does, too.
    pub fn extend(&mut self, more: &Self) {
        merge(&mut self.every_registry, &more.every_registry);
        for (host, registry) in &more.registries {
            let known = self.registries.entry(host.clone()).or_default();
            merge(&mut known.authorities, &registry.authorities);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.every_registry.is_empty() && self.registries.is_empty()
    }

    /// All CA certificates, each once.
    pub fn certificates(&self) -> Vec<&Certificate> {
        let of_registries = self.registries.values().flat_map(|r| &r.authorities);
        let mut all: Vec<&Certificate> = Vec::new();
        for certificate in self.every_registry.iter().chain(of_registries) {
            if !all.iter().any(|known| known.der == certificate.der) {
                all.push(certificate);
            }
        }
        all
    }

    /// What a registry's name alone says counts for the ports of it that GitLab names, too.
    pub fn extend_to_ports(&mut self, gitlab_hosts: &[RegistryHost]) {
        for host in gitlab_hosts.iter().filter(|host| host.port.is_some()) {
            let bare = RegistryHost {
                port: None,
                ..host.clone()
            };
            if let Some(registry) = self.registries.get(&bare)
                && !self.registries.contains_key(host)
            {
                self.registries.insert(host.clone(), registry.clone());
            }
        }
    }

    fn add(&mut self, origin: &Path, scope: &Scope, certificates: Vec<Certificate>) {
        for certificate in &certificates {
            self.listing.push(Listed {
                origin: origin.to_owned(),
                certificate: certificate.clone(),
                scope: scope.clone(),
            });
        }
        if certificates.is_empty() {
            return;
        }
        if *scope == Scope::EveryRegistry {
            merge(&mut self.every_registry, &certificates);
        }
        for host in scope.hosts() {
            let registry = self.registries.entry(host.clone()).or_default();
            merge(&mut registry.authorities, &certificates);
            if matches!(scope, Scope::Registry(_)) {
                registry.origins.push(origin.to_owned());
            }
        }
    }

    /// Pairs `x.cert` and `x.key`. Docker refuses a whole directory that holds one without the other.
    fn add_clients(&mut self, sources: &[Source]) {
        for source in sources {
            let (host, stem, counterpart) = match &source.role {
                Role::ClientCertificate { host, stem } => (host, stem, "key"),
                Role::ClientKey { host, stem } => (host, stem, "cert"),
                _ => continue,
            };
            let other = sources.iter().find(|other| {
                let directory = source.origin.parent() == other.origin.parent();
                directory
                    && other.origin.file_name() == Some(format!("{stem}.{counterpart}").as_ref())
            });
            match (other, counterpart) {
                (None, "cert") => self.findings.push(findings::private_key(&source.origin)),
                (None, _) => self.findings.push(findings::client_pair(
                    &source.origin,
                    &format!("has no {stem}.key beside it"),
                )),
                (Some(key), "key") => match client(stem, source, key) {
                    Ok(client) => {
                        let registry = self.registries.entry(host.clone()).or_default();
                        registry.clients.push(client);
                    }
                    Err(why) => {
                        self.findings
                            .push(findings::client_pair(&source.origin, &why));
                    }
                },
                // The certificate's turn tells it.
                (Some(_), _) => {}
            }
        }
    }

    fn covers(&self, scope: &Scope) -> bool {
        let has_some = |host| {
            let registry = self.registries.get(host);
            registry.is_some_and(|registry| !registry.authorities.is_empty())
        };
        !self.every_registry.is_empty() || scope.hosts().iter().any(has_some)
    }

    /// Registries to which different places say different things.
    fn duplicates(&self) -> Vec<Finding> {
        let places = |registry: &Registry| {
            let mut places: Vec<_> = registry.origins.iter().map(|path| place(path)).collect();
            places.sort_unstable();
            places.dedup();
            places
        };
        self.registries
            .iter()
            .filter(|(_, registry)| registry.authorities.len() > 1)
            .map(|(host, registry)| (host, places(registry)))
            .filter(|(_, places)| places.len() > 1)
            .map(|(host, places)| findings::duplicate(host, &places))
            .collect()
    }
}

/// The directory of a registry is one place, whatever number of files it has.
fn place(path: &Path) -> String {
    let is_in_registry = path
        .parent()
        .and_then(|directory| directory.file_name()?.to_str())
        .and_then(RegistryHost::from_file_name)
        .is_some_and(|host| host.is_unmistakable());
    let place = path.parent().filter(|_| is_in_registry).unwrap_or(path);
    place.display().to_string()
}

fn merge(known: &mut Vec<Certificate>, more: &[Certificate]) {
    for certificate in more {
        if !known.iter().any(|known| known.der == certificate.der) {
            known.push(certificate.clone());
        }
    }
}

/// The certificates of a source that can be trusted, and what is to be said about it.
fn authorities(
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

fn client(stem: &str, certificate: &Source, key: &Source) -> Result<Client, String> {
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

#[cfg(test)]
mod tests;
