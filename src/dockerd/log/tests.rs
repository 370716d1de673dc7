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
        for sample in samples.filter(|sample| !sample.text.starts_with("failed to start daemon")) {
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
    let refused =
        "Get \\\"https://reg.test:5000/v2/\\\": http: server gave HTTP response to HTTPS client";
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
