//! Certificates that stay in the service's own container.

use super::{
    super::{edits, sockets},
    BUILDS, Certificates,
};
use crate::{
    facts::client::DockerHost,
    lint::{
        model::Known,
        problem::Problem,
        scene::{Daemon, OneJob, OneRunner, Scene},
        source::Place,
    },
    reasons::{Severity, certs},
};

/// Certificates of a job that no runner lets it share with its service.
pub fn unshared(scene: &Scene<'_>) -> Vec<Problem> {
    let wanted = scene.wanted();
    wanted
        .filter(|(job, _)| !sockets::is_busy(scene, job))
        .filter_map(|(job, daemon)| unshared_by_all(scene, job, daemon))
        .collect()
}

fn unshared_by_all(scene: &Scene<'_>, job: &OneJob<'_>, daemon: &Daemon<'_>) -> Option<Problem> {
    let client = daemon.served.as_ref()?.client_certificates.as_deref()?;
    // A socket needs none.
    let may_be_tcp = match job.job.variables.expanded("DOCKER_HOST") {
        Known::Set(host) => matches!(
            DockerHost::parse(&host.text),
            DockerHost::Tcp { .. } | DockerHost::Http { .. }
        ),
        Known::Unset => true,
        Known::Unknown => false,
    };
    if !may_be_tcp {
        return None;
    }
    // A template may mount a volume there.
    let is_known = |runner: &OneRunner<'_>| !runner.runner.is_partly_unknown;
    if !scene.runners.iter().all(is_known) {
        return None;
    }
    let is_shared_anyhow = client.starts_with(BUILDS) || client.to_string_lossy().contains('$');
    let is_shared = |runner: &OneRunner<'_>| runner.covering(client).is_some();
    if is_shared_anyhow || scene.runners.iter().any(is_shared) {
        return None;
    }
    let runner = scene.runners.first()?;
    let cause = format!(
        "the job {:?} keeps its certificates in {}, and {} shares no volume there.",
        job.job.name,
        client.display(),
        match scene.runners.as_slice() {
            [runner] => runner.runner.title(),
            _ => "none of these runners".into(),
        }
    );
    let finding = certs::UNSHARED.found(cause, edits::sharing_fix(runner, client));
    let place = daemon.service.place.clone();
    let problem = Problem::new(finding, place, "makes certificates");
    Some(problem.with_related(runner.section().clone(), "a volume is missing here"))
}

impl Certificates<'_> {
    /// No volume is there, and the runner's configuration speaks of certificates.
    pub(super) fn unshared(&self) -> Option<Problem> {
        let runner = self.one_runner.runner;
        let said = [
            "DOCKER_TLS_CERTDIR",
            "DOCKER_CERT_PATH",
            "DOCKER_TLS_VERIFY",
        ];
        let variable = said.iter().find_map(|name| {
            let of_services = runner.services.iter().filter(|it| it.is_dind());
            of_services
                .map(|service| &service.variables)
                .chain([&runner.variables])
                .filter_map(|variables| variables.written(name))
                .find(|(variable, _)| !variable.value.is_empty())
        });
        let service = runner.services.iter().find(|service| service.is_dind());
        // Without a word about TLS the jobs may have turned it off.
        let (place, label, severity): (&Place, &str, Severity) = match (variable, service) {
            (Some((_, place)), _) => (
                place,
                "the certificates are expected by this",
                Severity::Error,
            ),
            (None, Some(service)) => (
                &service.place,
                "makes certificates, unless the job turns TLS off",
                Severity::Note,
            ),
            (None, None) => return None,
        };
        let cause = format!(
            "no volume of {} is mounted at {} or above, so the certificates stay in the service's \
             own container.",
            runner.title(),
            self.client.display()
        );
        let fix = edits::sharing_fix(self.one_runner, &self.client);
        let finding = certs::UNSHARED.found(cause, fix).with_severity(severity);
        Some(Problem::new(finding, place.clone(), label))
    }
}
