//! What to do with a certificate directory: a pure function of what was found there.

mod authority;
mod client;
mod decision;
mod own;
mod read_only;
mod refusals;

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

pub use self::decision::{ClientAction, Decision, ServerAction, Signer};
use self::{
    authority::HeldAuthority,
    client::{ClientUnder, is_writable},
};
use super::{
    inspect::Certificate,
    keys::read_key,
    origin::{ForeignFile, foreign_files},
    verify::{Set, Usage},
};
use crate::{
    facts::certificates::{CA_CERTIFICATES, CertificateDirectory, Directory, KEY, Presence},
    reasons::{Finding, certs},
    settings::{CertificateSettings, subject_names::SubjectName},
};

/// What the certificates are wanted for: all that is judged besides the directory itself.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    pub settings: &'a CertificateSettings,
    /// The names and addresses of this container, as the server certificate should have them.
    pub names: &'a [SubjectName],
    pub job: Job,
    pub now: OffsetDateTime,
}

impl Wanted<'_> {
    /// With `DOCKER_TLS_SAN` and the job's own `DOCKER_HOST`, each once.
    fn all_names(&self) -> Vec<SubjectName> {
        let mut names: Vec<_> = self
            .names
            .iter()
            .chain(&self.settings.names)
            .chain(&self.job.docker_host)
            .cloned()
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// Whether the certificate has these names, and those that nobody dials.
    fn are_in(&self, names: &[SubjectName], leaf: &Certificate) -> bool {
        let mut others = self.settings.other_names.iter();
        names.iter().all(|name| leaf.covers(name))
            && others.all(|name| leaf.other_names.contains(name))
    }
}

/// What is known of the job whose service this is.
#[derive(Clone, Debug, Default)]
pub struct Job {
    /// The host of the job's `DOCKER_HOST`, where that is a TCP one.
    pub docker_host: Option<SubjectName>,
    /// Whether `CI_JOB_ID` is set.
    pub in_gitlab: bool,
    /// Nothing leads its docker commands here.
    pub is_lost: bool,
    /// `CI_BUILDS_DIR`, which every executor shares with the job.
    pub builds_directory: Option<PathBuf>,
}

impl Job {
    fn shares(&self, path: &Path) -> bool {
        self.builds_directory
            .as_ref()
            .is_some_and(|builds| path.starts_with(builds))
    }
}

/// Judges the directory. The error is a fatal finding: nothing may be written.
pub fn decide(found: &CertificateDirectory, wanted: &Wanted<'_>) -> Result<Decision, Finding> {
    refusals::unreadable(&found.ca)?;
    refusals::unreadable(&found.server)?;
    let held = HeldAuthority::read(&found.ca, wanted.now)?;
    let foreign = foreign_files(&found.server, held.as_ref().map(HeldAuthority::as_held_key));
    // Whoever made the key, it gets a certificate of the CA that is held, as official has it.
    let is_ours_but_the_key = foreign.iter().all(|file| file.name == KEY);
    let certifies_key = held.is_some() && is_ours_but_the_key && has_usable_key(&found.server);
    let mut decision = if foreign.is_empty() || certifies_key {
        issue_or_keep(found, wanted, held)?
    } else {
        use_own(found, wanted, held, &foreign)?
    };
    decision.findings.extend(unshared(found, wanted, &decision));
    Ok(decision)
}

/// `server/` is the user's own.
fn use_own(
    found: &CertificateDirectory,
    wanted: &Wanted<'_>,
    held: Option<HeldAuthority>,
    foreign: &[ForeignFile],
) -> Result<Decision, Finding> {
    let (server, mut findings) = own::verified_server(&found.server, foreign, wanted)?;
    let authority = held.filter(|held| {
        server
            .authorities
            .iter()
            .any(|trusted| trusted.public_key == held.public_key)
    });
    let (signer, client) = match authority {
        Some(held) => {
            refusals::unreadable(&found.client)?;
            let foreign = foreign_files(&found.client, Some(held.as_held_key()));
            let under = ClientUnder::held(&found.client, &held, wanted.now);
            let (client, more) = under.decide(&foreign)?;
            findings.extend(more);
            (held.signer, client)
        }
        None => {
            let (client, more) = own::client(found, &server, wanted.now);
            findings.extend(more);
            (Signer::Nobody, client)
        }
    };
    Ok(Decision {
        signer: match client {
            ClientAction::Issue | ClientAction::Recertify => signer,
            _ => Signer::Nobody,
        },
        server: ServerAction::UseOwn,
        client,
        names: Vec::new(),
        ca_directory: None,
        findings,
    })
}

/// `server/` is empty, ours or official's.
fn issue_or_keep(
    found: &CertificateDirectory,
    wanted: &Wanted<'_>,
    held: Option<HeldAuthority>,
) -> Result<Decision, Finding> {
    refusals::unreadable(&found.client)?;
    let names = wanted.all_names();
    let Some(held) = held else {
        return without_authority(found, wanted, names);
    };
    let foreign = foreign_files(&found.client, Some(held.as_held_key()));
    let under = ClientUnder::held(&found.client, &held, wanted.now);
    let (client, finding) = under.decide(&foreign)?;
    let mut findings: Vec<_> = finding.into_iter().collect();
    let server = Set::read(&found.server).ok().filter(|set| {
        set.verify(&set.authorities, Usage::Server, wanted.now)
            .is_ok()
            && set
                .authorities
                .iter()
                .any(|trusted| trusted.public_key == held.public_key)
    });
    let server_is_good = server.as_ref().is_some_and(|set| {
        !held.is_renewed()
            && held.certificate_pem.as_deref() == found.server.content(CA_CERTIFICATES)
            && set.leaf.is_young_at(wanted.now)
            && wanted.are_in(&names, &set.leaf)
    });
    let server = match server {
        Some(_) if server_is_good => ServerAction::Keep,
        // One that works is better than none where another cannot be written.
        Some(set) if !is_writable(&found.server) => {
            findings.extend(own::names(&found.server, &set.leaf, wanted));
            ServerAction::Keep
        }
        _ => {
            refusals::unwritable(&found.server, &[])?;
            match has_usable_key(&found.server) {
                true => ServerAction::Recertify,
                false => ServerAction::Issue,
            }
        }
    };
    let is_written = held.is_renewed() && is_writable(&found.ca);
    let issues = matches!(server, ServerAction::Issue | ServerAction::Recertify)
        || matches!(client, ClientAction::Issue | ClientAction::Recertify);
    Ok(Decision {
        signer: if issues { held.signer } else { Signer::Nobody },
        server,
        client,
        names,
        ca_directory: (issues && is_written).then(|| found.ca.path.clone()),
        findings,
    })
}

fn has_usable_key(directory: &Directory) -> bool {
    directory
        .content(KEY)
        .is_some_and(|pem| read_key(pem).is_ok())
}

/// No CA key is there: both sets are kept, or both are made under a new CA.
fn without_authority(
    found: &CertificateDirectory,
    wanted: &Wanted<'_>,
    names: Vec<SubjectName>,
) -> Result<Decision, Finding> {
    authority::refuse_lone_certificate(&found.ca)?;
    let now = wanted.now;
    let foreign = foreign_files(&found.client, None);
    let sets = Set::read(&found.server)
        .ok()
        .zip(Set::read(&found.client).ok());
    let pair = sets.filter(|(server, client)| {
        foreign.is_empty()
            && server
                .verify(&client.authorities, Usage::Server, now)
                .is_ok()
            && client
                .verify(&server.authorities, Usage::Client, now)
                .is_ok()
            && server
                .verify(&server.authorities, Usage::Server, now)
                .is_ok()
    });
    if let Some((server, client)) = pair {
        // Anybody can give a set our names, and would know its keys.
        let is_own = [&found.server, &found.client]
            .iter()
            .all(|directory| directory.file(KEY).is_some_and(|key| key.is_own));
        let is_good = is_own
            && wanted.are_in(&names, &server.leaf)
            && [&server, &client].into_iter().all(|set| {
                set.leaf.is_young_at(now)
                    && set
                        .authorities
                        .iter()
                        .all(|authority| authority.has_key_usage && authority.is_young_at(now))
            });
        // A pair that works is better than none where another cannot be written.
        if is_good || !is_writable(&found.server) || !is_writable(&found.client) {
            return Ok(Decision {
                signer: Signer::Nobody,
                server: ServerAction::Keep,
                client: ClientAction::Keep,
                findings: own::names(&found.server, &server.leaf, wanted),
                names,
                ca_directory: None,
            });
        }
    }
    if !foreign.is_empty() {
        return Err(refusals::foreign(&found.client, &foreign));
    }
    refusals::unwritable(&found.client, &foreign)?;
    refusals::unwritable(&found.server, &[])?;
    let keeps_key =
        found.ca.is_on_volume() && !wanted.job.shares(&found.ca.path) && is_writable(&found.ca);
    Ok(Decision {
        signer: Signer::New,
        server: ServerAction::Issue,
        client: ClientAction::Issue,
        names,
        ca_directory: keeps_key.then(|| found.ca.path.clone()),
        findings: refusals::naming(&found.client).into_iter().collect(),
    })
}

/// Only a volume, or the builds directory, is seen by the job as well.
fn unshared(
    found: &CertificateDirectory,
    wanted: &Wanted<'_>,
    decision: &Decision,
) -> Option<Finding> {
    let client = &found.client;
    let mount = client.mount.as_ref()?;
    if !wanted.job.in_gitlab
        || mount.point != Path::new("/")
        || wanted.job.shares(&client.path)
        || decision.client == ClientAction::Leave
    {
        return None;
    }
    let path = client.path.display();
    let state = match client.presence {
        Presence::Missing => "would be made in",
        _ => "lies in",
    };
    let advice = match wanted.job.is_lost {
        true => certs::UNSHARED_AND_UNSET,
        false => certs::UNSHARED.advice,
    };
    Some(certs::UNSHARED.advised(
        format!("{path} {state} this container's own file system, not on a volume."),
        advice,
        refusals::at(client),
    ))
}

#[cfg(test)]
mod tests;
