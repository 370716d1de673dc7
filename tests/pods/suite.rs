//! The versions of Docker that the scenarios know.

use std::env;

/// The Debian whose Docker is meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Suite {
    /// Docker 20.10.
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

    /// The image of the service: dind-init on top of it, as `make image` names it. `DIND_E2E_IMAGE`
    /// names another, for all suites.
    pub fn service_image(self) -> String {
        if let Ok(image) = env::var("DIND_E2E_IMAGE") {
            return image;
        }
        let tag = match self {
            Self::Bookworm => "dev-bookworm",
            Self::Trixie => "dev",
            Self::Sid => "dev-sid",
        };
        let name = env::var("DIND_INIT_IMAGE").unwrap_or_else(|_| "localhost/dind-init".to_owned());
        format!("{name}:{tag}")
    }
}
