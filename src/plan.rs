//! What is going to be done: dockerd's command line, its environment and its sockets.
//!
//! [`Plan::new`] is a pure function of the arguments, the settings and daemon.json.

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

use nix::unistd::Uid;

use crate::{
    dockerd::{
        configuration::{self, Configuration},
        flags::{Flags, Given, Invocation},
        hosts::{OwnHosts, PLAIN_PORT, TLS_PORT, port_of, tcp_address, tcp_port, unix_path},
        rootless,
    },
    settings::{CertificateSettings, Settings, process_environment},
    sockets::{Opens, SocketPlan},
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
        let path = Flags::parse(&words).config_file;
        let path = path.unwrap_or_else(|| configuration::DEFAULT_PATH.into());
        Self::new(
            invocation,
            settings,
            &Configuration::read(Path::new(&path)),
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

/// The group of the unix socket, where its user names one.
fn group(flags: &Flags, configuration: &Configuration) -> Option<String> {
    let of_flags = flags.group.clone();
    of_flags.or_else(|| configuration.group().map(str::to_owned))
}

fn socket_path(docker_host: &str, user: &User) -> PathBuf {
    match docker_host.strip_prefix("unix://") {
        Some(path) if !path.is_empty() => path.into(),
        _ if user.is_root => "/var/run/docker.sock".into(),
        _ => user.runtime_directory.join("docker.sock"),
    }
}

/// Whether a host of the user is one that dockerd is given anyway.
///
/// Our port is bound on every address, so a host that names a single one would collide with it.
fn is_ours(host: &str, port: u16, unix: &Path) -> bool {
    if let Some(path) = unix_path(host) {
        return without_var(path) == without_var(unix);
    }
    if host.starts_with("fd://") {
        return true;
    }
    match tcp_address(host) {
        Some(address) => port_of(address).is_none_or(|number| number == Some(port)),
        None => false,
    }
}

/// `/var/run` is `/run` in every image.
fn without_var(path: &Path) -> PathBuf {
    path.strip_prefix("/var/run")
        .map_or_else(|_| path.to_owned(), |rest| Path::new("/run").join(rest))
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
mod tests {
    use super::*;

    fn plan(variables: &[(&str, &str)], arguments: &str, daemon_json: &str, root: bool) -> Plan {
        let settings = Settings::parse(&|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let arguments = arguments.split_whitespace().map(OsString::from).collect();
        Plan::new(
            &Invocation::parse(arguments),
            &settings.unwrap(),
            &Configuration::parse(daemon_json),
            &User {
                is_root: root,
                runtime_directory: "/run/user/1000".into(),
            },
        )
    }

    fn argv(plan: &Plan) -> String {
        let words: Vec<_> = plan
            .argv
            .iter()
            .map(|word| word.to_str().unwrap())
            .collect();
        words.join(" ")
    }

    const TLS: &[(&str, &str)] = &[("DOCKER_TLS_CERTDIR", "/certs")];
    const TLS_FLAGS: &str = "--tlsverify --tlscacert=/certs/server/ca.pem \
                             --tlscert=/certs/server/cert.pem --tlskey=/certs/server/key.pem";

    #[test]
    fn the_defaults_are_official_s_with_our_sockets() {
        let tls = plan(TLS, "--mtu=1450", "", true);
        assert_eq!(
            argv(&tls),
            format!("dockerd --host=fd:// {TLS_FLAGS} --mtu=1450")
        );
        let sockets = tls.sockets.unwrap();
        assert_eq!(
            (sockets.port, sockets.opens),
            (2376, Opens::WithCertificates)
        );
        assert_eq!(sockets.unix, Path::new("/var/run/docker.sock"));

        let plain = plan(&[], "", "", true);
        assert_eq!(argv(&plain), "dockerd --host=fd://");
        let sockets = plain.sockets.unwrap();
        assert_eq!((sockets.port, sockets.opens), (2375, Opens::AtOnce));
    }

    #[test]
    fn an_explicit_dockerd_gets_nothing_added() {
        let plan = plan(TLS, "dockerd --host=tcp://0.0.0.0:1234", "", true);
        assert_eq!(argv(&plan), "dockerd --host=tcp://0.0.0.0:1234");
        assert_eq!(
            (plan.sockets, plan.port, plan.certificates),
            (None, None, None)
        );
        assert!(plan.removed_variables.is_empty());
        assert_eq!(plan.own_hosts.unwrap().hosts, ["tcp://0.0.0.0:1234"]);
    }

    #[test]
    fn what_is_not_there_is_explained_where_the_job_dials() {
        let port = |arguments, json, docker_host| {
            plan(TLS, arguments, json, true).port_to_explain_on(docker_host)
        };
        let hosts = r#"{"hosts": ["unix:///var/run/docker.sock"]}"#;
        assert_eq!(port("", "", "tcp://docker:2375"), Some(2376));
        assert_eq!(port("dockerd", "", "tcp://docker:2376"), Some(2376));
        assert_eq!(port("", hosts, "tcp://docker:2376"), Some(2376));
        assert_eq!(port("dockerd", "", ""), Some(2375));
        assert_eq!(port("docker info", "", "tcp://docker:2376"), None);
    }

    #[test]
    fn the_user_s_hosts_stay_unless_they_are_ours() {
        for (host, dropped) in [
            ("tcp://0.0.0.0:2375", true),
            ("tcp://127.0.0.1:2375", true),
            ("tcp://", true),
            (":2375", true),
            ("tcp://[::]:2375", true),
            ("tcp://[::1]", true),
            ("fd://", true),
            ("unix:///var/run/docker.sock", true),
            ("unix:///run/docker.sock", true),
            ("unix://", true),
            ("tcp://0.0.0.0:2376", false),
            ("unix:///other.sock", false),
            ("npipe:////./pipe/x", false),
        ] {
            let plan = plan(&[], &format!("-H {host} --debug"), "", true);
            let kept = format!("dockerd --host=fd:// --host={host} --debug");
            let expected = if dropped {
                "dockerd --host=fd:// --debug"
            } else {
                &kept
            };
            assert_eq!(argv(&plan), expected);
            assert_eq!(plan.dropped_hosts.len(), usize::from(dropped), "{host}");
            let further: &[u16] = if host.ends_with(":2376") {
                &[2376]
            } else {
                &[]
            };
            assert_eq!(plan.further_ports, further, "{host}");
        }
    }

    #[test]
    fn a_unix_docker_host_moves_the_socket_and_a_tcp_one_does_not() {
        for (docker_host, path) in [
            ("unix:///runner/docker.sock", "/runner/docker.sock"),
            ("tcp://docker:2376", "/var/run/docker.sock"),
            ("unix://", "/var/run/docker.sock"),
        ] {
            let plan = plan(&[("DOCKER_HOST", docker_host)], "", "", true);
            assert_eq!(plan.sockets.unwrap().unix, Path::new(path));
        }
    }

    #[test]
    fn what_daemon_json_sets_is_never_set_by_a_flag_of_ours() {
        let hosts = plan(
            TLS,
            "",
            r#"{"hosts": ["unix:///x"], "tlscert": "/c"}"#,
            true,
        );
        assert_eq!(
            argv(&hosts),
            "dockerd --tlsverify --tlscacert=/certs/server/ca.pem --tlskey=/certs/server/key.pem"
        );
        assert_eq!((hosts.sockets, hosts.port), (None, None));
        let group = plan(&[], "", r#"{"group": "ci"}"#, true);
        assert_eq!(group.sockets.unwrap().group.as_deref(), Some("ci"));
        let flag = plan(&[], "-G flag", r#"{"group": "ci"}"#, true);
        assert_eq!(flag.sockets.unwrap().group.as_deref(), Some("flag"));
    }

    #[test]
    fn further_flags_come_before_the_container_s_own() {
        let plan = plan(
            &[("DIND_DOCKERD_ARGS", "--mtu=1400")],
            "--mtu=1500",
            "",
            true,
        );
        assert_eq!(argv(&plan), "dockerd --host=fd:// --mtu=1400 --mtu=1500");
    }

    #[test]
    fn without_root_dockerd_opens_its_sockets_itself() {
        let plan = plan(TLS, "", "", false);
        assert_eq!(
            argv(&plan),
            format!(
                "dockerd --host=unix:///run/user/1000/docker.sock --host=tcp://0.0.0.0:2376 {TLS_FLAGS}"
            )
        );
        assert_eq!((plan.sockets, plan.port), (None, Some(2376)));
    }
}
