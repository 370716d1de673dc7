//! `dind-init check`: facts, findings and plan, and nothing changed.

mod report;

use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    time::Duration,
};

use nix::unistd::Uid;

use self::report::Report;
use crate::{
    assessment::{self, preflight},
    dockerd::flags::Invocation,
    facts::{
        certificates::{Access, CertificateDirectory, Directory, Presence},
        mounts::Mounts,
        ports,
    },
    pki,
    plan::Plan,
    reasons::network,
    registry,
    report::log,
    service,
    settings::{CertificateSettings, InvalidVariable, Settings, process_environment, variables},
};

/// How the report is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum Output {
    #[default]
    Text,
    Json,
}

/// Prints what `dind-init run` would find and do. The status is that of the worst finding, 0 where
/// docker commands will work.
pub fn check(arguments: Vec<OsString>, output: Output) -> u8 {
    let (settings, invalid) = Settings::parse_all(&process_environment);
    log::start(settings.log);
    let uid = Uid::effective();
    let plan = service::plan(&Invocation::parse(arguments), &settings, uid);
    let mut report = look(&settings, &plan, uid);
    let misspelt = variables::misspelt(env::vars_os().map(|(name, _)| name));
    let invalid = invalid.iter().map(InvalidVariable::finding);
    report.findings.splice(0..0, invalid.chain(misspelt));
    let text = match output {
        Output::Text => report.to_string(),
        Output::Json => format!("{:#}\n", report.to_json()),
    };
    // Whoever closed stdout does not want to read it; the status says the same.
    let _ = io::stdout().write_all(text.as_bytes());
    report.exit_status()
}

fn look(settings: &Settings, plan: &Plan, uid: Uid) -> Report {
    let mounts = Mounts::read().unwrap_or_default();
    let preflight = preflight::run(plan, settings, &mounts, uid, Duration::ZERO);
    let mut report = Report::default();
    report.add_facts(&preflight.facts.to_string());
    report.findings = preflight.findings;
    if let Some(sockets) = &plan.sockets
        && let Some(holder) = ports::holder(sockets.port)
    {
        let finding = network::port_in_use(sockets.port, Some(&holder.to_string()));
        report.findings.push(finding);
    }
    if let Some(certificates) = settings.certificates.as_ref().filter(|_| plan.tls) {
        look_at_certificates(certificates, settings, &mounts, &mut report);
    }
    let places = assessment::registries::places(
        settings.certificates.as_ref().filter(|_| plan.tls),
        settings,
        uid,
    );
    let (trust, awaited) = registry::look(&settings.registry);
    for file in awaited.iter().filter(|file| file.seen.is_none()) {
        report.add_facts(&format!(
            "registry CA {}: not there yet",
            file.path.display()
        ));
    }
    for listed in &trust.listing {
        report.add_facts(&format!("registry CA {listed}"));
    }
    let installed = assessment::registries::describe(&trust, &places);
    installed.iter().for_each(|line| report.add_plan(line));
    report.findings.extend(trust.findings);
    let clients = assessment::client::findings(plan, settings, &mounts);
    report.findings.extend(clients);
    let surroundings = settings.surroundings();
    for finding in &mut report.findings {
        let told = settings.ignored.apply(finding.clone());
        *finding = told.told_in(&surroundings);
    }
    let mut plan = plan.clone();
    plan.add_flags(&preflight.flags);
    if preflight.configuration.is_some() {
        plan.use_configuration(&service::configuration_path(uid));
    }
    report.add_plan(&plan.to_string());
    report
}

fn look_at_certificates(
    certificates: &CertificateSettings,
    settings: &Settings,
    mounts: &Mounts,
    report: &mut Report,
) {
    let survey = CertificateDirectory::survey(&certificates.directory, mounts);
    let names = assessment::certificates::names(certificates, settings);
    for directory in [&survey.ca, &survey.server, &survey.client] {
        report.add_facts(&describe(directory));
    }
    let wanted = assessment::certificates::wanted(certificates, settings, &names);
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    report.add_facts(&format!("names of this container: {}", names.join(", ")));
    match pki::decide(&survey, &wanted) {
        Ok(decision) => {
            report.add_plan(&decision.to_string());
            report.findings.extend(decision.findings);
        }
        Err(finding) => report.findings.push(finding),
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
        "{}: {state}; {}; {files}",
        directory.path.display(),
        directory.volume
    )
}
