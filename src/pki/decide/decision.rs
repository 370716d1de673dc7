//! The plan for a certificate directory.

use std::{fmt, path::PathBuf};

use crate::{pki::inspect::Certificate, reasons::Finding, settings::subject_names::SubjectName};

/// What to do, and what to tell.
#[derive(Clone, Debug)]
pub struct Decision {
    pub signer: Signer,
    pub server: ServerAction,
    pub client: ClientAction,
    /// The names of a server certificate that is issued.
    pub names: Vec<SubjectName>,
    /// Where `ca/` is written: the CA's certificate, and its key if it is a new one.
    pub ca_directory: Option<PathBuf>,
    /// None of them fatal.
    pub findings: Vec<Finding>,
}

/// The plan in a few lines.
impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.signer {
            Signer::Nobody => f.write_str("CA: none is needed")?,
            Signer::New => f.write_str("CA: make a new one")?,
            Signer::Renewed { name, .. } => {
                write!(f, "CA: make a new certificate CN={name} for the key in ca/")?;
            }
            Signer::Existing { certificate, .. } => {
                write!(f, "CA: use {} in ca/", certificate.subject)?;
            }
        }
        if let Some(directory) = &self.ca_directory {
            write!(f, ", and write it to {}", directory.display())?;
        }
        let names: Vec<_> = self.names.iter().map(SubjectName::to_string).collect();
        let names = names.join(", ");
        match self.server {
            ServerAction::Keep => f.write_str("\nserver: keep what is there")?,
            ServerAction::Issue => write!(f, "\nserver: issue for {names}")?,
            ServerAction::Recertify => {
                write!(f, "\nserver: issue with the key that is there for {names}")?;
            }
            ServerAction::UseOwn => f.write_str("\nserver: use your own set")?,
        }
        f.write_str(match self.client {
            ClientAction::Keep => "\nclient: keep what is there",
            ClientAction::Issue => "\nclient: issue with a new key",
            ClientAction::Recertify => "\nclient: issue for the key that is there",
            ClientAction::UseOwn => "\nclient: use your own set",
            ClientAction::Leave => "\nclient: leave it as it is",
        })
    }
}

/// Who signs what is issued.
#[derive(Clone)]
pub enum Signer {
    /// Nothing is issued.
    Nobody,
    /// A new CA.
    New,
    /// The key in `ca/`, which gets a new certificate.
    Renewed {
        key_pem: Vec<u8>,
        /// The CA's common name.
        name: String,
        /// Kept, because what was issued before refers to it.
        key_identifier: Option<Vec<u8>>,
    },
    /// The CA in `ca/`, as it is.
    Existing {
        key_pem: Vec<u8>,
        certificate: Box<Certificate>,
        certificate_pem: Vec<u8>,
    },
}

impl fmt::Debug for Signer {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("Nobody"),
            Self::New => f.write_str("New"),
            Self::Renewed { name, .. } => write!(f, "Renewed({name})"),
            Self::Existing { certificate, .. } => write!(f, "Existing({})", certificate.subject),
        }
    }
}

/// What to do with `server/`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ServerAction {
    /// Ours or official's, and still good.
    Keep,
    /// Replace what is there, if anything.
    Issue,
    /// A new certificate for the key that is there, under the CA that is held.
    Recertify,
    /// The user's own set.
    UseOwn,
}

/// What to do with `client/`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClientAction {
    /// Ours or official's, and still good.
    Keep,
    /// Replace what is there, if anything.
    Issue,
    /// A new certificate for the key that is there, under the CA that is there.
    Recertify,
    /// The user's own set.
    UseOwn,
    /// Not ours to write; a finding says what is wrong with it.
    Leave,
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::pki::issue::{Authority, Validity};

    fn renewed() -> Signer {
        Signer::Renewed {
            key_pem: b"secret".to_vec(),
            name: "dind-init CA".to_owned(),
            key_identifier: None,
        }
    }

    fn existing() -> Signer {
        let validity = Validity::days_from(OffsetDateTime::now_utc(), 1);
        let certificate_pem = Authority::create(validity).unwrap().certificate_pem;
        let certificate = Certificate::parse_pem(&certificate_pem).unwrap().remove(0);
        Signer::Existing {
            key_pem: b"secret".to_vec(),
            certificate: Box::new(certificate),
            certificate_pem,
        }
    }

    /// What `check` prints, before anything is written: it must not be the plan of another start.
    #[test]
    fn a_plan_says_of_each_directory_what_becomes_of_it() {
        let cases = [
            (
                (Signer::Nobody, ServerAction::Keep, ClientAction::Keep),
                "CA: none is needed\n\
                 server: keep what is there\n\
                 client: keep what is there",
            ),
            (
                (Signer::New, ServerAction::Issue, ClientAction::Issue),
                "CA: make a new one, and write it to /certs/ca\n\
                 server: issue for docker, 10.0.0.5\n\
                 client: issue with a new key",
            ),
            (
                (renewed(), ServerAction::Recertify, ClientAction::Recertify),
                "CA: make a new certificate CN=dind-init CA for the key in ca/, and write it to \
                 /certs/ca\n\
                 server: issue with the key that is there for docker, 10.0.0.5\n\
                 client: issue for the key that is there",
            ),
            (
                (existing(), ServerAction::UseOwn, ClientAction::UseOwn),
                "CA: use CN=dind-init CA in ca/\n\
                 server: use your own set\n\
                 client: use your own set",
            ),
            (
                (Signer::Nobody, ServerAction::UseOwn, ClientAction::Leave),
                "CA: none is needed\n\
                 server: use your own set\n\
                 client: leave it as it is",
            ),
        ];
        for ((signer, server, client), plan) in cases {
            let is_written = matches!(signer, Signer::New | Signer::Renewed { .. });
            let decision = Decision {
                signer,
                server,
                client,
                names: SubjectName::parse_list("TEST", "docker,10.0.0.5").unwrap(),
                ca_directory: is_written.then(|| "/certs/ca".into()),
                findings: Vec::new(),
            };
            assert_eq!(decision.to_string(), plan);
        }
    }

    #[test]
    fn a_signer_is_shown_without_its_key() {
        for (signer, shown) in [
            (Signer::Nobody, "Nobody"),
            (Signer::New, "New"),
            (renewed(), "Renewed(dind-init CA)"),
            (existing(), "Existing(CN=dind-init CA)"),
        ] {
            assert_eq!(format!("{signer:?}"), shown);
        }
    }
}
