//! The image that is asked.

use std::env;

use crate::pod::{Plan, Pod};
use crate::suite::Suite;

/// A pod with the image under test; its Docker is 26.1 unless another image is named.
pub fn dind() -> Plan {
    dind_on(Suite::Trixie)
}

/// The same with another Docker, where no image is named.
pub fn dind_on(suite: Suite) -> Plan {
    Pod::new(suite).image(&image_under_test(suite))
}

/// The same, but without any variable that the image itself does not set.
pub fn dind_without_variables() -> Plan {
    dind()
        .without("DOCKER_HOST")
        .without("DOCKER_TLS_VERIFY")
        .without("DOCKER_CERT_PATH")
        .without("DOCKER_TLS_CERTDIR")
}

/// The image's name.
pub fn image_under_test(suite: Suite) -> String {
    env::var("DIND_UNDER_TEST").unwrap_or_else(|_| suite.service_image())
}
