//! The names a server certificate is made for.

use std::{fmt, net::IpAddr};

use super::InvalidVariable;

/// A subject alternative name that clients dial.
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
                               such as DNS:docker.example,IP:10.0.0.5 (URI: and email: work, too)"
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

/// A subject alternative name that nobody dials: Docker's clients do not look at it, others may.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OtherName {
    Email(String),
    Uri(String),
}

impl OtherName {
    /// Reads `email:somebody@example.com` and `URI:spiffe://example.com/docker`, in OpenSSL's words.
    fn parse(item: &str) -> Option<Self> {
        let (kind, value) = item.split_once(':')?;
        let is_text = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
        match kind {
            "email" if is_text => Some(Self::Email(value.to_owned())),
            "URI" if is_text => Some(Self::Uri(value.to_owned())),
            _ => None,
        }
    }
}

/// Parses OpenSSL's list, as [`SubjectName::parse_list`] does, with the names that nobody dials.
pub fn parse_alternative_names(
    variable: &'static str,
    list: &str,
) -> Result<(Vec<SubjectName>, Vec<OtherName>), InvalidVariable> {
    let items = list.split(',').map(str::trim);
    let (others, names): (Vec<_>, Vec<_>) =
        items.partition(|item| OtherName::parse(item).is_some());
    Ok((
        SubjectName::parse_list(variable, &names.join(","))?,
        others.into_iter().filter_map(OtherName::parse).collect(),
    ))
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
    fn names_that_nobody_dials_are_kept_apart() {
        let list = "URI:spiffe://example.com/docker, dind-0,email:ci@example.com";
        let (names, others) = parse_alternative_names("DOCKER_TLS_SAN", list).unwrap();
        assert_eq!(names, [SubjectName::Dns("dind-0".into())]);
        let uri = OtherName::Uri("spiffe://example.com/docker".into());
        assert_eq!(others, [uri, OtherName::Email("ci@example.com".into())]);
        for bad in ["URI:", "email:", "email:a b", "RID:1.2.3.4", "dirName:x"] {
            let error = parse_alternative_names("DOCKER_TLS_SAN", bad).unwrap_err();
            assert_eq!(error.value, bad);
        }
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
