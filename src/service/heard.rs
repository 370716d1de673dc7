//! What dockerd's log shows, told with what else is known here.

use std::{
    cell::Cell,
    path::{Path, PathBuf},
};

use super::{Service, certificates};
use crate::{
    dockerd::flags::Given,
    facts::{
        client::{ClientVariables, DockerHost},
        file::read,
        process_limits::ProcessLimits,
    },
    findings::{
        flags,
        handshake::{self, Known},
        lost_starts,
    },
    pki::{Certificates, ClientAction, inspect::Certificate},
    reasons::{Finding, certs, client, daemon},
    registry::{Registries, untrusted},
    report::Report,
    settings::process_environment,
    system::background::in_time,
};

/// Tells it.
pub struct Heard {
    report: Report,
    given: Given,
    registries: Registries,
    job: ClientVariables,
    /// `DOCKER_TLS_CERTDIR`, where it is served from.
    directory: Option<PathBuf>,
    /// The client's set was made here.
    is_ours: bool,
    /// The volume of the certificates answers: who waits here keeps dockerd waiting, whose log is
    /// read meanwhile by nobody.
    answers: Cell<bool>,
    /// As they were before dockerd was heard.
    process_limits: ProcessLimits,
}

impl Heard {
    /// `made`: the certificates that dockerd serves with.
    pub fn new(
        service: &Service<'_>,
        made: Option<&Certificates>,
        registries: &Registries,
    ) -> Self {
        Self {
            report: service.report.clone(),
            given: service.given.clone(),
            registries: registries.clone(),
            job: ClientVariables::parse(&process_environment),
            directory: made
                .and(service.certificates.as_ref())
                .map(|settings| settings.directory.clone()),
            is_ours: made.is_some_and(|made| {
                !matches!(
                    made.decision.client,
                    ClientAction::UseOwn | ClientAction::Leave
                )
            }),
            answers: Cell::new(true),
            process_limits: ProcessLimits::read(),
        }
    }

    /// A finding of dockerd's log.
    pub fn tell(&self, finding: &Finding) {
        let finding = untrusted::with_what_is_known(finding.clone(), &self.registries.trust());
        let finding = flags::with_a_setting(finding, &self.given);
        let finding = self.with_the_limit(finding);
        // Only these need a look at files.
        let told = match finding.reason.layer == client::WRONG_CA.layer {
            true => handshake::judge(finding, &self.known()),
            false => vec![finding],
        };
        told.iter().for_each(|finding| self.report.finding(finding));
    }

    fn with_the_limit(&self, finding: Finding) -> Finding {
        if *finding.reason != daemon::LOST_START {
            return finding;
        }
        lost_starts::judge(finding, &self.process_limits, &ProcessLimits::read())
    }

    fn known(&self) -> Known {
        let client = self.directory.as_ref().map(|path| path.join("client"));
        let directory = self.directory.clone().filter(|_| self.answers.get());
        let is_ours = self.is_ours;
        let places: Vec<_> = self.directory.iter().map(PathBuf::as_path).collect();
        let read = in_time(&places, move || {
            let overwritten = directory
                .as_deref()
                .filter(|_| is_ours)
                .and_then(certificates::overwritten);
            (overwritten, names(directory.as_deref()))
        });
        self.answers.set(self.answers.get() && read.is_some());
        let (overwritten, names) = read.unwrap_or_default();
        Known {
            overwritten,
            name_is_told: self.report.has_told(&certs::NAME),
            reads_elsewhere: reads_elsewhere(&self.job, client.as_deref()),
            is_led_here: is_led_here(&self.job, client.as_deref()) && !self.has_told_of_the_job(),
            names: names.unwrap_or_else(|| "other names".to_owned()),
        }
    }

    fn has_told_of_the_job(&self) -> bool {
        client::TABLE
            .iter()
            .any(|reason| self.report.has_told(reason))
    }
}

/// Those of the certificate that dockerd serves with.
fn names(directory: Option<&Path>) -> Option<String> {
    let pem = read(&directory?.join("server/cert.pem")).ok()?;
    let certificate = Certificate::parse_pem(&pem).ok()?.into_iter().next()?;
    let names: Vec<_> = certificate.names.iter().map(ToString::to_string).collect();
    Some(names.join(", "))
}

/// Whether the job's clients take their certificates from another directory than `client`, which is
/// served from here.
fn reads_elsewhere(job: &ClientVariables, client: Option<&Path>) -> bool {
    let both = job.certificates.as_deref().zip(client);
    both.is_some_and(|(reads, client)| reads != client)
}

/// Whether the job's variables lead its docker commands here, with the certificates in `client`.
fn is_led_here(job: &ClientVariables, client: Option<&Path>) -> bool {
    matches!(job.docker_host, Some(DockerHost::Tcp { .. }))
        && job.tls_verify.is_some()
        && client.is_some()
        && job.certificates.as_deref() == client
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_job_s_variables_say_whether_its_clients_come_here() {
        let full = [
            ("DOCKER_HOST", "tcp://docker:2376"),
            ("DOCKER_TLS_VERIFY", "1"),
            ("DOCKER_CERT_PATH", "/certs/client"),
        ];
        let client = Path::new("/certs/client");
        for (name, value, served, expected) in [
            ("", "", Some(client), (false, true)),
            ("", "", None, (false, false)),
            ("DOCKER_CERT_PATH", "/other", Some(client), (true, false)),
            ("DOCKER_CERT_PATH", "/other", None, (false, false)),
            ("DOCKER_CERT_PATH", "", Some(client), (false, false)),
            ("DOCKER_CERT_PATH", "", None, (false, false)),
            ("DOCKER_TLS_VERIFY", "", Some(client), (false, false)),
            (
                "DOCKER_HOST",
                "unix:///x.sock",
                Some(client),
                (false, false),
            ),
            ("DOCKER_HOST", "", Some(client), (false, false)),
        ] {
            let job = ClientVariables::parse(&|wanted| {
                let mut given = full.iter();
                let given = given.find(|(given, _)| *given == wanted);
                given.map(|given| if given.0 == name { value } else { given.1 }.to_owned())
            });
            let found = (reads_elsewhere(&job, served), is_led_here(&job, served));
            assert_eq!(found, expected, "{name}={value}, {served:?}");
        }
    }
}
