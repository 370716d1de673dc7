//! Where dockerd listens by the user's own word: a command that begins with `dockerd`, or `hosts` in
//! daemon.json. The init then opens no sockets.

use std::{ffi::OsString, path::Path};

use super::{configuration::Configuration, flags::Flags};

/// IANA's port for Docker without TLS.
pub const PLAIN_PORT: u16 = 2375;
/// IANA's port for Docker with TLS.
pub const TLS_PORT: u16 = 2376;

/// dockerd's own unix socket (moby `daemon/command/daemon_unix.go`).
const DEFAULT_SOCKET: &str = "unix:///var/run/docker.sock";

/// Where dockerd listens, and who said so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OwnHosts {
    /// As they are written; dockerd's default where none is.
    pub hosts: Vec<String>,
    pub said_by: SaidBy,
    /// By a flag or in daemon.json.
    pub speak_tls: bool,
    /// Neither `tls` nor `tlsverify` is set, by a flag or in daemon.json, to whatever value.
    pub leaves_tls_open: bool,
}

/// Whose word it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SaidBy {
    /// A command that begins with `dockerd`, whole.
    Command(Vec<OsString>),
    /// daemon.json.
    File,
}

impl OwnHosts {
    /// For a whole command line, `dockerd` first.
    pub fn of_a_command(argv: &[OsString], configuration: &Configuration) -> Self {
        let flags = Flags::parse(argv);
        let of_the_file = Self::of_a_file(configuration, argv);
        if let (true, Some(of_the_file)) = (flags.hosts.is_empty(), of_the_file) {
            return of_the_file;
        }
        let hosts = match flags.hosts.is_empty() {
            false => flags.hosts,
            // With TLS it is a port, of this container alone (moby `opts/hosts.go`).
            true if speaks_tls(argv, configuration) => vec![format!("tcp://localhost:{TLS_PORT}")],
            true => vec![DEFAULT_SOCKET.to_owned()],
        };
        Self {
            hosts,
            said_by: SaidBy::Command(argv.to_vec()),
            speak_tls: speaks_tls(argv, configuration),
            leaves_tls_open: leaves_tls_open(argv, configuration),
        }
    }

    /// `None` where daemon.json leaves it to the command line.
    pub fn of_a_file(configuration: &Configuration, argv: &[OsString]) -> Option<Self> {
        let hosts = configuration.value("hosts")?.as_array()?;
        let hosts = hosts.iter().filter_map(|host| host.as_str());
        Some(Self {
            hosts: hosts.map(str::to_owned).collect(),
            said_by: SaidBy::File,
            speak_tls: speaks_tls(argv, configuration),
            leaves_tls_open: leaves_tls_open(argv, configuration),
        })
    }

    /// The TCP ports, in the order of their hosts. One that names none has 2375, with TLS as well
    /// (moby `opts/hosts.go`, `ParseTCPAddr`).
    pub fn ports(&self) -> Vec<u16> {
        let addresses = self.hosts.iter().filter_map(|host| tcp_address(host));
        let ports = addresses.filter_map(|address| port_of(address).unwrap_or(Some(PLAIN_PORT)));
        ports.collect()
    }

    /// Whether clients reach it by TCP on this port.
    pub fn serve(&self, port: u16) -> bool {
        self.ports().contains(&port)
    }

    /// Whether dockerd waits before it opens the port: some 15 seconds, to have its warning of TCP
    /// without TLS noticed, unless it is told that this is meant (moby `daemon/command/daemon.go`,
    /// `loadListeners`).
    pub fn serve_late(&self, port: u16) -> bool {
        // Without a host it is localhost.
        let is_local = |address: &str| {
            ["localhost", "127.", ":"]
                .iter()
                .any(|it| address.starts_with(it))
                || address.is_empty()
        };
        let mut addresses = self.hosts.iter().filter_map(|host| tcp_address(host));
        let is_open_to_others = addresses.any(|address| !is_local(address));
        self.leaves_tls_open && is_open_to_others && self.serve(port)
    }

    /// The first unix socket among them.
    pub fn unix_socket(&self) -> Option<&Path> {
        let mut paths = self.hosts.iter().filter_map(|host| unix_path(host));
        paths.next()
    }

    /// Whether it waits for sockets that systemd would hand over, and nobody does here.
    pub fn want_systemd(&self) -> bool {
        self.hosts.iter().any(|host| host.starts_with("fd://"))
    }
}

/// `--tls`, `--tlsverify`, or daemon.json's; the variable is not counted, since it is the clients'.
fn speaks_tls(argv: &[OsString], configuration: &Configuration) -> bool {
    ["tls", "tlsverify"].iter().any(|name| {
        let flag = format!("--{name}");
        let mut words = argv.iter().rev().filter_map(|word| word.to_str());
        let given = words.find_map(|word| match word.strip_prefix(&flag)? {
            "" => Some(true),
            rest => rest.strip_prefix('=').map(|value| value != "false"),
        });
        given.unwrap_or_else(|| configuration.value(name) == Some(&true.into()))
    })
}

fn leaves_tls_open(argv: &[OsString], configuration: &Configuration) -> bool {
    let keys = configuration.keys();
    let mut flags = argv.iter().filter_map(|word| word.to_str());
    let says = |word: &str| {
        let name = word.split('=').next().unwrap_or_default();
        ["--tls", "--tlsverify"].contains(&name)
    };
    !flags.any(says) && !["tls", "tlsverify"].iter().any(|key| keys.contains(*key))
}

/// The path of a host that is a unix socket; dockerd's own where it names none.
pub fn unix_path(host: &str) -> Option<&Path> {
    let path = match host.strip_prefix("unix://")? {
        "" => DEFAULT_SOCKET.trim_start_matches("unix://"),
        path => path,
    };
    Some(Path::new(path))
}

/// The port of a host that is a TCP one and names it.
pub fn tcp_port(host: &str) -> Option<u16> {
    port_of(tcp_address(host)?)?
}

/// The address of a host that is a TCP one.
pub fn tcp_address(host: &str) -> Option<&str> {
    match host.split_once("://") {
        Some(("tcp", address)) => Some(address),
        Some(_) => None,
        None => Some(host),
    }
}

/// `None` where there is none, which means dockerd's default.
pub fn port_of(address: &str) -> Option<Option<u16>> {
    match address.rsplit_once(':') {
        Some((_, number)) if !number.ends_with(']') => Some(number.parse().ok()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(command: &str, daemon_json: &str) -> OwnHosts {
        let argv: Vec<_> = command.split_whitespace().map(Into::into).collect();
        OwnHosts::of_a_command(&argv, &Configuration::parse(daemon_json))
    }

    #[test]
    fn a_command_s_flags_daemon_json_or_dockerd_s_default_say_it() {
        for (command, daemon_json, hosts) in [
            ("dockerd", "", DEFAULT_SOCKET),
            ("dockerd --mtu=1400", "{}", DEFAULT_SOCKET),
            ("dockerd -H tcp://0.0.0.0:2375", "", "tcp://0.0.0.0:2375"),
            ("dockerd --tlsverify", "", "tcp://localhost:2376"),
            ("dockerd --tls=false", "", DEFAULT_SOCKET),
            ("dockerd", r#"{"tlsverify": true}"#, "tcp://localhost:2376"),
            ("dockerd", r#"{"hosts": ["fd://"]}"#, "fd://"),
        ] {
            assert_eq!(of(command, daemon_json).hosts, [hosts], "{command}");
        }
        for (command, path) in [
            ("dockerd", Some("/var/run/docker.sock")),
            (
                "dockerd -H tcp://:2375 -H unix:///a -H unix:///b",
                Some("/a"),
            ),
            ("dockerd -H unix://", Some("/var/run/docker.sock")),
            ("dockerd -H tcp://:2375", None),
        ] {
            assert_eq!(
                of(command, "").unix_socket(),
                path.map(Path::new),
                "{command}"
            );
        }
        assert_eq!(OwnHosts::of_a_file(&Configuration::parse("{}"), &[]), None);
        let file = of("dockerd", r#"{"hosts": ["fd://"]}"#);
        assert_eq!(file.said_by, SaidBy::File);
        assert!(file.want_systemd());
    }

    #[test]
    fn dockerd_waits_unless_it_is_told_of_tls() {
        let file = r#"{"hosts": ["tcp://0.0.0.0:2375"]}"#;
        let file_with_tls = r#"{"hosts": ["tcp://0.0.0.0:2375"], "tls": false}"#;
        for (command, daemon_json, is_late) in [
            ("dockerd -H tcp://0.0.0.0:2375", "", true),
            (
                "dockerd -H tcp://0.0.0.0:2375 --tlscacert=/ca.pem",
                "",
                true,
            ),
            ("dockerd -H tcp://0.0.0.0:2375 --tls=false", "", false),
            ("dockerd -H tcp://0.0.0.0:2375 --tlsverify", "", false),
            ("dockerd -H unix:///s -H tcp://127.0.0.1:2375", "", false),
            ("dockerd -H tcp://0.0.0.0:2376", "", false),
            ("dockerd -H tcp://:2375", "", false),
            ("dockerd -H tcp://", "", false),
            ("dockerd -H tcp://0.0.0.0", "", true),
            ("dockerd", file, true),
            ("dockerd", file_with_tls, false),
        ] {
            assert_eq!(
                of(command, daemon_json).serve_late(2375),
                is_late,
                "{command}"
            );
        }
    }

    #[test]
    fn only_tcp_hosts_serve_a_port() {
        for (command, serves) in [
            ("dockerd -H tcp://0.0.0.0:2376", true),
            ("dockerd -H :2376", true),
            ("dockerd -H tcp://", false),
            ("dockerd -H tcp://0.0.0.0:2375", false),
            ("dockerd -H unix:///2376", false),
            ("dockerd", false),
        ] {
            assert_eq!(of(command, "").serve(2376), serves, "{command}");
        }
    }
}
