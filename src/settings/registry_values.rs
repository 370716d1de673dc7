//! What dockerd takes as a registry without TLS, and as a mirror (moby `registry/config.go`, the
//! same from 20.10 to 29 unless noted).

use std::net::IpAddr;

/// What is wrong with a value, as the end of a sentence that begins with it.
pub type Complaint = &'static str;

/// A host, with a port where it has one, or a range of addresses.
pub fn insecure_registry(text: &str) -> Result<(), Complaint> {
    not_expanded(text)?;
    // dockerd takes these two off, and warns.
    let text = ["http://", "https://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme))
        .unwrap_or(text);
    if let Some((address, bits)) = text.split_once('/') {
        let bits: Option<u8> = bits.parse().ok();
        return match (address.parse(), bits) {
            (Ok(IpAddr::V4(_)), Some(..=32)) | (Ok(IpAddr::V6(_)), Some(..=128)) => Ok(()),
            _ => Err("has a path, and a registry is a host, with a port where it has one"),
        };
    }
    match is_host(text) {
        true => Ok(()),
        false => Err("is no host, nor a range of addresses"),
    }
}

/// A URL. A path is taken from Docker 24 on; older ones end where there is one.
pub fn mirror(text: &str) -> Result<(), Complaint> {
    not_expanded(text)?;
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme))
        .ok_or("does not begin with https:// or http://")?;
    let host = rest.split('/').next().unwrap_or_default();
    match host {
        "" => Err("names no host"),
        _ if text.contains(['?', '#']) => Err("has a query or a fragment at its end"),
        _ if host.contains('@') => Err("has a user's name in it, which dockerd does not take"),
        _ => Ok(()),
    }
}

/// Whether a mirror's URL has a path.
pub fn has_path(mirror: &str) -> bool {
    let rest = mirror.split_once("://").map_or(mirror, |(_, rest)| rest);
    rest.trim_end_matches('/').contains('/')
}

fn not_expanded(text: &str) -> Result<(), Complaint> {
    match text {
        "" => Err("is empty, which is what a variable becomes that the service does not get"),
        _ if text.contains('$') => Err("has a variable in it that the service does not get"),
        _ => Ok(()),
    }
}

fn is_host(text: &str) -> bool {
    if text.parse::<IpAddr>().is_ok() {
        return true;
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let is_label = |label: &str| {
        let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
        !label.is_empty()
            && label.chars().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let in_brackets = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    port.is_none_or(|port| port.parse::<u16>().is_ok())
        && (in_brackets.is_some_and(|host| host.parse::<IpAddr>().is_ok())
            || host.split('.').all(is_label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ranges_are_insecure_registries() {
        for text in [
            "registry.example.com",
            "registry.example.com:5000",
            "10.0.0.1:5000",
            "10.0.0.0/8",
            "fd00::/8",
            "[::1]:5000",
            "::1",
            "http://registry.example.com:5000",
        ] {
            assert_eq!(insecure_registry(text), Ok(()), "{text}");
        }
        for (text, word) in [
            ("", "empty"),
            ("$REGISTRY", "variable"),
            ("${REGISTRY}:5000", "variable"),
            ("registry.example.com:5000/group", "path"),
            ("10.0.0.0/99", "path"),
            ("my_registry:5000", "no host"),
            ("-r", "no host"),
            ("r:99999", "no host"),
            ("ftp://r", "path"),
        ] {
            let complaint = insecure_registry(text).unwrap_err();
            assert!(complaint.contains(word), "{text}: {complaint}");
        }
    }

    #[test]
    fn mirrors_are_urls() {
        for text in [
            "https://mirror.example.com",
            "http://mirror:5000/",
            "https://mirror.example.com/docker-hub/",
        ] {
            assert_eq!(mirror(text), Ok(()), "{text}");
        }
        for (text, word) in [
            ("", "empty"),
            ("https://$MIRROR", "variable"),
            ("mirror.example.com:5000", "https://"),
            ("ftp://mirror", "https://"),
            ("https://", "no host"),
            ("https://m/?a=b", "query"),
            ("https://user:password@m", "name"),
        ] {
            let complaint = mirror(text).unwrap_err();
            assert!(complaint.contains(word), "{text}: {complaint}");
        }
        assert!(has_path("https://m/docker-hub/") && !has_path("https://m/"));
    }
}
