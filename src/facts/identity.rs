//! The names and addresses by which clients may call this container.

use std::{collections::BTreeSet, fs, net::IpAddr};

use nix::ifaddrs::getifaddrs;

use crate::settings::subject_names::SubjectName;

/// What this container is called. A source that is missing loses nothing of the others.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// Contents of `/etc/hostname`; empty where it is missing.
    pub hostname_file: String,
    /// The kernel's host name.
    pub hostname: String,
    /// Of all interfaces, loopback and link-local ones included, as official; but for dockerd's own
    /// bridge, which is there only at a second start and would make a good set look incomplete.
    pub addresses: Vec<IpAddr>,
    /// Contents of `/etc/hosts`, where Kubernetes writes the service aliases.
    pub hosts_file: String,
}

impl Identity {
    pub fn read() -> Self {
        Self {
            hostname_file: fs::read_to_string("/etc/hostname").unwrap_or_default(),
            hostname: nix::unistd::gethostname()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            addresses: interface_addresses(),
            hosts_file: fs::read_to_string("/etc/hosts").unwrap_or_default(),
        }
    }

    /// All names and addresses that a server certificate should hold, sorted, each once.
    ///
    /// Official's are all among them. `docker_host` is the job's own `DOCKER_HOST`: GitLab gives
    /// the service the variables of the job.
    pub fn server_names(&self, further: &[SubjectName], docker_host: &str) -> Vec<SubjectName> {
        let mut names = self.own_names();
        names.extend(further.iter().cloned());
        let hosts = std::iter::once("docker").chain(tcp_host(docker_host));
        names.extend(hosts.filter_map(SubjectName::from_host));
        names.into_iter().collect()
    }

    /// The names and addresses that lead here, as far as this container knows: Kubernetes tells it
    /// its aliases, Docker does not.
    pub fn own_names(&self) -> BTreeSet<SubjectName> {
        let mut names: BTreeSet<_> = self
            .addresses
            .iter()
            .copied()
            .map(SubjectName::Ip)
            .collect();
        let short = self.hostname.split('.').next().unwrap_or_default();
        let mut hosts = vec![
            "localhost",
            self.hostname_file.trim(),
            &self.hostname,
            short,
        ];
        hosts.extend(self.names_in_hosts_file());
        names.extend(hosts.into_iter().filter_map(SubjectName::from_host));
        names
    }

    /// The names that `/etc/hosts` gives to this container's own addresses and to loopback.
    fn names_in_hosts_file(&self) -> impl Iterator<Item = &str> {
        self.hosts_file.lines().flat_map(|line| {
            let mut fields = line
                .split('#')
                .next()
                .unwrap_or_default()
                .split_whitespace();
            let address = fields.next().and_then(|field| field.parse::<IpAddr>().ok());
            let ours = address.is_some_and(|a| a.is_loopback() || self.addresses.contains(&a));
            fields.filter(move |_| ours)
        })
    }
}

/// The host of `tcp://host:port`; `None` for other schemes and for an empty one.
pub fn tcp_host(docker_host: &str) -> Option<&str> {
    let rest = docker_host
        .strip_prefix("tcp://")
        .or_else(|| docker_host.strip_prefix("https://"))
        .or_else(|| docker_host.strip_prefix("http://"))?;
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = match authority.rfind(']') {
        Some(end) => &authority[..=end],
        None => authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host),
    };
    (!host.is_empty()).then_some(host)
}

fn interface_addresses() -> Vec<IpAddr> {
    let Ok(interfaces) = getifaddrs() else {
        return Vec::new();
    };
    interfaces
        .filter(|interface| interface.interface_name != "docker0")
        .filter_map(|interface| {
            let address = interface.address?;
            match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
                (Some(v4), _) => Some(IpAddr::V4(v4.ip())),
                (_, Some(v6)) => Some(IpAddr::V6(v6.ip())),
                _ => None,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(identity: &Identity, docker_host: &str) -> Vec<String> {
        let names = identity.server_names(&[], docker_host);
        names.iter().map(SubjectName::to_string).collect()
    }

    #[test]
    fn every_name_by_which_a_job_may_call_is_covered() {
        let identity = Identity {
            hostname_file: "runner-abc".into(), // no final newline: official runs names together
            hostname: "runner-abc.pods.local".into(),
            addresses: vec!["10.1.2.3".parse().unwrap(), "127.0.0.1".parse().unwrap()],
            hosts_file: "127.0.0.1 localhost\n10.1.2.3 runner-abc.example runner-abc\n\
                         # Entries added by HostAliases.\n127.0.0.1\tdocker dind # aliases\n\
                         10.9.9.9 somebody-else\nnot an address\n"
                .into(),
        };
        let names = names(&identity, "tcp://builder:2376");
        for name in [
            "docker",
            "localhost",
            "runner-abc",
            "runner-abc.pods.local",
            "runner-abc.example",
            "dind",
            "builder",
            "10.1.2.3",
            "127.0.0.1",
        ] {
            assert!(names.iter().any(|n| n == name), "{name} in {names:?}");
        }
        let own = identity.own_names();
        for (name, is_own) in [("dind", true), ("10.1.2.3", true), ("builder", false)] {
            let name = SubjectName::from_host(name).unwrap();
            assert_eq!(own.contains(&name), is_own, "{name}");
        }
        assert!(!names.iter().any(|n| n == "somebody-else"), "{names:?}");
    }

    #[test]
    fn missing_sources_lose_nothing_of_the_others() {
        assert_eq!(names(&Identity::default(), ""), ["docker", "localhost"]);
    }

    #[test]
    fn the_host_of_docker_host_is_found_in_every_form() {
        for (docker_host, host) in [
            ("tcp://docker:2376", Some("docker")),
            ("tcp://docker", Some("docker")),
            ("tcp://[fd00::1]:2376", Some("[fd00::1]")),
            ("https://10.0.0.1:2376/path", Some("10.0.0.1")),
            ("unix:///var/run/docker.sock", None),
            ("tcp://:2375", None),
            ("", None),
        ] {
            assert_eq!(tcp_host(docker_host), host, "{docker_host}");
        }
    }
}
