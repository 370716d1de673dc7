//! `dind-init check`: facts, findings and plan, and nothing changed.

pub(crate) mod report;

use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    path::Path,
};

use nix::unistd::Uid;

use self::report::Report;
use super::run::unknown_way_back;
use crate::{
    assessment::{Assessment, machine::dockerd_program, registries},
    dockerd::{
        configuration,
        flags::{Given, Invocation},
        help::Help,
        validation,
    },
    facts::mounts::Mounts,
    findings::flags,
    plan::Plan,
    reasons::{Finding, Layer, Severity},
    report::log,
    settings::{InvalidVariable, Settings, non_empty, process_environment, variables},
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
    let (settings, mut invalid) = Settings::parse_all(&process_environment);
    invalid.extend(unknown_way_back());
    log::start(settings.log);
    let uid = Uid::effective();
    let plan = Plan::read(&Invocation::parse(arguments), &settings, uid);
    let mounts = Mounts::read().unwrap_or_default();
    let assessment = Assessment::of(&plan, &settings, &mounts, uid);
    let misspelt = variables::misspelt(env::vars_os().map(|(name, _)| name));
    let unread = variables::unread(&process_environment);
    let invalid = invalid.iter().map(InvalidVariable::finding);
    let refused = refused_by_dockerd(&plan, &assessment);
    let report = report_on(
        &assessment,
        invalid
            .chain(misspelt)
            .chain(unread)
            .chain(refused)
            .collect(),
        &settings,
        uid,
    );
    let text = match output {
        Output::Text => report.to_string(),
        Output::Json => format!("{:#}\n", report.to_json()),
    };
    // Whoever closed stdout does not want to read it; the status says the same.
    let _ = io::stdout().write_all(text.as_bytes());
    report.exit_status()
}

/// What dockerd says of its flags and of daemon.json, unless that is explained already.
///
/// `plan` is the one from before the assessment, whose daemon.json only the service writes.
fn refused_by_dockerd(plan: &Plan, assessment: &Assessment) -> Option<Finding> {
    let is_explained = |finding: &Finding| {
        finding.severity == Severity::Fatal && finding.reason.layer == Layer::Daemon
    };
    if !is_told_anything(plan) || assessment.findings().any(is_explained) {
        return None;
    }
    let dockerd = dockerd_program(plan)?;
    let mut arguments = plan.argv.get(1..)?.to_vec();
    if plan.certificates.is_some() {
        // dockerd would read them, and they need not be there yet.
        arguments.retain(|word| !word.as_encoded_bytes().starts_with(b"--tls"));
    }
    let refused = validation::ask(dockerd.clone(), arguments, plan.removed_variables)?;
    Some(flags::with_what_is_known(refused, &plan.given, || {
        Help::ask(dockerd)
    }))
}

/// Whether its user tells dockerd anything. Its defaults it takes, and asking takes some 50 ms.
fn is_told_anything(plan: &Plan) -> bool {
    plan.given != Given::default()
        || Path::new(configuration::DEFAULT_PATH).exists()
        || non_empty(&process_environment, "DOCKER_MIN_API_VERSION").is_some()
}

/// What is printed of it, and of what else was found.
fn report_on(
    assessment: &Assessment,
    others: Vec<Finding>,
    settings: &Settings,
    uid: Uid,
) -> Report {
    let mut report = Report::default();
    report.add_facts(&assessment.machine.facts.to_string());
    for line in &assessment.entrances.facts {
        report.add_facts(line);
    }
    let awaited = assessment.awaited.iter();
    for file in awaited.filter(|file| file.seen.is_none()) {
        report.add_facts(&format!(
            "registry CA {}: not there yet",
            file.path.display()
        ));
    }
    for listed in &assessment.trust.listing {
        report.add_facts(&format!("registry CA {listed}"));
    }
    report.findings = others;
    report.findings.extend(assessment.findings().cloned());
    let surroundings = settings.surroundings();
    for finding in &mut report.findings {
        let told = settings.ignored.apply(finding.clone());
        *finding = told.told_in(&surroundings);
    }
    if let Some(decision) = &assessment.entrances.certificates {
        report.add_plan(&decision.to_string());
    }
    let places = registries::places(assessment.plan.certificates.as_ref(), settings, uid);
    let installed = registries::describe(&assessment.trust, &places);
    installed.iter().for_each(|line| report.add_plan(line));
    report.add_plan(&assessment.plan.to_string());
    report
}
