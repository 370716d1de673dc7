//! What dockerd, its containerd and rootlesskit write on stderr, read as it goes.
//!
//! Pure: lines in, findings of the catalogue out. Memory is bounded however much is logged.

#[cfg(test)]
mod docker_29;
mod message;
mod noise;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

pub use self::message::{Level, Message};
use super::{ended::Ended, insecure_registries::InsecureRegistries};
use crate::reasons::{self, Finding, Reason, Severity, Weight, daemon, registry};

/// How many of dockerd's last words an explanation shows.
const LAST_LINES: usize = 6;
/// How much of one line is read, in bytes; a line of iptables' or runc's has a few hundred.
const READ: usize = 4096;
/// How much of one line is quoted, in bytes.
const QUOTED: usize = 600;

/// What is asked about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    Ended(Ended),
    /// dockerd still starts, this long after its start.
    NotReady(Duration),
}

/// Recognises the reasons of the catalogue in dockerd's log.
#[derive(Debug, Default)]
pub struct Recogniser {
    ready: bool,
    insecure: InsecureRegistries,
    /// The ids of what was reported already, and as how bad.
    reported: BTreeMap<&'static str, Severity>,
    /// What may explain dockerd's end, the best explanation first. Bounded by the catalogue.
    suspects: BTreeMap<Standing, Suspect>,
    /// The last lines that mean something and show no reason, each cut to [`QUOTED`].
    last: VecDeque<String>,
    version: Option<String>,
}

/// How well a reason explains dockerd's end: smaller is better.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Standing {
    weight: Weight,
    /// Not in the words with which dockerd gave up, which are no log line but plain text.
    is_aside: bool,
    /// Of two reasons the one further up brings about the other.
    position: usize,
}

#[derive(Debug)]
struct Suspect {
    reason: &'static Reason,
    words: String,
}

impl Recogniser {
    /// For a dockerd that may do without TLS with these.
    pub fn with_insecure(insecure: InsecureRegistries) -> Self {
        Self {
            insecure,
            ..Self::default()
        }
    }

    /// dockerd serves its API: what was logged so far did not stop it.
    pub fn ready(&mut self) {
        self.ready = true;
        self.suspects.clear();
        self.last.clear();
    }

    /// dockerd's own version, which it logs at level info shortly before it is ready.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Reads one line, with or without its line break.
    ///
    /// Returns what dockerd lives on with, but the job's docker commands may not: each id once.
    /// What ends dockerd is kept for [`explain`](Self::explain).
    pub fn read(&mut self, line: &str) -> Option<Finding> {
        let message = Message::parse(cut(line.trim_end(), READ));
        if self.version.is_none() {
            self.version = message.docker_version().map(str::to_owned);
        }
        let text = message.text.to_ascii_lowercase();
        if text.trim().is_empty() || noise::is_noise(&text) {
            return None;
        }
        let words = cut(&message.text, QUOTED);
        let Some((position, reason)) = reasons::all()
            .enumerate()
            .find(|(_, reason)| reason.is_shown_by(&text))
        else {
            if message.level >= Level::Warning {
                self.remember(words);
            }
            return None;
        };
        if *reason == registry::PLAIN_HTTP && self.is_only_the_first_try(&text) {
            return None;
        }
        if reason.weight != Weight::Aside {
            let standing = Standing {
                weight: reason.weight,
                is_aside: message.level != Level::Plain,
                position,
            };
            self.suspects.entry(standing).or_insert_with(|| Suspect {
                reason,
                words: words.to_owned(),
            });
        }
        let severity = match reason.severity {
            // dockerd was ready in spite of it: it is one command that fails.
            Severity::Fatal if self.ready => Severity::Error,
            Severity::Fatal => return None,
            // The last words of a dockerd that ends, which are to be explained, not reported.
            _ if !self.ready && is_the_end(&message, &text) => return None,
            // However mild it is as a rule, a docker command has failed with it.
            milder if is_an_answer(&text) => milder.min(Severity::Error),
            milder => milder,
        };
        self.is_news(reason, severity)
            .then(|| reason.shown_in(said(words), words).with_severity(severity))
    }

    /// Each id once, and again where it has become worse.
    fn is_news(&mut self, reason: &'static Reason, severity: Severity) -> bool {
        let before = self.reported.get(reason.id);
        let is_news = before.is_none_or(|before| severity < *before);
        if is_news {
            self.reported.insert(reason.id, severity);
        }
        is_news
    }

    /// dockerd is going to do without TLS, as it was told it may.
    fn is_only_the_first_try(&self, text: &str) -> bool {
        !is_an_answer(text) && self.insecure.may_go_on_after(text)
    }

    /// Why dockerd ended, or is not ready: the most upstream reason that its log shows.
    ///
    /// A signal is a reason of its own. Whether the kernel sent it for want of memory is not in
    /// the log; who knows it asks [`daemon::out_of_memory`] instead.
    pub fn explain(&self, end: End) -> Finding {
        if let End::Ended(Ended::Killed(signal)) = end {
            return daemon::killed(signal);
        }
        if let Some(suspect) = self.suspects.values().next() {
            return suspect
                .reason
                .shown_in(said(&suspect.words), &suspect.words)
                .with_severity(Severity::Fatal);
        }
        let words: Vec<&str> = self.last.iter().map(String::as_str).collect();
        let words = words.join("\n");
        match end {
            End::NotReady(waited) => daemon::timeout(waited, &words),
            End::Ended(ended) => daemon::unknown(ended.exit_status(), &words),
        }
    }

    fn remember(&mut self, line: &str) {
        if self.last.back().is_some_and(|last| last == line) {
            return;
        }
        if self.last.len() == LAST_LINES {
            self.last.pop_front();
        }
        self.last.push_back(line.to_owned());
    }
}

/// What a docker command got as an error. dockerd logs these, but not those that it blames on the
/// client: from status 500 on (moby `daemon/server/server.go`, each version from 20.10 to 29).
fn is_an_answer(text: &str) -> bool {
    text.contains("returned error")
}

/// dockerd gives up in plain words.
fn is_the_end(message: &Message, text: &str) -> bool {
    message.level == Level::Plain && text.starts_with("failed to start daemon")
}

fn said(words: &str) -> String {
    format!("dockerd says: {}", words.trim())
}

/// The beginning of `text`, at most `limit` bytes of it.
fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

#[cfg(test)]
mod tests;
