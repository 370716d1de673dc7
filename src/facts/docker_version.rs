//! Which Docker this is, by dockerd's own word.

use std::{fmt, path::Path, process::Stdio};

use crate::system::child;

/// Major and minor version.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct DockerVersion {
    pub major: u32,
    pub minor: u32,
}

impl DockerVersion {
    /// Runs `dockerd --version`, which takes some 50 ms: only for what depends on it.
    pub fn ask(dockerd: &Path) -> Option<Self> {
        let output = child::program(dockerd)
            .arg("--version")
            .stderr(Stdio::null())
            .output();
        Self::parse(&String::from_utf8_lossy(&output.ok()?.stdout))
    }

    /// `Docker version 26.1.5+dfsg1, build 411e817`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.strip_prefix("Docker version ")?.split(['.', ',', '+']);
        let mut next = || numbers.next()?.trim().parse().ok();
        Some(Self {
            major: next()?,
            minor: next()?,
        })
    }

    /// The oldest API that a client may speak, unless dockerd is told another (moby
    /// `daemon/config`, `api/common.go` before 29).
    pub fn oldest_api(self) -> ApiVersion {
        let minor = match (self.major, self.minor) {
            (..25, _) => 12,
            (..29, _) => 24,
            (29, ..=2) => 44,
            _ => 40,
        };
        ApiVersion(1, minor)
    }
}

impl fmt::Display for DockerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A version of Docker's API, such as 1.44.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ApiVersion(pub u32, pub u32);

impl ApiVersion {
    pub fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.trim_start_matches('v').split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_docker_introduces_itself_alike() {
        for (text, version) in [
            (
                "Docker version 20.10.24+dfsg1, build 5d6db84\n",
                Some((20, 10)),
            ),
            ("Docker version 26.1.5+dfsg1, build 411e817", Some((26, 1))),
            ("Docker version 29.7.2, build 1f3a8ec", Some((29, 7))),
            ("Docker version dev, build unknown", None),
            ("dockerd: unknown flag", None),
            ("", None),
        ] {
            let version = version.map(|(major, minor)| DockerVersion { major, minor });
            assert_eq!(DockerVersion::parse(text), version, "{text}");
        }
    }

    #[test]
    fn versions_are_numbers() {
        let api = |text| ApiVersion::parse(text).unwrap();
        assert!(api("1.9") < api("1.24") && api("v1.24") == api("1.24"));
        assert_eq!(ApiVersion::parse("latest"), None);
        let oldest = |major, minor| DockerVersion { major, minor }.oldest_api().to_string();
        assert_eq!(
            [oldest(20, 10), oldest(28, 5), oldest(29, 0), oldest(29, 7)],
            ["1.12", "1.24", "1.44", "1.40"]
        );
    }
}
