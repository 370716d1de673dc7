//! What is done when dockerd cannot run, or has ended by itself.

use std::{io, sync::Arc};

use super::{Service, supervise};
use crate::{
    error_daemon::{self, ErrorDaemon},
    pki::ClientKeyInTheMaking,
    reasons::Finding,
    report::explain,
    settings::{InvalidVariable, OnFailure},
    sockets::{Sockets, TcpSocket},
};

/// Why the service cannot go on, and the exit status that says so.
pub struct Failure {
    pub finding: Finding,
    pub status: u8,
}

impl From<Finding> for Failure {
    fn from(finding: Finding) -> Self {
        Self {
            status: finding.reason.layer.exit_status(),
            finding,
        }
    }
}

impl Service<'_> {
    /// Makes ready to tell what variables are wrong, and nothing else.
    pub(super) fn refuse(
        &mut self,
        (first, others): (&InvalidVariable, &[InvalidVariable]),
        client_key: Option<ClientKeyInTheMaking>,
    ) -> Failure {
        for variable in others {
            self.report.finding(&variable.finding());
        }
        if self.settings.on_failure == OnFailure::Explain {
            if let Err(failure) = self.bind() {
                return failure.into();
            }
            if let Err(finding) = self.make_certificates(client_key) {
                self.report.finding(&finding);
            }
        }
        first.finding().into()
    }

    /// Tells why, and stays to tell every docker command, if that is wanted. Returns the exit
    /// status, and whether the service was asked to end.
    pub(super) fn fail(&mut self, failure: &Failure) -> (u8, bool) {
        let mut asked_to_end = false;
        self.report.failure(&failure.finding);
        // Whoever is to read the answer needs certificates for that as well.
        if let Err(finding) = self.publish() {
            self.report.finding(&finding);
        }
        if self.settings.on_failure == OnFailure::Explain
            && let Some(sockets) = self.sockets_to_answer_on()
        {
            match sockets.tcp.open() {
                Err(finding) => self.report.finding(&finding),
                Ok(()) => match self.answer(&sockets, &failure.finding) {
                    Err(error) => tracing::warn!("clients get no answer: {error}"),
                    Ok(_answering) => {
                        tracing::info!(
                            "docker commands get this answer until the service is stopped"
                        );
                        supervise::wait_for_stop(&self.signals);
                        asked_to_end = true;
                    }
                },
            }
        }
        (failure.status, asked_to_end)
    }

    /// Without root the port was left to rootlesskit, and with hosts of the user's own to dockerd,
    /// which is gone by now or never came.
    fn sockets_to_answer_on(&self) -> Option<Arc<Sockets>> {
        let late = || {
            let port = self.plan.port_to_explain_on(&self.settings.docker_host)?;
            let tcp = TcpSocket::bind(port).ok()?;
            Some(Arc::new(Sockets { tcp, unix: None }))
        };
        self.sockets.clone().or_else(late)
    }

    fn answer(&self, sockets: &Sockets, finding: &Finding) -> io::Result<ErrorDaemon> {
        let server = self.certificates.as_ref().map(|made| &made.tls);
        let finding = self.report.told(finding.clone());
        let tls = error_daemon::tls(server, &finding);
        let explanation = explain::api_message(&finding, &self.report.beside(&finding));
        ErrorDaemon::start(&sockets.descriptors(), tls, &explanation)
    }
}
