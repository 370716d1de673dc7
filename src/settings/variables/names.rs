//! Names that are almost one of ours.

use std::ffi::OsString;

use super::{OF_THE_COMPONENT, TABLE};
use crate::reasons::{Finding, hole::Hole, settings};

/// A finding for each name that is almost one of ours: who mistyped it waits for what it says.
///
/// A name that is like none of ours is somebody else's business: pipelines call theirs
/// `DIND_VERSION`, and Kubernetes makes `DIND_PORT` for a Service of that name.
pub fn misspelt(names: impl IntoIterator<Item = OsString>) -> Vec<Finding> {
    let names = names.into_iter();
    let names = names.filter_map(|name| name.into_string().ok());
    names.filter_map(|name| finding(&name)).collect()
}

/// The same of one name.
pub fn finding(name: &str) -> Option<Finding> {
    let nearest = nearest(name)?;
    let cause = format!("{name} is set, and dind-init does not read it.");
    Some(settings::MISSPELT.met_with(cause, [(Hole::Variable, nearest.to_owned())]))
}

/// The variable of ours that `name`, which is none, was probably meant to be.
fn nearest(name: &str) -> Option<&'static str> {
    if !name.starts_with("DIND_") || known().any(|known| known == name) {
        return None;
    }
    known()
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, known)| *distance <= typing_errors(known))
        .min()
        .map(|(_, known)| known)
}

/// One in a short name, two in a long one: `DIND_TAG` is not `DIND_LOG`.
fn typing_errors(name: &str) -> usize {
    match name.len() {
        0..=12 => 1,
        _ => 2,
    }
}

pub(super) fn known() -> impl Iterator<Item = &'static str> {
    let own = TABLE
        .iter()
        .flat_map(|variable| [Some(variable.name), variable.input]);
    own.flatten().chain(OF_THE_COMPONENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_almost_a_name_is_told_and_what_is_like_none_is_not() {
        for (name, meant) in [
            ("DIND_ON_FAILUR", Some("DIND_ON_FAILURE")),
            ("DIND_IGNORED", Some("DIND_IGNORE")),
            ("DIND_REGISTRY_MIRROR", Some("DIND_REGISTRY_MIRRORS")),
            ("DIND_INPUT_MTUS", Some("DIND_INPUT_MTU")),
            ("DIND_ON_FAILURE", None),
            ("DIND_INPUT_DEBUG", None),
            ("DIND_VERSION", None),
            ("DIND_IMAGE", None),
            ("DIND_TAG", None),
            ("DIND_PORT", None),
            ("DIND_SERVICE_HOST", None),
            ("DOCKER_TLS_CERTDI", None),
        ] {
            assert_eq!(nearest(name), meant, "{name}");
        }
        let found = misspelt(["DIND_ON_FAILUR", "PATH"].map(OsString::from));
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(finding.reason.id, "SETTINGS-MISSPELT");
        assert!(finding.fix.contains("DIND_ON_FAILURE"));
    }
}
