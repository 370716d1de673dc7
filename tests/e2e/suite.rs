//! The versions of Docker that the scenarios know.

/// The Debian whose Docker is meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Suite {
    /// Docker 20.10; only as a client.
    Bookworm,
    /// Docker 26.1.
    Trixie,
    /// Docker 28.
    Sid,
}

impl Suite {
    /// The image of jobs: Debian with its Docker.
    pub fn base_image(self) -> &'static str {
        match self {
            Self::Bookworm => "localhost/dind-base:bookworm",
            Self::Trixie => "localhost/dind-base:trixie",
            Self::Sid => "localhost/dind-base:sid",
        }
    }

    /// The image of the service: dind-init on top of it.
    pub fn service_image(self) -> &'static str {
        match self {
            Self::Bookworm => panic!("there is no service image of bookworm"),
            Self::Trixie => "localhost/dind-init:dev",
            Self::Sid => "localhost/dind-init:dev-sid",
        }
    }
}
