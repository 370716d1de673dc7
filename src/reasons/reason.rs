//! What an entry of the catalogue holds, and how it is met.

use std::fmt;

use super::{
    Finding, Layer, Severity,
    advice::{self, Advice},
    hole::{Data, Hole},
    printable,
};

/// An entry of the catalogue.
pub struct Reason {
    /// Stable, upper case, starts with the layer unless it names it: `CERTS-READONLY`.
    pub id: &'static str,
    pub layer: Layer,
    pub severity: Severity,
    /// One sentence in the user's nouns: what is wrong. No full stop.
    pub summary: &'static str,
    /// What to change and in which file.
    pub advice: Advice,
    /// The same in the few words that the name of a certificate has room for. Every fatal reason
    /// has them.
    pub in_short: &'static str,
    /// Whether a new pod, perhaps on another node, may cure it.
    pub retryable: bool,
    pub ignoring: Ignoring,
    /// What dockerd, containerd or rootlesskit log about it.
    pub patterns: &'static [Pattern],
    /// What this reason says about dockerd's end, if its log shows it.
    pub weight: Weight,
    /// What dockerd's words tell for the holes of the advice.
    pub data_in: fn(&str) -> Data,
    /// What was really logged; shows that the patterns find it. Users read it on the page.
    #[cfg(test)]
    pub samples: &'static [Sample],
}

/// Fragments of a log line that occur in this order, in lower case: dockerd's spelling of the
/// same message changed between versions (`Could not load X509…` became `could not…` in 25.0).
pub type Pattern = &'static [&'static str];

/// What is logged where this reason is met.
#[cfg(test)]
#[derive(Debug)]
pub struct Sample {
    /// One or more whole lines.
    pub text: &'static str,
    /// The version and where the text is from; "after" where it was put together from the source's
    /// own words, or shortened.
    pub source: &'static str,
}

/// What `DIND_IGNORE` does to a reason.
#[derive(Debug)]
pub enum Ignoring {
    /// It becomes a warning; what is then done.
    Possible(&'static str),
    /// It stays as it is; why.
    Impossible(&'static str),
}

/// For fatal findings that come before dockerd is started.
pub(super) const START_ANYWAY: Ignoring =
    Ignoring::Possible("dockerd is started anyway, and fails by itself if it has to");

/// What a reason in dockerd's log says about dockerd's end.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Weight {
    /// dockerd ends because of it.
    Cause,
    /// dockerd ends with it, but any other cause that was logged explains more.
    Symptom,
    /// dockerd lives on.
    Aside,
}

impl Reason {
    /// An entry without advice and patterns, and with what usually goes with its severity.
    pub(super) const fn new(id: &'static str, layer: Layer, severity: Severity) -> Self {
        Self {
            id,
            layer,
            severity,
            summary: "",
            advice: &[],
            in_short: "",
            retryable: false,
            ignoring: match severity {
                Severity::Fatal => Ignoring::Impossible("dockerd cannot run like this"),
                Severity::Error => Ignoring::Possible(
                    "dockerd runs either way; the message no longer goes to the job's log",
                ),
                Severity::Warning | Severity::Note => {
                    Ignoring::Possible("it stays a warning, since it stops nothing")
                }
            },
            patterns: &[],
            weight: match severity {
                Severity::Fatal => Weight::Cause,
                _ => Weight::Aside,
            },
            data_in: |_| Data::default(),
            #[cfg(test)]
            samples: &[],
        }
    }

    /// This reason, met here: `cause` is told from facts.
    pub fn met(&'static self, cause: impl Into<String>) -> Finding {
        self.met_with(cause, [])
    }

    /// The same with what the holes of its advice are filled with.
    pub fn met_with<const N: usize>(
        &'static self,
        cause: impl Into<String>,
        data: [(Hole, String); N],
    ) -> Finding {
        self.advised(cause, self.advice, data)
    }

    /// The same with another advice than the usual one.
    pub fn advised<const N: usize>(
        &'static self,
        cause: impl Into<String>,
        advice: Advice,
        data: [(Hole, String); N],
    ) -> Finding {
        let data = Data::from(data);
        debug_assert_eq!(advice::unfilled(advice, &data), [], "{}", self.id);
        Finding::advised(self, cause.into(), advice, data)
    }

    /// The same where dockerd's own words show it, which do not always tell everything.
    pub fn shown_in(&'static self, cause: impl Into<String>, words: &str) -> Finding {
        Finding::advised(self, cause.into(), self.advice, (self.data_in)(words))
    }

    /// What was done, or left alone: there is nothing to change.
    pub fn noted(&'static self, cause: impl Into<String>) -> Finding {
        Finding::advised(self, cause.into(), &[], Data::default())
    }

    /// The same with a fix for a very file that was read, as lint has it.
    pub fn found(&'static self, cause: impl Into<String>, fix: impl Into<String>) -> Finding {
        let mut finding = self.noted(cause);
        finding.fix = printable::explanation(&fix.into());
        finding
    }

    /// Whether a line of dockerd's log, in lower case, shows this reason.
    pub fn is_shown_by(&self, line: &str) -> bool {
        self.patterns.iter().any(|pattern| {
            let mut rest = line;
            pattern.iter().all(|fragment| match rest.find(fragment) {
                Some(at) => {
                    rest = &rest[at + fragment.len()..];
                    true
                }
                None => false,
            })
        })
    }
}

/// An id stands for its reason.
impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

impl PartialEq for Reason {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Reason {}
