//! What an image is, by its name.

/// An image's reference in its parts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Image<'a> {
    /// The registry, with its port, if one is named.
    registry: Option<&'a str>,
    path: &'a str,
    tag: &'a str,
}

/// The last version of which the image without `-dind` was the client alone
/// (docker-library/official-images).
const LAST_CLIENT_BY_DEFAULT: u32 = 20;

impl<'a> Image<'a> {
    pub fn parse(image: &'a str) -> Self {
        let image = image.split('@').next().unwrap_or(image);
        let (registry, rest) = match image.split_once('/') {
            Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => {
                (Some(host), rest)
            }
            _ => (None, image),
        };
        let (path, tag) = rest.split_once(':').unwrap_or((rest, ""));
        Self {
            registry,
            path,
            tag,
        }
    }

    /// Whether it is a Docker daemon: one that says so, or Docker's own without a word about it.
    pub fn is_dind(&self) -> bool {
        let says_so = |text: &str| text.to_ascii_lowercase().contains("dind");
        // A registry or a group may be called anything.
        let says = says_so(self.name()) || says_so(self.tag);
        says || (self.name() == "docker" && self.is_daemon_by_default())
    }

    /// Whether it is Docker's own client, whose entrypoint finds the daemon.
    pub fn is_docker(&self) -> bool {
        self.name() == "docker"
    }

    /// Whether it is certainly no image of Docker's, nor made of one: an official image of
    /// something else.
    pub fn is_without_docker(&self) -> bool {
        self.registry.is_none()
            && !self.path.contains(['/', '$'])
            && !self.path.is_empty()
            && !self.path.contains("docker")
            && !self.path.contains("dind")
    }

    /// The major version that its tag names.
    pub fn version(&self) -> Option<u32> {
        let digits = self.tag.find(|c: char| !c.is_ascii_digit());
        self.tag[..digits.unwrap_or(self.tag.len())].parse().ok()
    }

    /// The repository without port, tag and digest.
    pub fn repository(&self) -> String {
        match self.registry {
            Some(registry) => {
                let host = registry.split(':').next().unwrap_or(registry);
                format!("{host}/{}", self.path)
            }
            None => self.path.to_owned(),
        }
    }

    /// The last part of the path.
    fn name(&self) -> &'a str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    fn is_daemon_by_default(&self) -> bool {
        let is_other = ["cli", "git", "stable", "windowsservercore"]
            .iter()
            .any(|other| self.tag.contains(other));
        let is_old = self
            .version()
            .is_some_and(|version| version <= LAST_CLIENT_BY_DEFAULT);
        !is_other && !is_old
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dind_is_told_by_the_image_and_not_by_its_registry() {
        for (image, expected) in [
            ("docker:dind", true),
            ("docker:29-dind", true),
            ("docker:latest", true),
            ("docker", true),
            ("docker:28", true),
            ("registry.example.com/mirror/docker:27", true),
            ("registry.example.com/my/dind", true),
            ("registry.example.com:5000/my/dind@sha256:abc", true),
            ("docker:28-dind-rootless", true),
            ("$CI_REGISTRY/DIND:1", true),
            ("docker:29-cli", false),
            ("docker:cli", false),
            ("docker:git", false),
            ("docker:20.10", false),
            ("docker:stable", false),
            ("docker:stable-dind", true),
            ("dockerfile-linter", false),
            ("postgres:16", false),
            ("registry.dind.example.com/postgres:16", false),
            ("registry.example.com/dindlab/postgres:16", false),
        ] {
            assert_eq!(Image::parse(image).is_dind(), expected, "{image}");
        }
    }

    #[test]
    fn what_has_no_docker_is_known_by_its_name() {
        for (image, expected) in [
            ("gradle:8", true),
            ("node", true),
            ("docker:28-cli", false),
            ("docker-compose:1", false),
            ("google/cloud-sdk", false),
            ("registry.example.com/gradle", false),
            ("$IMAGE", false),
        ] {
            assert_eq!(Image::parse(image).is_without_docker(), expected, "{image}");
        }
    }

    #[test]
    fn a_version_is_that_of_the_tag() {
        for (image, version) in [
            ("docker:28.1-dind", Some(28)),
            ("registry.example.com:5000/docker:27", Some(27)),
            ("docker:dind", None),
            ("docker", None),
        ] {
            assert_eq!(Image::parse(image).version(), version, "{image}");
        }
    }
}
