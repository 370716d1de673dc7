//! What to do with `client/` where there is a CA key that could issue it.

use time::OffsetDateTime;

use super::{ClientAction, authority::HeldAuthority, refusals};
use crate::{
    facts::certificates::{Access, CA_CERTIFICATES, Directory},
    pki::{
        origin::ForeignFile,
        verify::{Set, Usage},
    },
    reasons::Finding,
};

/// `client/`, seen from the CA in `ca/`.
pub(super) struct ClientUnder<'a> {
    directory: &'a Directory,
    set: Option<Set>,
    /// Its certificate holds under the CA, which it trusts.
    is_usable: bool,
    /// Its `ca.pem` is the CA's certificate, byte for byte, and stays so.
    has_same_ca: bool,
    now: OffsetDateTime,
}

impl<'a> ClientUnder<'a> {
    pub(super) fn held(
        directory: &'a Directory,
        held: &HeldAuthority,
        now: OffsetDateTime,
    ) -> Self {
        let set = Set::read(directory).ok();
        let is_usable = set.as_ref().is_some_and(|set| {
            let anchors: Vec<_> = set
                .authorities
                .iter()
                .filter(|trusted| trusted.public_key == held.public_key)
                .cloned()
                .collect();
            set.verify(&anchors, Usage::Client, now).is_ok()
        });
        let has_same_ca = !held.is_renewed()
            && held.certificate_pem.as_deref() == directory.content(CA_CERTIFICATES);
        Self {
            directory,
            set,
            is_usable,
            has_same_ca,
            now,
        }
    }

    /// `foreign` are the files in it that must not be replaced.
    pub(super) fn decide(
        self,
        foreign: &[ForeignFile],
    ) -> Result<(ClientAction, Option<Finding>), Finding> {
        let is_ours = foreign.is_empty();
        let is_young = self
            .set
            .as_ref()
            .is_some_and(|set| set.leaf.is_young_at(self.now));
        if self.is_usable && is_ours && is_young && self.has_same_ca {
            return Ok((ClientAction::Keep, None));
        }
        if self.is_usable && (!is_ours || !is_writable(self.directory)) {
            return Ok((ClientAction::UseOwn, None));
        }
        if !is_ours {
            return Err(refusals::foreign(self.directory, foreign));
        }
        refusals::unwritable(self.directory, foreign)?;
        // With a new key under the same ca.pem a reader could mix the old and the new set and not
        // notice; with the same key there is nothing to mix.
        let action = if self.has_same_ca && self.set.is_some() {
            ClientAction::Recertify
        } else {
            ClientAction::Issue
        };
        Ok((action, refusals::naming(self.directory)))
    }
}

/// Whether a set can be written there.
pub(super) fn is_writable(directory: &Directory) -> bool {
    directory.access == Access::Writable && directory.mounted_files().next().is_none()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::*;
    use crate::facts::{certificates::KEY, mounts::Mounts};

    /// What is taken for writable and is not ends the service half way through a set.
    #[test]
    fn a_set_can_be_written_where_neither_the_directory_nor_a_file_is_in_the_way() {
        let root = tempdir().unwrap();
        let path = root.path().canonicalize().unwrap();
        fs::write(path.join(KEY), "a key").unwrap();
        let mount = |name: &str| {
            let point = path.join(name);
            Mounts::parse(&format!(
                "2 1 8:1 / {} rw - ext4 /dev/sdb1 rw",
                point.display()
            ))
        };
        for (mounts, access, writable) in [
            (Mounts::default(), Access::Writable, true),
            (Mounts::default(), Access::ReadOnly, false),
            (Mounts::default(), Access::Denied, false),
            (mount(KEY), Access::Writable, false),
            (mount(KEY), Access::ReadOnly, false),
            (mount("notes"), Access::Writable, true),
        ] {
            let mut directory = Directory::survey(&path, &mounts);
            directory.access = access;
            assert_eq!(is_writable(&directory), writable, "{access:?} {mounts:?}");
        }
    }
}
