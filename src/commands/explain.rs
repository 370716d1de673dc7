//! `dind-init explain ID`: an entry of the catalogue.

use std::{
    fmt,
    io::{self, Write},
};

use crate::{
    commands::cli::USAGE,
    lint::rules,
    reasons::{self, Ignoring, Reason, advice},
};

/// How many ids are offered for one that is not known.
const OFFERED: usize = 3;

/// Prints the entry. The status is 0, or 64 for an id that does not exist.
pub fn explain(id: &str) -> u8 {
    match reasons::by_id(id) {
        Some(reason) => {
            // Whoever closed stdout does not want to read it.
            let _ = io::stdout().write_all(Entry(reason).to_string().as_bytes());
            0
        }
        None => {
            let near = near(id).join("\n  ");
            let _ = writeln!(
                io::stderr(),
                "dind-init: there is no reason {id}. The nearest are:\n  {near}"
            );
            USAGE
        }
    }
}

/// The ids most like `id`, the nearest first.
fn near(id: &str) -> Vec<&'static str> {
    let id = id.to_ascii_uppercase();
    let mut ids: Vec<_> = reasons::all().map(|reason| reason.id).collect();
    // Users remember the end as often as the beginning: READONLY is as near as CERTS-READONL.
    ids.sort_by_key(|known| {
        let bare = known.split_once('-').map_or(*known, |(_, bare)| bare);
        strsim::damerau_levenshtein(&id, known).min(strsim::damerau_levenshtein(&id, bare))
    });
    ids.truncate(OFFERED);
    ids
}

struct Entry(&'static Reason);

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.0;
        writeln!(f, "{}: {}", reason.id, reason.summary)?;
        writeln!(f, "  Severity: {}", reason.severity)?;
        let advice = advice::text(reason.advice, None, |hole| hole.example().to_owned());
        if !advice.is_empty() {
            writeln!(f, "  Fix: {}", advice.replace('\n', "\n    "))?;
        }
        writeln!(
            f,
            "  Retry: {}",
            match reason.retryable {
                true => "a new pod, perhaps on another node, may help",
                false => "does not help",
            }
        )?;
        if rules::find(reason) {
            writeln!(f, "  Lint: finds it in files, before there is a pod")?;
        }
        match reason.ignoring {
            Ignoring::Possible(then) => writeln!(f, "  DIND_IGNORE={}: {then}", reason.id),
            Ignoring::Impossible(why) => writeln!(f, "  DIND_IGNORE: cannot be ignored, {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_told_whole() {
        let text = Entry(&reasons::network::NAT_MISSING).to_string();
        for part in [
            "NETWORK-NAT-MISSING: iptables",
            "Severity: fatal",
            "Fix: ",
            "modprobe -a",
            "Retry: a new pod",
            "DIND_IGNORE=NETWORK-NAT-MISSING: dockerd is started",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let text = Entry(&reasons::certs::FOREIGN).to_string();
        assert!(text.contains("cannot be ignored"), "{text}");
        assert!(text.contains("Retry: does not help"), "{text}");
        assert!(!text.contains("Lint:"), "{text}");
        let text = Entry(&reasons::certs::READONLY).to_string();
        assert!(text.contains("Lint: finds it in files"), "{text}");
    }

    #[test]
    fn an_unknown_id_gets_the_near_ones() {
        for (wrong, near_one) in [
            ("CERT-READONLY", "CERTS-READONLY"),
            ("nat-missing", "NETWORK-NAT-MISSING"),
            ("unprivileged", "NOT-PRIVILEGED"),
            ("STORAGE-FUL", "STORAGE-FULL"),
        ] {
            let near = near(wrong);
            assert!(near.contains(&near_one), "{wrong}: {near:?}");
            assert_eq!(near.len(), OFFERED);
        }
    }
}
