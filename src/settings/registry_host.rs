//! The name of a registry, as image references have it: `host` or `host:port`.

use std::fmt;

use super::subject_names::SubjectName;

/// Where images come from: Docker's directories of certificates are named after it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RegistryHost {
    /// A DNS name in lower case, or an address.
    pub name: SubjectName,
    pub port: Option<u16>,
}

impl RegistryHost {
    /// Reads `host`, `host:port`, `address:port` or `[IPv6 address]:port`; `None` for all else.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.rsplit_once(':') {
            // The colons of a bare IPv6 address are its own.
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, Some(parse_port(port)?))
            }
            _ => (text, None),
        };
        let name = SubjectName::from_host(host)?;
        let is_wildcard = matches!(&name, SubjectName::Dns(name) if name.starts_with('*'));
        (!is_wildcard).then_some(Self { name, port })
    }

    /// The same, and `host_port` as well: neither a mount path of Kubernetes nor the key of a
    /// Secret can hold a colon.
    pub fn from_file_name(name: &str) -> Option<Self> {
        if let Some((host, port)) = name.rsplit_once('_')
            && let Some(port) = parse_port(port)
            && let Some(found) = Self::parse(host)
            && found.port.is_none()
        {
            return Some(Self {
                port: Some(port),
                ..found
            });
        }
        Self::parse(name)
    }

    /// Whether an image reference that begins with it names a registry: as Docker has it, a dot, a
    /// port or the name `localhost` tells a host from a path on Docker Hub.
    ///
    /// A last label of digits alone is a date or a version rather than a domain.
    pub fn is_unmistakable(&self) -> bool {
        match &self.name {
            SubjectName::Ip(_) => true,
            SubjectName::Dns(name) => {
                let last = name.rsplit('.').next().unwrap_or(name);
                let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
                self.port.is_some() || name == "localhost" || (name.contains('.') && !is_number)
            }
        }
    }
}

/// As in an image reference, and as Docker's directories are named.
impl fmt::Display for RegistryHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            SubjectName::Ip(address) if address.is_ipv6() => write!(f, "[{address}]")?,
            name => name.fmt(f)?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

fn parse_port(text: &str) -> Option<u16> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| is_number && *port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_as_image_references_have_them() {
        for (text, host) in [
            ("registry.example.com", Some("registry.example.com")),
            (
                "Registry.Example.com:5000",
                Some("registry.example.com:5000"),
            ),
            ("registry", Some("registry")),
            ("10.0.0.5:443", Some("10.0.0.5:443")),
            ("[fd00::1]:5000", Some("[fd00::1]:5000")),
            ("fd00::1", Some("[fd00::1]")),
            ("", None),
            ("*.example.com", None),
            ("https://registry.example.com", None),
            ("registry.example.com/group", None),
            ("registry.example.com:", None),
            ("registry.example.com:0", None),
            ("registry.example.com:+5", None),
            ("registry.example.com:70000", None),
            ("a b", None),
            ("..", None),
        ] {
            let found = RegistryHost::parse(text).map(|host| host.to_string());
            assert_eq!(found.as_deref(), host, "{text}");
        }
    }

    #[test]
    fn a_file_s_name_may_say_the_port_without_a_colon() {
        for (name, host) in [
            (
                "registry.example.com_5000",
                Some("registry.example.com:5000"),
            ),
            (
                "registry.example.com:5000",
                Some("registry.example.com:5000"),
            ),
            ("registry_5000", Some("registry:5000")),
            ("my_registry.example.com", Some("my_registry.example.com")),
            ("[fd00::1]_5000", Some("[fd00::1]:5000")),
            ("registry.example.com:5000_5000", None),
            ("lost+found", None),
        ] {
            let found = RegistryHost::from_file_name(name).map(|host| host.to_string());
            assert_eq!(found.as_deref(), host, "{name}");
        }
    }

    #[test]
    fn a_file_without_a_dot_or_a_port_in_its_name_is_for_every_registry() {
        for (name, is_host) in [
            ("registry.example.com", true),
            ("registry_5000", true),
            ("localhost", true),
            ("10.0.0.5", true),
            ("ca", false),
            ("corporate-root", false),
            ("corporate_root_ca", false),
            ("corporate.2026", false),
        ] {
            let host = RegistryHost::from_file_name(name).unwrap();
            assert_eq!(host.is_unmistakable(), is_host, "{name}");
        }
    }
}
