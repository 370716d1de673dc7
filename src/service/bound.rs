//! The service as clients see it from its first moments: bound sockets, and certificates on their
//! way.

use std::{io, path::PathBuf, sync::Arc};

use rustls::ServerConfig;

use super::{Service, publication::Publication};
use crate::{
    error_daemon::{self, ErrorDaemon},
    facts::mounts::Mounts,
    pki::{ClientKeyInTheMaking, ServerIdentity},
    plan::Plan,
    reasons::{Finding, daemon},
    report::{Report, explain},
    settings::Settings,
    sockets::{Opens, Sockets, TcpSocket, UnixSocket},
};

/// What clients meet, and what they are answered on. Held as long as the service lives.
#[derive(Debug)]
pub struct Bound {
    /// `None` where dockerd opens its own.
    pub sockets: Option<Arc<Sockets>>,
    /// Why there is no socket at a path.
    pub no_unix_socket: Option<Finding>,
    /// `None` where no certificates are wanted.
    pub publication: Option<Publication>,
    /// The port and the unix socket, with its group, to explain on where dockerd was to open its own.
    port: Option<u16>,
    unix: Option<(PathBuf, Option<String>)>,
}

impl Bound {
    /// Before anything is bound, and where nothing can be.
    pub fn nothing(plan: &Plan, settings: &Settings) -> Self {
        Self {
            sockets: None,
            no_unix_socket: None,
            publication: None,
            port: plan.port_to_explain_on(&settings.docker_host),
            unix: plan.socket_to_explain_on(),
        }
    }

    /// Opens the sockets that are ours, and begins with the certificates.
    ///
    /// The error is fatal: there is nobody to explain anything to.
    pub fn new(
        plan: &Plan,
        service: &Service<'_>,
        client_key: Option<ClientKeyInTheMaking>,
    ) -> Result<Self, Finding> {
        let mut bound = Self::nothing(plan, service.settings);
        if let Some(wanted) = &plan.sockets {
            let (sockets, no_unix_socket) = Sockets::bind(wanted, &service.mounts)?;
            bound.sockets = Some(Arc::new(sockets));
            bound.no_unix_socket = no_unix_socket;
        }
        if let Some((tls, key)) = plan.certificates.as_ref().zip(client_key) {
            let is_opened_by_it = opens(plan) == Some(Opens::WithCertificates);
            let sockets = bound.sockets.clone().filter(|_| is_opened_by_it);
            let (settings, mounts) = (service.settings, &service.mounts);
            let publication = Publication::start(tls, settings, mounts, key, sockets);
            bound.publication =
                Some(publication.map_err(|error| daemon::init("the certificates", &error))?);
        }
        Ok(bound)
    }

    /// Opens the port, where that was not to be before dockerd's start; where dockerd opens it by
    /// itself, sees to it that clients have their certificates by then.
    pub fn let_clients_in_with_dockerd(&self, plan: &Plan) -> Result<(), Finding> {
        if opens(plan).is_some_and(|opens| opens != Opens::WithDockerd) {
            return Ok(());
        }
        let published = self.publication.as_ref().map(Publication::wait);
        published.transpose()?;
        let ours = self.sockets.as_ref().map(|sockets| sockets.tcp.open());
        ours.transpose().map(drop)
    }

    /// Answers every docker command with a finding, once the port is open; `None` where there is
    /// no socket of ours.
    pub fn explain(&self, finding: &Finding, report: &Report) -> io::Result<Option<ErrorDaemon>> {
        let finding = &report.told(finding.clone());
        let explanation = explain::api_message(finding, &report.beside(finding));
        self.serve(|server| error_daemon::tls(server, finding), &explanation)
    }

    /// Answers every docker command with words that are no failure.
    pub fn answer(&self, words: &str) -> io::Result<Option<ErrorDaemon>> {
        self.serve(|server| server.and_then(error_daemon::trusted), words)
    }

    fn serve(
        &self,
        tls: impl FnOnce(Option<&ServerIdentity>) -> Option<Arc<ServerConfig>>,
        words: &str,
    ) -> io::Result<Option<ErrorDaemon>> {
        let server = self.publication.as_ref().and_then(Publication::server);
        self.sockets
            .as_ref()
            .map(|sockets| ErrorDaemon::start(&sockets.descriptors(), tls(server), words))
            .transpose()
    }

    /// Removes the socket's file.
    pub fn unlink(&self) {
        if let Some(unix) = self.sockets.as_ref().and_then(|s| s.unix.as_ref()) {
            unix.unlink();
        }
    }

    /// The sockets that dockerd was to open: without root the port was left to rootlesskit, and with
    /// hosts of the user's own to dockerd, which is gone by now or never came.
    pub fn take_over(&mut self, mounts: &Mounts) {
        let late = || {
            let tcp = TcpSocket::bind(self.port?).ok()?;
            let unix = self
                .unix
                .as_ref()
                .and_then(|(path, group)| UnixSocket::bind(path, group.as_deref(), mounts).ok());
            Some(Arc::new(Sockets { tcp, unix }))
        };
        if self.sockets.is_none() {
            self.sockets = late();
        }
    }
}

/// `None` where dockerd opens its own sockets.
fn opens(plan: &Plan) -> Option<Opens> {
    plan.sockets.as_ref().map(|wanted| wanted.opens)
}
