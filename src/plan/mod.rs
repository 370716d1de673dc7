//! What is going to be done: dockerd's command line, its environment and its sockets.
//!
//! [`Plan::new`] is a pure function of the arguments, the settings and daemon.json.

mod listening;

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

use nix::unistd::Uid;

use self::listening::{group, is_ours, socket_path};
use crate::{
    dockerd::{
        configuration::{self, Configuration},
        flags::{Flags, Given, Invocation},
        hosts::{OwnHosts, PLAIN_PORT, TLS_PORT, tcp_port},
        rootless,
    },
    settings::{CertificateSettings, Settings, process_environment},
    sockets::{Opens, SocketPlan},
    system::background::in_time,
};

/// The client's variables, two of which dockerd would take as its own
/// (moby `daemon/command/options.go`).
const CLIENT_VARIABLES: [&str; 3] = ["DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_HOST"];

/// Who dockerd runs as, and where that user's socket lies.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    pub is_root: bool,
    /// `XDG_RUNTIME_DIR` or its default; only of interest without root.
    pub runtime_directory: PathBuf,
}

/// How dockerd is started.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Plan {
    /// The whole command line, `dockerd` first.
    pub argv: Vec<OsString>,
    /// Taken from dockerd's environment.
    pub removed_variables: &'static [&'static str],
    /// Sockets that the init opens and hands over; `None` where dockerd opens its own.
    pub sockets: Option<SocketPlan>,
    /// The port that dockerd serves on by our flags; `None` where the user decides.
    pub port: Option<u16>,
    /// The unix socket that dockerd serves on by our flags.
    pub unix: Option<PathBuf>,
    /// Where dockerd listens, where the user's own command line or daemon.json decides that.
    pub own_hosts: Option<OwnHosts>,
    /// The ports of the user's own hosts beside ours.
    pub further_ports: Vec<u16>,
    /// The user's hosts that are ours already.
    pub dropped_hosts: Vec<String>,
    /// `None` for plain TCP, and where the user's own command line decides.
    pub certificates: Option<CertificateSettings>,
    /// The daemon.json that dockerd is going to read, as it is.
    pub configuration: Configuration,
    /// The flags for dockerd as its user gave them.
    pub given: Given,
    /// dockerd may get further flags of ours: the command line is not the user's own, whole.
    pub takes_flags: bool,
}

impl Plan {
    /// Plans for this very process; reads daemon.json.
    pub fn read(invocation: &Invocation, settings: &Settings, uid: Uid) -> Self {
        let words = match invocation {
            Invocation::Defaults(arguments) => {
                [settings.dockerd_arguments.as_slice(), arguments].concat()
            }
            Invocation::Dockerd(argv) | Invocation::Client(argv) => argv.clone(),
        };
        let config_file = Flags::parse(&words).config_file;
        let config_file = config_file.as_deref();
        let path = configuration::path(config_file, uid.is_root(), &process_environment);
        let configuration = in_time(&[&path.clone()], move || Configuration::read(&path));
        Self::new(
            invocation,
            settings,
            &configuration.unwrap_or_default(),
            &User {
                is_root: uid.is_root(),
                runtime_directory: rootless::runtime_directory(&process_environment, uid.as_raw()),
            },
        )
    }

    /// Plans for `Invocation::Defaults` and `Invocation::Dockerd`.
    pub fn new(
        invocation: &Invocation,
        settings: &Settings,
        configuration: &Configuration,
        user: &User,
    ) -> Self {
        let given = Given::new(invocation.dockerd_arguments(), &settings.own_arguments);
        let Invocation::Defaults(arguments) = invocation else {
            let (Invocation::Dockerd(argv) | Invocation::Client(argv)) = invocation else {
                return Self::default();
            };
            let own_hosts = match invocation {
                Invocation::Dockerd(argv) => Some(OwnHosts::of_a_command(argv, configuration)),
                _ => None,
            };
            return Self {
                argv: argv.clone(),
                own_hosts,
                configuration: configuration.clone(),
                given,
                ..Self::default()
            };
        };
        let certificates = settings.certificates.as_ref();
        let port = if certificates.is_some() {
            TLS_PORT
        } else {
            PLAIN_PORT
        };
        let unix = socket_path(&settings.docker_host, user);
        let all = [settings.dockerd_arguments.as_slice(), arguments].concat();
        let flags = Flags::parse(&all);

        let mut argv: Vec<OsString> = vec!["dockerd".into()];
        let mut dropped_hosts = Vec::new();
        let mut sockets = None;
        let keys = configuration.keys();
        // `hosts` there and as flags is a conflict, and the file is the user's own word.
        let hosts_are_ours = !keys.contains("hosts");
        if hosts_are_ours && user.is_root {
            sockets = Some(SocketPlan {
                port,
                unix: unix.clone(),
                group: group(&flags, configuration),
                opens: match certificates {
                    _ if settings.ends_a_job_s_service() => Opens::WithDockerd,
                    Some(_) => Opens::WithCertificates,
                    None => Opens::AtOnce,
                },
            });
            argv.push("--host=fd://".into());
        } else if hosts_are_ours {
            argv.push(format!("--host=unix://{}", unix.display()).into());
            argv.push(format!("--host=tcp://0.0.0.0:{port}").into());
        }
        let mut further_ports = Vec::new();
        for host in &flags.hosts {
            if hosts_are_ours && is_ours(host, port, &unix) {
                dropped_hosts.push(host.clone());
            } else {
                further_ports.extend(tcp_port(host));
                argv.push(format!("--host={host}").into());
            }
        }
        if let Some(certificates) = certificates {
            argv.extend(tls_flags(certificates, |key| !keys.contains(key)));
        }
        argv.extend(flags.others);
        Self {
            own_hosts: OwnHosts::of_a_file(configuration, &argv),
            argv,
            removed_variables: &CLIENT_VARIABLES,
            sockets,
            port: hosts_are_ours.then_some(port),
            unix: hosts_are_ours.then_some(unix),
            further_ports,
            dropped_hosts,
            certificates: certificates.cloned(),
            configuration: configuration.clone(),
            given,
            takes_flags: true,
        }
    }

    /// The port on which the service answers for a dockerd that is not there. Where the user decides
    /// what is served, it is the one that the job dials.
    pub fn port_to_explain_on(&self, docker_host: &str) -> Option<u16> {
        let dialled = || {
            self.own_hosts.as_ref()?;
            Some(tcp_port(docker_host).unwrap_or(PLAIN_PORT))
        };
        self.port.or_else(dialled)
    }

    /// The socket on which it does the same, and the socket's group, where the user decides what is
    /// served.
    pub fn socket_to_explain_on(&self) -> Option<(PathBuf, Option<String>)> {
        let path = self.own_hosts.as_ref()?.unix_socket()?;
        let group = group(&Flags::parse(&self.argv), &self.configuration);
        Some((path.to_owned(), group))
    }

    /// Gives dockerd another daemon.json; of several such flags the last one counts.
    pub fn use_configuration(&mut self, path: &Path) {
        let mut flag = OsString::from("--config-file=");
        flag.push(path);
        self.argv.push(flag);
    }

    /// Adds flags of ours before the user's, which count if both are given.
    pub fn add_flags(&mut self, flags: &[OsString]) {
        self.argv.splice(1..1, flags.iter().cloned());
    }
}

/// For `dind-init check`.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sockets {
            Some(sockets) => writeln!(
                f,
                "open port {} ({}) and {}, and hand them to dockerd",
                sockets.port,
                if self.certificates.is_some() {
                    "TLS"
                } else {
                    "plain"
                },
                sockets.unix.display()
            )?,
            None => writeln!(f, "let dockerd open its own sockets")?,
        }
        for host in &self.dropped_hosts {
            writeln!(f, "leave --host={host} out, since it is one of these")?;
        }
        let words: Vec<_> = self
            .argv
            .iter()
            .map(|word| word.to_string_lossy())
            .collect();
        write!(f, "run {}", shell_words::join(words))
    }
}

/// Official's TLS flags, but those that daemon.json sets.
fn tls_flags(
    certificates: &CertificateSettings,
    is_free: impl Fn(&str) -> bool,
) -> impl Iterator<Item = OsString> {
    let server = certificates.directory.join("server");
    [
        ("tlsverify", None),
        ("tlscacert", Some("ca.pem")),
        ("tlscert", Some("cert.pem")),
        ("tlskey", Some("key.pem")),
    ]
    .into_iter()
    .filter(move |(key, _)| is_free(key))
    .map(move |(key, file)| {
        let mut flag = OsString::from(format!("--{key}"));
        if let Some(file) = file {
            flag.push("=");
            flag.push(server.join(file));
        }
        flag
    })
}

#[cfg(test)]
mod tests;
