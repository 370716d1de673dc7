//! `NO_PROXY`, as Go's clients read it (golang.org/x/net/http/httpproxy).

use std::net::IpAddr;

use crate::settings::subject_names::SubjectName;

/// Whether requests to `host` and `port` do without the proxy.
pub(super) fn excepts(no_proxy: &str, host: &SubjectName, port: u16) -> bool {
    no_proxy
        .split(',')
        .map(|entry| entry.trim().to_ascii_lowercase())
        .any(|entry| match host {
            SubjectName::Dns(name) => entry == "*" || excepts_name(&entry, name, port),
            SubjectName::Ip(address) => entry == "*" || excepts_address(&entry, *address, port),
        })
}

fn excepts_name(entry: &str, name: &str, port: u16) -> bool {
    let Some(entry) = without_port(entry, port) else {
        return false;
    };
    let entry = entry.strip_prefix('*').unwrap_or(entry);
    match entry.strip_prefix('.') {
        // With a dot in front only what is below it.
        Some(domain) => is_below(name, domain),
        None => !entry.is_empty() && (name == entry || is_below(name, entry)),
    }
}

fn is_below(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain)
        .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

fn excepts_address(entry: &str, address: IpAddr, port: u16) -> bool {
    if let Some((network, bits)) = entry.split_once('/') {
        return match (network.parse(), bits.parse()) {
            (Ok(network), Ok(bits)) => is_in(address, network, bits),
            _ => false,
        };
    }
    // A bare IPv6 address has colons and no port.
    entry.parse() == Ok(address)
        || without_port(entry, port).is_some_and(|host| {
            host.trim_start_matches('[').trim_end_matches(']').parse() == Ok(address)
        })
}

fn is_in(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let (address, network, width) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => (u32::from(a).into(), u32::from(n).into(), 32),
        (IpAddr::V6(a), IpAddr::V6(n)) => (u128::from(a), u128::from(n), 128),
        _ => return false,
    };
    bits <= width && (address ^ network).checked_shr(width - bits).unwrap_or(0) == 0
}

/// The entry without its port; `None` if that is another one.
fn without_port(entry: &str, port: u16) -> Option<&str> {
    match entry.rsplit_once(':') {
        Some((host, number)) => (number.parse() == Ok(port)).then_some(host),
        None => Some(entry),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_s_rules_hold() {
        for (no_proxy, host, excepted) in [
            ("", "docker", false),
            ("docker", "docker", true),
            ("a, DOCKER ,b", "docker", true),
            ("docker:2376", "docker", true),
            ("docker:2375", "docker", false),
            ("*", "docker", true),
            ("dock", "docker", false),
            ("ocker", "docker", false),
            ("example.com", "docker.example.com", true),
            (".example.com", "docker.example.com", true),
            ("*.example.com", "docker.example.com", true),
            (".example.com", "example.com", false),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("0.0.0.0/0", "11.1.2.3", true),
            ("fd00::/8", "fd00::1", true),
            ("fd00::/8", "10.1.2.3", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3:2376", "10.1.2.3", true),
            ("fd00::1", "fd00::1", true),
            ("[fd00::1]:2376", "fd00::1", true),
            ("10.0.0.0/99", "10.1.2.3", false),
        ] {
            let name = SubjectName::from_host(host).unwrap();
            assert_eq!(
                excepts(no_proxy, &name, 2376),
                excepted,
                "{no_proxy} {host}"
            );
        }
    }
}
