//! The reasons of the catalogue that lint finds.

use std::collections::HashSet;

use crate::reasons::{
    self, Reason, certs, client, daemon, network, privilege, registry, settings, storage,
};

const CHECKS: &[&Reason] = &[
    &settings::DUPLICATE_KEY,
    &settings::INVALID,
    &privilege::NOT_PRIVILEGED,
    &privilege::ROOTLESS_KIT,
    &storage::DRIVER_CONFLICT,
    &storage::IN_USE,
    &storage::MOUNTED_TWICE,
    &storage::ON_OVERLAY,
    &storage::READONLY,
    &storage::SLOW_DRIVER,
    &network::HEALTH_CHECK,
    &network::PORT_IN_USE,
    &network::SOCKET,
    &network::SOCKET_BUSY,
    &certs::IN_USE,
    &certs::READONLY,
    &certs::SUBPATH,
    &certs::UNSHARED,
    &daemon::COMMAND_DROPPED,
    &client::CERT_PATH,
    &client::HOST,
    &client::PORT,
    &client::PROXY,
    &client::TLS_VERIFY,
    &registry::HOST,
    &registry::UNTRUSTED,
];

/// All of them, in the catalogue's order.
pub fn all() -> impl Iterator<Item = &'static Reason> {
    let ids: HashSet<&str> = CHECKS.iter().map(|reason| reason.id).collect();
    reasons::all().filter(move |reason| ids.contains(reason.id))
}

/// The check with this id, or the one that is probably meant.
pub fn parse(id: &str) -> Result<&'static Reason, String> {
    if let Some(reason) = all().find(|reason| reason.id.eq_ignore_ascii_case(id)) {
        return Ok(reason);
    }
    let id = id.to_ascii_uppercase();
    let nearest = all().min_by_key(|reason| strsim::osa_distance(reason.id, &id));
    // There is always one.
    let nearest = nearest.map_or("", |reason| reason.id);
    Err(format!("there is no check {id:?}; is {nearest} meant?"))
}

/// For `--list`: a line each.
pub fn list() -> String {
    let width = all()
        .map(|reason| reason.id.len())
        .max()
        .unwrap_or_default();
    let lines = all().map(|reason| {
        let severity = reason.severity.to_string();
        format!("{:width$}  {severity:7}  {}\n", reason.id, reason.summary)
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// The reasons that the rules name in their source, `client::PORT` as `CLIENT-PORT`.
    fn named_in(path: &Path, ids: &mut BTreeSet<String>) {
        if path.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                named_in(&entry.unwrap().path(), ids);
            }
        } else if path.exists() {
            let text = fs::read_to_string(path).unwrap();
            for (at, _) in text.match_indices("::") {
                let is_part = |it: char| it.is_ascii_lowercase() || it == '_';
                let layer = &text[..at][text[..at].trim_end_matches(is_part).len()..];
                let name: String = text[at + 2..]
                    .chars()
                    .take_while(|it| it.is_ascii_uppercase() || *it == '_' || it.is_ascii_digit())
                    .collect();
                let id = format!("{layer}-{name}").to_uppercase().replace('_', "-");
                let id = id.replace("PRIVILEGE-NOT-PRIVILEGED", "NOT-PRIVILEGED");
                let reason = reasons::by_id(&id).filter(|_| name.len() > 1);
                ids.extend(reason.map(|reason| reason.id.to_owned()));
            }
        }
    }

    #[test]
    fn the_list_has_what_the_rules_find() {
        let lint = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lint");
        let mut named = BTreeSet::new();
        for room in ["rules", "helm", "mod.rs"] {
            named_in(&lint.join(room), &mut named);
        }
        // What `findings::client` finds for run time and for lint.
        named.extend(
            ["CERT-PATH", "HOST", "PORT", "PROXY", "TLS-VERIFY"].map(|id| format!("CLIENT-{id}")),
        );
        let listed: BTreeSet<String> = all().map(|reason| reason.id.to_owned()).collect();
        assert_eq!(listed, named);
    }

    #[test]
    fn an_unknown_id_is_told_its_nearest() {
        assert_eq!(parse("not-privileged").unwrap().id, "NOT-PRIVILEGED");
        let error = parse("CERTS-UNSHARD").unwrap_err();
        assert!(error.contains("is CERTS-UNSHARED meant?"), "{error}");
        // One that only a running service can find.
        assert!(parse("DAEMON-OOM").is_err());
    }
}
