//! Judging: from what the sources hold to which certificates are trusted for which registry.
//!
//! Pure. One bad file never spoils a good one.

mod listed;
mod usable;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use time::OffsetDateTime;

pub use self::listed::Listed;
use self::usable::{authorities, client};
use super::{
    findings,
    sources::{Role, Scope, Source},
};
use crate::{
    pki::inspect::Certificate,
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

#[cfg(test)]
mod tests;
