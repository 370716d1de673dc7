//! The CA whose key lies in `ca/`.

use time::OffsetDateTime;

use super::{Signer, refusals};
use crate::{
    facts::certificates::{CERTIFICATE, Directory, KEY},
    pki::{
        inspect::{Certificate, public_key_of},
        issue::{CA_NAME, check_name},
        origin::{HeldKey, is_replaceable_ca},
        verify::{Flaw, Problem, check_time},
    },
    reasons::Finding,
};

/// A CA under which can be issued.
pub(super) struct HeldAuthority {
    pub(super) signer: Signer,
    /// SubjectPublicKeyInfo, DER.
    pub(super) public_key: Vec<u8>,
    /// `ca/cert.pem` as it is found.
    pub(super) certificate_pem: Option<Vec<u8>>,
}

impl HeldAuthority {
    /// `None` where there is no CA key. The error is fatal: there is one that cannot be used.
    pub(super) fn read(ca: &Directory, now: OffsetDateTime) -> Result<Option<Self>, Finding> {
        let Some(key_pem) = ca.content(KEY) else {
            return Ok(None);
        };
        let flaw = |problem, file: &str, why| {
            refusals::flaw(
                ca,
                &Flaw {
                    problem,
                    file: file.to_owned(),
                    why,
                },
            )
        };
        let public_key =
            public_key_of(key_pem).map_err(|why| flaw(Problem::UnreadableKey, KEY, why))?;
        let certificate_pem = ca.content(CERTIFICATE);
        let certificates = certificate_pem
            .map(Certificate::parse_pem)
            .transpose()
            .map_err(|why| flaw(Problem::Unreadable, CERTIFICATE, why))?
            .unwrap_or_default();
        let own = certificates
            .iter()
            .find(|certificate| certificate.public_key == public_key);
        let signer = match (own, certificates.first(), certificate_pem) {
            (Some(own), _, Some(pem)) => Self::judge(ca, own, pem, key_pem, now)?,
            // What we or official made goes when its key has gone.
            (None, Some(other), _) if !is_replaceable_ca(other) => {
                let why = format!("is not the key of {CERTIFICATE} ({})", other.subject);
                return Err(flaw(Problem::Mismatch, KEY, why));
            }
            _ => Signer::Renewed {
                key_pem: key_pem.to_vec(),
                name: CA_NAME.into(),
                key_identifier: None,
            },
        };
        Ok(Some(Self {
            signer,
            public_key,
            certificate_pem: certificate_pem.map(<[u8]>::to_vec),
        }))
    }

    fn judge(
        ca: &Directory,
        own: &Certificate,
        pem: &[u8],
        key_pem: &[u8],
        now: OffsetDateTime,
    ) -> Result<Signer, Finding> {
        let is_ours = is_replaceable_ca(own);
        // Without key usage it would not pass strict verification (official before May 2025).
        let is_good = own.is_authority && own.is_young_at(now) && own.has_key_usage;
        if is_ours && !is_good {
            return Ok(Signer::Renewed {
                key_pem: key_pem.to_vec(),
                name: own.plain_name.clone().unwrap_or_else(|| CA_NAME.into()),
                key_identifier: own.key_identifier.clone(),
            });
        }
        check_time(own, CERTIFICATE, now).map_err(|flaw| refusals::flaw(ca, &flaw))?;
        let unfit = |why| {
            let flaw = Flaw {
                problem: Problem::Usage,
                file: CERTIFICATE.into(),
                why,
            };
            refusals::flaw(ca, &flaw)
        };
        if !own.is_authority {
            return Err(unfit(format!(
                "({}) is not marked as a CA that may sign certificates",
                own.subject
            )));
        }
        check_name(&own.der).map_err(|error| unfit(format!("cannot be used: {error}")))?;
        Ok(Signer::Existing {
            key_pem: key_pem.to_vec(),
            certificate: Box::new(own.clone()),
            certificate_pem: pem.to_vec(),
        })
    }

    pub(super) fn is_renewed(&self) -> bool {
        matches!(self.signer, Signer::Renewed { .. })
    }

    pub(super) fn as_held_key(&self) -> HeldKey<'_> {
        HeldKey {
            public_key: &self.public_key,
            certificate_pem: self.certificate_pem.as_deref(),
        }
    }
}

/// A CA certificate of the user without its key: nothing can be issued under it, and official then
/// starts a dockerd without certificates.
pub(super) fn refuse_lone_certificate(ca: &Directory) -> Result<(), Finding> {
    let Some(pem) = ca.content(CERTIFICATE) else {
        return Ok(());
    };
    let certificates = Certificate::parse_pem(pem).unwrap_or_default();
    if !certificates.is_empty() && certificates.iter().all(is_replaceable_ca) {
        return Ok(());
    }
    Err(refusals::incomplete(ca, &[CERTIFICATE], &[KEY]))
}
