//! Which addresses the hosts have that every job of GitLab speaks to.
//!
//! A name server that answers does so in a few milliseconds; one that is not there keeps getaddrinfo
//! for half a minute, and a static binary may have to load the image's libraries for it. So each
//! name is asked for by a process of its own, and the start does not wait for it any longer than
//! [`LIMIT`].

use std::{
    collections::BTreeSet,
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, ToSocketAddrs},
    time::{Duration, Instant},
};

use super::namespaced;
use crate::{
    settings::{registry_host::RegistryHost, subject_names::SubjectName},
    system::background::Background,
};

/// How long after the start an answer is still waited for.
const LIMIT: Duration = Duration::from_millis(100);

/// Names that are being asked for.
#[derive(Debug)]
pub struct Resolution {
    known: Vec<(String, Ipv4Addr)>,
    asked: Vec<(String, Background<Vec<Ipv4Addr>>)>,
    deadline: Instant,
}

impl Resolution {
    /// Asks for all names at once.
    pub fn start(hosts: &[RegistryHost]) -> Self {
        let mut resolution = Self {
            known: Vec::new(),
            asked: Vec::new(),
            deadline: Instant::now() + LIMIT,
        };
        let names: BTreeSet<_> = hosts.iter().map(|host| &host.name).collect();
        for name in names {
            match name {
                SubjectName::Ip(IpAddr::V4(address)) => {
                    resolution.known.push((address.to_string(), *address));
                }
                // Docker's networks have IPv4 addresses.
                SubjectName::Ip(IpAddr::V6(_)) => {}
                SubjectName::Dns(name) => {
                    let asked = name.clone();
                    let answer = Background::start(move || resolve(&asked));
                    resolution.asked.push((name.clone(), answer));
                }
            }
        }
        resolution
    }

    /// The addresses of all names that were answered in time.
    pub fn finish(self) -> Vec<(String, Ipv4Addr)> {
        let mut found = self.known;
        for (name, answer) in self.asked {
            let addresses = answer.wait(self.deadline).unwrap_or_default();
            found.extend(addresses.into_iter().map(|address| (name.clone(), address)));
        }
        found
    }
}

/// What the trial's process does: a line for each IPv4 address.
pub fn print_addresses(name: &str) {
    // Any port will do, and none is spoken to.
    let addresses = (name, 443).to_socket_addrs().into_iter().flatten();
    for address in addresses {
        // Whoever asked may not wait any more.
        let _ = writeln!(io::stdout(), "{}", address.ip());
    }
}

fn resolve(name: &str) -> Vec<Ipv4Addr> {
    let answer = namespaced::trial("resolve").arg("--").arg(name).output();
    let text = answer.map(|output| output.stdout).unwrap_or_default();
    parse(&String::from_utf8_lossy(&text))
}

fn parse(text: &str) -> Vec<Ipv4Addr> {
    let addresses: BTreeSet<_> = text.lines().filter_map(|line| line.parse().ok()).collect();
    addresses.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_nobody_who_knows_it() {
        let hosts = ["172.20.0.5:5050", "172.20.0.5", "[fd00::1]"];
        let hosts = hosts.map(|host| RegistryHost::parse(host).unwrap());
        let address = Ipv4Addr::new(172, 20, 0, 5);
        let found = Resolution::start(&hosts).finish();
        assert_eq!(found, [("172.20.0.5".to_owned(), address)]);
    }

    #[test]
    fn every_ipv4_address_counts_once() {
        let text = "172.20.0.5\nfd00::1\n172.20.0.5\n10.0.0.1\nnonsense\n";
        let expected = [Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(172, 20, 0, 5)];
        assert_eq!(parse(text), expected);
    }
}
