//! The catalogue: every reason why Docker may not work in a job, one file or folder a layer.
//!
//! A [`Reason`] is the static entry, with its stable id; a [`Finding`] is that reason met in this
//! container, with the cause told from facts and data for the holes of its [`Advice`], which this
//! room owns. [`all()`] has them in the order in which one brings about the next.
//!
//! [`Advice`]: advice::Advice

/// Declares the entries of a layer, and `TABLE`, which holds them in this order.
///
/// An entry names its severity and id; fields that are left out are as [`Reason::new`] has them.
macro_rules! catalogue {
    ($layer:ident: $(
        $(#[$doc:meta])*
        $name:ident = $severity:ident $id:literal {
            $($(#[$condition:meta])* $field:ident: $value:expr),* $(,)?
        }
    )*) => {
        $(
            $(#[$doc])*
            pub static $name: $crate::reasons::Reason = $crate::reasons::Reason {
                $($(#[$condition])* $field: $value,)*
                ..$crate::reasons::Reason::new(
                    $id,
                    $crate::reasons::Layer::$layer,
                    $crate::reasons::Severity::$severity,
                )
            };
        )*
        /// The entries of this layer.
        pub static TABLE: &[&$crate::reasons::Reason] = &[$(&$name),*];
    };
}

pub mod advice;
pub mod certs;
pub mod cgroup;
pub mod client;
pub mod daemon;
mod finding;
pub mod hole;
pub mod network;
pub mod printable;
pub mod privilege;
mod reason;
pub mod registry;
pub mod settings;
mod snippets;
pub mod storage;

use self::reason::START_ANYWAY;
#[cfg(test)]
pub use self::reason::Sample;
pub use self::{
    finding::{Finding, Layer, Severity},
    reason::{Ignoring, Reason, Weight},
};

/// All reasons, in the order in which one brings about the next: of two that are met, the earlier
/// one explains the later.
pub fn all() -> impl Iterator<Item = &'static Reason> + Clone {
    [
        settings::TABLE,
        privilege::container::TABLE,
        privilege::rootless::TABLE,
        cgroup::TABLE,
        storage::TABLE,
        network::containers::TABLE,
        network::listening::TABLE,
        network::packet_filter::TABLE,
        network::connectivity::TABLE,
        certs::directory::TABLE,
        certs::set::TABLE,
        certs::shared::TABLE,
        daemon::start::TABLE,
        daemon::life::TABLE,
        client::TABLE,
        registry::mounted::TABLE,
        registry::requests::TABLE,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The reason with this id, in upper or lower case.
pub fn by_id(id: &str) -> Option<&'static Reason> {
    all().find(|reason| reason.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{
        advice::{Executor, Passage},
        hole::Hole,
        *,
    };
    use crate::dockerd::log::Message;

    #[test]
    fn ids_are_unique_and_begin_with_their_layer() {
        let mut seen = BTreeSet::new();
        for reason in all() {
            assert!(seen.insert(reason.id), "{} twice", reason.id);
            let layer = format!("{:?}-", reason.layer).to_ascii_uppercase();
            assert!(
                reason.id.starts_with(&layer) || reason.id == "NOT-PRIVILEGED",
                "{}",
                reason.id
            );
        }
    }

    #[test]
    fn every_entry_says_what_is_wrong_and_what_to_do() {
        for reason in all() {
            let id = reason.id;
            assert!(!reason.summary.is_empty(), "{id}");
            assert!(!reason.summary.ends_with('.'), "{id}");
            let may_be_silent = reason.severity == Severity::Note;
            assert!(may_be_silent || !reason.advice.is_empty(), "{id}");
            let is_known = !reason.in_short.is_empty();
            assert!(
                is_known || reason.severity != Severity::Fatal,
                "{id} in short"
            );
            for executor in [Executor::Docker, Executor::Kubernetes] {
                let advice = advice::text(reason.advice, Some(executor), example);
                // An explanation has about twelve lines, of which the cause needs some.
                assert!(advice.lines().count() <= 10, "{id}:\n{advice}");
                for line in advice.lines() {
                    assert!(line.chars().count() <= 100, "{id}: {line}");
                    assert_eq!(line, line.trim_end(), "{id}");
                }
            }
        }
    }

    fn example(hole: Hole) -> String {
        hole.example().to_owned()
    }

    /// Whose image it names takes the place of the one that runs, and dind-init is gone.
    #[test]
    fn no_advice_replaces_the_service() {
        for reason in all() {
            for text in reason.advice.iter().flat_map(Passage::texts) {
                assert!(!text.contains("services:\n"), "{}: {text}", reason.id);
                assert!(!text.contains('…'), "{}: {text}", reason.id);
            }
        }
    }

    /// Only a certificate's name is built of it, where letters, digits and hyphens have room.
    #[test]
    fn the_short_form_of_an_advice_is_short_and_plain() {
        for reason in all() {
            let short = reason.in_short;
            assert!(short.len() <= 63, "{}: {short}", reason.id);
            assert!(
                short
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b" -".contains(&byte)),
                "{}: {short}",
                reason.id
            );
        }
    }

    #[test]
    fn words_of_dockerd_fill_what_they_tell() {
        for (reason, words, hole, value) in [
            (
                &registry::PLAIN_HTTP,
                "Get \"https://reg.test:5000/v2/\": http: server gave HTTP response to HTTPS client",
                Hole::Registry,
                "reg.test:5000",
            ),
            (
                &registry::UNTRUSTED,
                "Get \"https://reg.test:5001/v2/\": x509: certificate signed by unknown authority",
                Hole::RegistryFile,
                "reg.test_5001",
            ),
        ] {
            let data = (reason.data_in)(words);
            assert_eq!(data.get(hole), Some(value), "{}", reason.id);
            assert!(reason.shown_in("x", words).fix.contains(value));
        }
        let silent = (registry::PLAIN_HTTP.data_in)("http: server gave HTTP response");
        assert!(silent.is_empty());
    }

    #[test]
    #[should_panic(expected = "STORAGE-DRIVER-CONFLICT")]
    fn a_hole_without_its_datum_is_noticed() {
        storage::DRIVER_CONFLICT.met("x");
    }

    #[test]
    fn only_what_keeps_dockerd_from_running_is_fatal() {
        for reason in all() {
            let lives_on = matches!(reason.layer, Layer::Client | Layer::Registry);
            assert!(
                !lives_on || reason.severity != Severity::Fatal,
                "{}",
                reason.id
            );
        }
    }

    #[test]
    fn every_pattern_has_a_sample_that_reaches_its_entry_and_no_earlier_one() {
        for reason in all() {
            let id = reason.id;
            for pattern in reason.patterns {
                assert!(!pattern.is_empty(), "{id}");
                for fragment in *pattern {
                    assert_eq!(*fragment, fragment.to_ascii_lowercase(), "{id}");
                }
                let shown = Reason {
                    patterns: std::slice::from_ref(pattern),
                    ..Reason::new(reason.id, reason.layer, reason.severity)
                };
                let is_shown = reason.samples.iter().any(|sample| {
                    let mut lines = sample.text.lines().map(as_read);
                    lines.any(|line| shown.is_shown_by(&line))
                });
                assert!(is_shown, "{id}: no sample for {pattern:?}");
            }
            for sample in reason.samples {
                assert!(!sample.source.is_empty(), "{id}: {}", sample.text);
                let of_a_client = sample.text.starts_with("docker: ")
                    || sample.text.contains("Error response from daemon");
                assert!(!of_a_client, "{id}: clients print {}", sample.text);
                let lines = || sample.text.lines().map(as_read);
                let first = all().find(|reason| lines().any(|line| reason.is_shown_by(&line)));
                assert_eq!(first.map(|reason| reason.id), Some(id), "{}", sample.text);
            }
        }
    }

    fn as_read(line: &str) -> String {
        Message::parse(line).text.to_ascii_lowercase()
    }
}
