//! `dind-init check`: facts, findings and plan, and nothing changed.

use std::{
    ffi::OsString,
    fmt,
    io::{self, Write},
    time::Duration,
};

use nix::unistd::Uid;

use super::start;
use crate::{
    dockerd::flags::Invocation,
    facts::{
        certificates::{Access, CertificateDirectory, Directory, Presence},
        mounts::Mounts,
        ports,
    },
    pki,
    plan::Plan,
    preflight,
    reasons::{Finding, Severity, network},
    service,
    settings::Settings,
};

/// Prints what `dind-init run` would find and do. The status is 0, or that of the first fatal
/// finding.
pub fn check(arguments: Vec<OsString>) -> u8 {
    let settings = match start() {
        Ok(settings) => settings,
        Err(status) => return status,
    };
    let invocation = Invocation::parse(arguments);
    let uid = Uid::effective();
    let plan = service::plan(&invocation, &settings, uid);
    let report = Report::new(&settings, &plan, uid);
    // Whoever closed stdout does not want to read it; the status says the same.
    let _ = io::stdout().write_all(report.to_string().as_bytes());
    report.exit_status()
}

/// Everything that is printed.
struct Report<'a> {
    facts: String,
    findings: Vec<Finding>,
    certificates: Option<String>,
    plan: &'a Plan,
}

impl<'a> Report<'a> {
    fn new(settings: &Settings, plan: &'a Plan, uid: Uid) -> Self {
        let mounts = Mounts::read().unwrap_or_default();
        let preflight = preflight::run(plan, settings, &mounts, uid, Duration::ZERO);
        let mut report = Self {
            facts: format!("{}\n", preflight.facts),
            findings: preflight.findings,
            certificates: None,
            plan,
        };
        if let Some(sockets) = &plan.sockets
            && let Some(holder) = ports::holder(sockets.port)
        {
            let finding = network::port_in_use(sockets.port, Some(&holder));
            report.findings.push(finding);
        }
        let clients = service::client::findings(plan, settings, &mounts);
        report.findings.extend(clients);
        if let Some(certificates) = settings.certificates.as_ref().filter(|_| plan.tls) {
            let survey = CertificateDirectory::survey(&certificates.directory, &mounts);
            let names = service::certificates::names(certificates, settings);
            let wanted = service::certificates::wanted(certificates, settings, &names);
            let decision = pki::decide(&survey, &wanted);
            for directory in [&survey.ca, &survey.server, &survey.client] {
                report.facts.push_str(&describe(directory));
            }
            let names: Vec<_> = names.iter().map(ToString::to_string).collect();
            report
                .facts
                .push_str(&format!("names of this container: {}", names.join(", ")));
            match decision {
                Ok(decision) => {
                    let known = |finding| settings.ignored.apply(finding);
                    let findings = decision.findings.iter().cloned().map(known);
                    report.findings.extend(findings);
                    report.certificates = Some(decision.to_string());
                }
                Err(finding) => report.findings.push(finding),
            }
        }
        report
    }

    fn exit_status(&self) -> u8 {
        self.findings
            .iter()
            .find(|finding| finding.severity == Severity::Fatal)
            .map_or(0, |finding| finding.reason.layer.exit_status())
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let findings: Vec<String> = self
            .findings
            .iter()
            .map(|finding| format!("{} {finding}", finding.severity))
            .collect();
        let mut plan = self.certificates.clone().unwrap_or_default();
        if !plan.is_empty() {
            plan.push('\n');
        }
        plan.push_str(&self.plan.to_string());
        for (title, text) in [
            ("Facts", self.facts.as_str()),
            ("Findings", &findings.join("\n")),
            (
                "Plan",
                if self.exit_status() == 0 {
                    &plan
                } else {
                    "stop, with the first fatal finding"
                },
            ),
        ] {
            let text = text.trim_end();
            let text = if text.is_empty() { "none" } else { text };
            writeln!(f, "{title}\n  {}", text.replace('\n', "\n  "))?;
        }
        Ok(())
    }
}

/// A line about one directory, such as `/certs/client: read-only; Secret volume; ca.pem`.
fn describe(directory: &Directory) -> String {
    let state = match (&directory.presence, directory.access) {
        (Presence::Unreadable(error), _) => format!("unreadable ({error})"),
        (Presence::Missing, Access::Writable) => "missing, can be made".into(),
        (Presence::Missing, _) => "missing, cannot be made".into(),
        (Presence::Present, Access::Writable) => "writable".into(),
        (Presence::Present, Access::ReadOnly) => "read-only".into(),
        (Presence::Present, Access::Denied) => "not writable for this user".into(),
    };
    let files = match directory.names.as_slice() {
        [] => "empty".into(),
        names => names.join(", "),
    };
    format!(
        "{}: {state}; {}; {files}\n",
        directory.path.display(),
        directory.volume
    )
}
