//! The names a server certificate is made for.

use std::{fmt, net::IpAddr};

use super::InvalidVariable;

/// A subject alternative name.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum SubjectName {
    /// Lower case; may begin with `*.`.
    Dns(String),
    Ip(IpAddr),
}

impl SubjectName {
    /// A host as users write it: an address, with or without brackets, or a DNS name.
    ///
    /// `None` if it is neither.
    pub fn from_host(host: &str) -> Option<Self> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        // A link-local address may carry its interface, which a certificate cannot hold.
        let address = bare.split('%').next().unwrap_or(bare);
        if let Ok(address) = address.parse() {
            return Some(Self::Ip(address));
        }
        is_dns_name(host).then(|| Self::Dns(host.to_ascii_lowercase()))
    }

    /// Parses OpenSSL's list, `DNS:name,IP:address`, as official does, and bare names too.
    pub fn parse_list(variable: &'static str, list: &str) -> Result<Vec<Self>, InvalidVariable> {
        let items = list.split(',').map(str::trim).filter(|s| !s.is_empty());
        items
            .map(|item| {
                match item.split_once(':') {
                    Some((kind, value)) if kind.eq_ignore_ascii_case("DNS") => {
                        let value = value.trim();
                        is_dns_name(value).then(|| Self::Dns(value.to_ascii_lowercase()))
                    }
                    Some((kind, value)) if kind.eq_ignore_ascii_case("IP") => {
                        value.trim().parse().ok().map(Self::Ip)
                    }
                    // No known prefix: a bare name, or a bare IPv6 address with its colons.
                    _ => Self::from_host(item),
                }
                .ok_or_else(|| InvalidVariable {
                    name: variable,
                    value: item.to_owned(),
                    accepted: "a comma-separated list of DNS:name, IP:address or bare names, \
                               such as DNS:docker.example,IP:10.0.0.5"
                        .into(),
                })
            })
            .collect()
    }
}

impl fmt::Display for SubjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

/// Letters, digits, hyphens and underscores in labels of at most 63, 253 in all.
///
/// Underscores are no host names by RFC 1123, but Docker's own networks have them.
fn is_dns_name(name: &str) -> bool {
    let labels = name.strip_prefix("*.").unwrap_or(name);
    name.len() <= 253
        && labels.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &str) -> Vec<String> {
        SubjectName::parse_list("DOCKER_TLS_SAN", list)
            .unwrap()
            .iter()
            .map(|name| format!("{name:?}"))
            .collect()
    }

    #[test]
    fn openssl_syntax_and_bare_names_are_read() {
        assert_eq!(names(""), [""; 0]);
        assert_eq!(names("DNS:Docker"), [r#"Dns("docker")"#]);
        assert_eq!(
            names("DNS:a.b, IP:10.0.0.5,dind-0, fd00::1 ,IP:::1,*.x.y,"),
            [
                r#"Dns("a.b")"#,
                "Ip(10.0.0.5)",
                r#"Dns("dind-0")"#,
                "Ip(fd00::1)",
                "Ip(::1)",
                r#"Dns("*.x.y")"#,
            ]
        );
    }

    #[test]
    fn what_is_no_name_is_refused_and_named() {
        for bad in ["DNS:", "IP:docker", "email:a@b", "it's", "a b", "DNS:a..b"] {
            let error = SubjectName::parse_list("DOCKER_TLS_SAN", bad).unwrap_err();
            assert_eq!(error.value, bad);
        }
    }

    #[test]
    fn hosts_are_names_or_addresses() {
        for (host, name) in [
            ("docker", Some(SubjectName::Dns("docker".into()))),
            ("[::1]", Some(SubjectName::Ip("::1".parse().unwrap()))),
            (
                "fe80::1%eth0",
                Some(SubjectName::Ip("fe80::1".parse().unwrap())),
            ),
            ("", None),
            ("a/b", None),
        ] {
            assert_eq!(SubjectName::from_host(host), name, "{host}");
        }
    }
}
