//! A client that was told which version of the API to speak.

use crate::{
    facts::{
        client::ClientVariables,
        docker_version::{ApiVersion, DockerVersion},
    },
    reasons::{Finding, daemon},
};

/// Whether dockerd refuses what `DOCKER_API_VERSION` says. It answers that with status 400, which it
/// does not log; so it is known before, or not at all.
///
/// `oldest`: what the service's own `DOCKER_MIN_API_VERSION` or daemon.json lets in.
pub fn finding(
    job: &ClientVariables,
    docker: Option<DockerVersion>,
    oldest: Option<&str>,
) -> Option<Finding> {
    let (asked, docker) = (job.api_version?, docker?);
    let lowered = oldest.and_then(ApiVersion::parse);
    let oldest = lowered.unwrap_or_else(|| docker.oldest_api());
    (asked < oldest).then(|| {
        daemon::API_TOO_OLD.advised(
            format!(
                "DOCKER_API_VERSION is {asked}, and this Docker {docker} speaks {oldest} and newer."
            ),
            daemon::API_VERSION_OF_A_VARIABLE,
            [],
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(asked: &str, major: u32, oldest: Option<&str>) -> Option<String> {
        let job = ClientVariables {
            api_version: ApiVersion::parse(asked),
            ..ClientVariables::default()
        };
        let docker = DockerVersion { major, minor: 0 };
        finding(&job, Some(docker), oldest).map(|finding| finding.to_string())
    }

    #[test]
    fn only_what_is_older_than_the_oldest_is_refused() {
        let text = found("1.41", 29, None).unwrap();
        assert!(text.contains("DAEMON-API-TOO-OLD"), "{text}");
        assert!(text.contains("Docker 29.0 speaks 1.44 and newer"), "{text}");
        assert_eq!(found("1.41", 28, None), None);
        assert!(found("1.23", 28, None).is_some());
        assert_eq!(found("1.23", 20, None), None);
        assert_eq!(found("1.41", 29, Some("1.24")), None);
        assert!(found("1.30", 28, Some("1.40")).is_some());
        assert_eq!(found("", 29, None), None);
        let unknown = ClientVariables::default();
        assert_eq!(finding(&unknown, None, None), None);
    }
}
