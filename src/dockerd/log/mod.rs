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
mod tests {
    use nix::sys::signal::Signal;

    use super::*;
    use crate::dockerd::configuration::Configuration;

    /// Healthy lives, with a health check and a stop.
    const HEALTHY: [&str; 2] = [
        include_str!("healthy-26.1.5.log"),
        include_str!("healthy-28.5.2.log"),
    ];

    const EXITED: End = End::Ended(Ended::Exited(1));

    fn read(text: &str) -> (Recogniser, Vec<Finding>) {
        let mut recogniser = Recogniser::default();
        let found = text.lines().filter_map(|line| recogniser.read(line));
        let found = found.collect();
        (recogniser, found)
    }

    fn explain(text: &str) -> Finding {
        read(text).0.explain(EXITED)
    }

    #[test]
    fn a_healthy_dockerd_says_its_version() {
        let versions = HEALTHY.map(|log| read(log).0.version().map(str::to_owned));
        let expected = ["26.1.5+dfsg1", "28.5.2+dfsg4"].map(|version| Some(version.to_owned()));
        assert_eq!(versions, expected);
        // In other words of the same: a container's, and containerd's own.
        let others = "level=info msg=\"Docker daemon says version=9\" version=1\n\
                      level=info msg=\"starting containerd\" version=1.7.24";
        assert_eq!(read(others).0.version(), None);
    }

    #[test]
    fn every_sample_of_the_catalogue_that_ends_dockerd_explains_it() {
        for reason in reasons::all().filter(|reason| reason.weight != Weight::Aside) {
            for sample in reason.samples {
                let finding = explain(sample.text);
                assert_eq!(finding.reason.id, reason.id, "{}", sample.text);
                assert_eq!(finding.severity, Severity::Fatal);
                assert!(finding.cause.starts_with("dockerd says: "));
            }
        }
    }

    #[test]
    fn every_sample_that_dockerd_lives_on_with_is_reported_once() {
        for reason in reasons::all().filter(|reason| reason.severity != Severity::Fatal) {
            let samples = reason.samples.iter();
            // Told as dockerd's end.
            for sample in
                samples.filter(|sample| !sample.text.starts_with("failed to start daemon"))
            {
                let twice = format!("{0}\n{0}", sample.text);
                let (_, found) = read(&twice);
                let ids: Vec<_> = found.iter().map(|finding| finding.reason.id).collect();
                assert_eq!(ids, [reason.id], "{}", sample.text);
                let is_answer = sample.text.contains("returned error");
                let worst = if is_answer {
                    Severity::Error
                } else {
                    reason.severity
                };
                assert_eq!(found[0].severity, reason.severity.min(worst));
            }
        }
    }

    #[test]
    fn what_is_mild_as_a_rule_is_an_error_once_a_command_failed_with_it() {
        let probed = "time=\"…\" level=error msg=\"failed to mount overlay: invalid argument\" storage-driver=overlay2";
        let answered = "time=\"…\" level=error msg=\"Handler for POST /containers/create returned error\" error-response=\"failed to mount /tmp/containerd-mount1: mount source: \\\"overlay\\\", target: \\\"/tmp/containerd-mount1\\\", fstype: overlay, flags: 0, data: \\\"x\\\", err: invalid argument\"";
        let (_, found) = read(&[probed, answered, probed, answered].join("\n"));
        let found: Vec<_> = found.iter().map(|f| (f.reason.id, f.severity)).collect();
        let id = "STORAGE-ON-OVERLAY";
        assert_eq!(found, [(id, Severity::Warning), (id, Severity::Error)]);
    }

    #[test]
    fn the_words_with_which_dockerd_gives_up_are_told_once_as_what_ended_it() {
        let line = "failed to start daemon: Error initializing network controller: error creating \
                    default \"bridge\" network: IPv4 forwarding is disabled: check your host's \
                    firewalling";
        let (recogniser, found) = read(line);
        assert_eq!(found, []);
        assert_eq!(recogniser.explain(EXITED).reason.id, "NETWORK-FORWARDING");
    }

    #[test]
    fn a_registry_that_may_do_without_tls_is_only_tried_with_it_first() {
        let refused = "Get \\\"https://reg.test:5000/v2/\\\": http: server gave HTTP response to HTTPS client";
        let tries = [
            format!(
                "time=\"…\" level=info msg=\"Attempting next endpoint for push after error: {refused}\""
            ),
            format!("time=\"…\" level=warning msg=\"Error getting v2 registry: {refused}\""),
        ];
        let answer = format!(
            "time=\"…\" level=error msg=\"Handler for POST /v1.45/images/create returned error: {refused}\""
        );
        let declared = ["--insecure-registry=reg.test:5000".into()];
        let declared = InsecureRegistries::new(&declared, &Configuration::default());
        for line in &tries {
            assert!(Recogniser::default().read(line).is_some(), "{line}");
            let mut recogniser = Recogniser::with_insecure(declared.clone());
            assert_eq!(recogniser.read(line), None);
            let id = recogniser.read(&answer).map(|finding| finding.reason.id);
            assert_eq!(id, Some("REGISTRY-PLAIN-HTTP"));
        }
    }

    #[test]
    fn a_healthy_log_shows_no_reason() {
        for log in HEALTHY {
            let (recogniser, found) = read(log);
            assert_eq!(found, []);
            let finding = recogniser.explain(EXITED);
            assert_eq!(finding.reason, &daemon::UNKNOWN);
            assert!(
                finding.cause.contains("no known cause"),
                "{}",
                finding.cause
            );
        }
    }

    #[test]
    fn noise_is_no_reason_and_no_last_word() {
        for line in [
            "2026/11/23 10:00:00 http: TLS handshake error from 10.0.0.1:4711: EOF",
            "time=\"2026-11-23T10:00:00Z\" level=info msg=\"http: TLS handshake error from 10.0.0.1:4711: read tcp 10.0.0.2:2376->10.0.0.1:4711: read: connection reset by peer\"",
            "time=\"2026-11-23T10:00:00Z\" level=warning msg=\"Running modprobe bridge br_netfilter failed with message: ip: can't find device 'bridge'\\nmodprobe: can't change directory to '/lib/modules': No such file or directory\\n\" error=\"exit status 1\"",
            "modprobe: can't change directory to '/lib/modules': No such file or directory",
            "time=\"2026-11-23T10:00:00Z\" level=warning msg=\"Your kernel does not support cgroup blkio weight\"",
            "time=\"2026-11-23T10:00:00Z\" level=warning msg=\"ip6tables is enabled, but cannot set up ip6tables chains\" error=\"failed to create NAT chain DOCKER: iptables failed: ip6tables --wait -t nat -N DOCKER: ip6tables v1.8.9 (legacy): can't initialize ip6tables table `nat': Table does not exist (do you need to insmod?)\\nPerhaps ip6tables or your kernel needs to be upgraded.\\n (exit status 3)\"",
            "time=\"2026-11-23T10:00:00Z\" level=warning msg=\"Binding to IP address without --tlsverify is insecure and gives root access on this machine to everyone who has access to your network.\" host=\"tcp://0.0.0.0:2375\"",
        ] {
            let (recogniser, found) = read(line);
            assert_eq!(found, [], "{line}");
            let cause = recogniser.explain(EXITED).cause;
            assert!(cause.contains("no known cause"), "{cause}");
        }
        // The same lines with a client's mistake are none.
        let (_, found) = read(
            "2026/11/23 10:00:00 http: TLS handshake error from 10.0.0.1:4711: remote error: tls: bad certificate",
        );
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn the_words_with_which_dockerd_gave_up_count_more_than_what_it_survived() {
        let finding = explain(
            "time=\"…\" level=error msg=\"failed to mount overlay: invalid argument\" storage-driver=overlay2\n\
             failed to start daemon: failed to create NAT chain DOCKER: iptables failed: iptables \
             -t nat -N DOCKER: TABLE_ADD failed (Not supported): table nat",
        );
        assert_eq!(finding.reason.id, "NETWORK-NAT-MISSING");
        // The driver was the user's word, so dockerd did not survive this one.
        let finding = explain(
            "time=\"…\" level=error msg=\"failed to mount overlay: invalid argument\" storage-driver=overlay2\n\
             failed to start daemon: error initializing graphdriver: driver not supported: overlay2",
        );
        assert_eq!(finding.reason.id, "STORAGE-ON-OVERLAY");
        assert_eq!(finding.severity, Severity::Fatal);
    }

    #[test]
    fn of_two_reasons_the_upstream_one_is_named_whatever_came_first() {
        let disk = "time=\"…\" level=warning msg=\"failed to load plugin\" error=\"write meta.db: no space left on device\"";
        let containerd = "failed to start containerd: timeout waiting for containerd to start";
        for text in [
            format!("{disk}\n{containerd}"),
            format!("{containerd}\n{disk}"),
        ] {
            assert_eq!(explain(&text).reason.id, "STORAGE-FULL");
        }
        assert_eq!(explain(containerd).reason.id, "DAEMON-CONTAINERD");
    }

    #[test]
    fn what_dockerd_was_ready_in_spite_of_does_not_explain_its_end() {
        let (mut recogniser, _) = read("level=warning msg=\"disk: no space left on device\"");
        recogniser.ready();
        assert_eq!(recogniser.explain(EXITED).reason, &daemon::UNKNOWN);
        let later = recogniser
            .read("time=\"…\" level=error msg=\"Handler for POST /build returned error: write /x: no space left on device\"")
            .unwrap();
        assert_eq!(later.reason.id, "STORAGE-FULL");
        assert_eq!(later.severity, Severity::Error);
        assert_eq!(recogniser.explain(EXITED).reason.id, "STORAGE-FULL");
    }

    #[test]
    fn an_unknown_end_shows_the_last_words_that_mean_something() {
        let mut text = String::new();
        for number in 0..20 {
            text.push_str(&format!(
                "time=\"2026-11-23T10:00:00Z\" level=warning msg=\"strange \\\"thing\\\" {number}\"\n\
                 time=\"2026-11-23T10:00:00Z\" level=info msg=\"all is well\"\n"
            ));
        }
        text.push_str("it is over\nit is over\n");
        let finding = explain(&text);
        assert_eq!(finding.reason, &daemon::UNKNOWN);
        let expected = "dockerd ended with status 1. Its last words:\n\
                        strange \"thing\" 15\nstrange \"thing\" 16\nstrange \"thing\" 17\n\
                        strange \"thing\" 18\nstrange \"thing\" 19\nit is over";
        assert_eq!(finding.cause, expected);
        let waiting = read(&text)
            .0
            .explain(End::NotReady(Duration::from_secs(60)));
        assert_eq!(waiting.reason, &daemon::TIMEOUT);
        assert!(waiting.cause.contains("60 s") && waiting.cause.contains("it is over"));
    }

    #[test]
    fn a_signal_is_named_whatever_was_logged() {
        let (recogniser, _) = read("failed to start containerd: timeout");
        let finding = recogniser.explain(End::Ended(Ended::Killed(Signal::SIGKILL)));
        assert_eq!(finding.reason, &daemon::KILLED);
        assert!(finding.cause.contains("SIGKILL"));
    }

    #[test]
    fn memory_is_bounded_whatever_is_logged() {
        let mut recogniser = Recogniser::default();
        let long = "é".repeat(1 << 20);
        for number in 0..1000 {
            recogniser.read(&format!("{number} {long}"));
            recogniser.read(&format!("{number} no space left on device {long}"));
        }
        assert_eq!(recogniser.last.len(), LAST_LINES);
        assert!(recogniser.last.iter().all(|line| line.len() <= QUOTED));
        assert_eq!(recogniser.suspects.len(), 1);
        assert!(recogniser.explain(EXITED).cause.len() < 2 * QUOTED);
    }
}
