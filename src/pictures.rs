//! What people read of each reason, in one file to leaf through: reviewing a text is reading a
//! diff of `snapshots/`. `INSTA_UPDATE=always cargo nextest run --lib pictures` writes it.

use std::fmt::Write;

use crate::{
    commands::check::report::Report,
    reasons::{
        self, Finding, Layer, Severity,
        advice::Executor,
        hole::{Data, Hole, Surroundings},
    },
    report::explain,
};

/// No explanation is longer; what dockerd says itself is one line, however wide.
const LINES: usize = 12;

#[test]
fn what_people_read() {
    let mut pictures = String::new();
    for reason in reasons::all() {
        let _ = writeln!(pictures, "{}\n", rule('=', reason.id));
        for (reader, text) in read(&met(reason)) {
            let _ = writeln!(pictures, "{}\n{}\n", rule('-', reader), text.trim());
        }
    }
    let settings = insta::Settings::clone_current();
    settings.bind(|| insta::assert_snapshot!("reasons", pictures));
}

#[test]
fn no_explanation_is_long() {
    for reason in reasons::all() {
        for executor in [Executor::Docker, Executor::Kubernetes] {
            let text = told(&met(reason), executor).to_string();
            assert!(text.lines().count() <= LINES, "{text}");
        }
    }
}

/// As dockerd's log shows it, where it does.
fn met(reason: &'static reasons::Reason) -> Finding {
    match reason.samples.first() {
        Some(sample) => {
            let words = sample.text.lines().next().unwrap_or_default();
            reason.shown_in(format!("dockerd says: {words}"), words)
        }
        None => reason.shown_in("what was found in this container.", ""),
    }
}

fn told(finding: &Finding, executor: Executor) -> Finding {
    let root = "/certs".to_owned();
    finding.clone().told_in(&Surroundings {
        executor: Some(executor),
        data: Data::from([(Hole::CertificatesRoot, root)]),
    })
}

/// Each reader with the text.
fn read(finding: &Finding) -> Vec<(&'static str, String)> {
    let on_kubernetes = told(finding, Executor::Kubernetes);
    let with_docker = told(finding, Executor::Docker);
    let mut read = vec![(
        "the service's log, with the Docker executor",
        format!("dind-init: {} {with_docker}", with_docker.severity),
    )];
    if !finding.severity.breaks() {
        return read;
    }
    read.push((
        "the job's log, on Kubernetes",
        explain::job_log_entry(std::slice::from_ref(&on_kubernetes)),
    ));
    if finding.severity == Severity::Fatal {
        let answer = explain::api_message(&on_kubernetes, &[]);
        read.push((
            "a docker command",
            format!("Error response from daemon: {answer}"),
        ));
        let name = explain::certificate_name(&on_kubernetes);
        read.push((
            "a client that trusts another CA",
            format!("x509: certificate is valid for {name}, not docker"),
        ));
    }
    if finding.reason.layer != Layer::Registry {
        let mut report = Report::default();
        report.findings.push(on_kubernetes);
        let text = report.to_string();
        let found = text.lines().skip_while(|line| !line.contains('×'));
        let found = found.take_while(|line| !line.contains('√'));
        read.push(("dind-init check", found.collect::<Vec<_>>().join("\n")));
    }
    read
}

fn rule(of: char, title: &str) -> String {
    format!("{0}{0} {title}", of.to_string().repeat(4))
}
