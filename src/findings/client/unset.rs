//! A job whose `DOCKER_HOST` nobody set.
//!
//! With the Docker executor the docker image's entrypoint sets it; on Kubernetes the runner runs no
//! entrypoint, unless it is told to.

use std::path::Path;

use super::{Served, USUAL_HOST, leading_here, leading_to_the_usual};
use crate::{
    facts::client::{Because, ClientVariables, Entrypoint},
    reasons::{Finding, Severity, client},
};

/// Where the docker CLI looks without `DOCKER_HOST`. With `DOCKER_TLS_VERIFY` it dials
/// tcp://localhost:2376 instead (docker/cli `opts/hosts.go`), which is this pod.
pub(super) const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// The finding, unless something else leads the job's clients here. `served` is `None` where it is
/// not known how this daemon serves.
pub fn finding(job: &ClientVariables, served: Option<&Served>) -> Option<Finding> {
    let is_shared = served
        .is_some_and(|served| served.unix_is_shared && served.unix == Path::new(DEFAULT_SOCKET));
    if !leaves_host_open(job) || is_shared {
        return None;
    }
    let (cause, severity) = match &job.entrypoint {
        Entrypoint::Missing(because) => (cause(job, because), severity(because)),
        Entrypoint::Runs {
            finds_a_service: false,
        } => (unnamed(served?), Severity::Warning),
        Entrypoint::Runs { .. } | Entrypoint::Unknown => return None,
    };
    let is_taken_away = job.entrypoint == Entrypoint::Missing(Because::TakenAway);
    let advice = match (served.is_none_or(|served| served.tls), is_taken_away) {
        (true, false) => client::UNSET_WITH_TLS,
        (false, false) => client::UNSET_WITHOUT_TLS,
        (true, true) => client::TAKEN_AWAY_WITH_TLS,
        (false, true) => client::TAKEN_AWAY_WITHOUT_TLS,
    };
    let data = match served {
        Some(served) => leading_here(host(job, served), served),
        None => leading_to_the_usual(),
    };
    let finding = client::HOST.advised(cause, advice, data);
    Some(finding.with_severity(severity))
}

/// Whether the job's clients look for a socket of their own container.
pub fn is_lost(job: &ClientVariables) -> bool {
    leaves_host_open(job) && matches!(job.entrypoint, Entrypoint::Missing(_))
}

fn leaves_host_open(job: &ClientVariables) -> bool {
    job.docker_host.is_none() && job.in_gitlab && job.tls_verify.is_none()
}

/// What another image does is not seen as surely as what the executor does.
pub(super) fn severity(because: &Because) -> Severity {
    match because {
        Because::Kubernetes | Because::TakenAway => Severity::Error,
        Because::OtherImage(_) | Because::Replaced => Severity::Warning,
    }
}

pub(super) fn cause(job: &ClientVariables, because: &Because) -> String {
    if job.are_the_service_s {
        return format!(
            "DOCKER_HOST is not among the variables that this service gets. If the job lacks it as \
             well, docker commands look for {DEFAULT_SOCKET} in the job's own container, where no \
             Docker is. (If the job's script or GitLab's settings set it, or the service's \
             `entrypoint` takes it away, ignore this.)"
        );
    }
    let because = match because {
        Because::Kubernetes => "with the Kubernetes executor no image's entrypoint sets it".into(),
        Because::OtherImage(image) => format!("the image {image} does not set it"),
        Because::Replaced => "the image's own entrypoint, which would set it, is replaced".into(),
        Because::TakenAway => "the job's script takes away whatever sets it".into(),
    };
    format!(
        "DOCKER_HOST is not set, and {because}: docker commands look for {DEFAULT_SOCKET} in the \
         job's own container."
    )
}

/// The image's entrypoint looks for `docker`, and no service is called that.
fn unnamed(served: &Served) -> String {
    let names: Vec<_> = served.names.iter().map(ToString::to_string).collect();
    format!(
        "DOCKER_HOST is not set, so the docker image looks for a service that is called \
         {USUAL_HOST}. This one is called {}.",
        names.join(", ")
    )
}

/// All containers of a pod share its network; `docker` is an alias that it may lack.
pub(super) fn host(job: &ClientVariables, served: &Served) -> String {
    let names: Vec<_> = served.names.iter().map(ToString::to_string).collect();
    let is_ours = |name: &&str| names.iter().any(|own| own == name);
    let usual = [USUAL_HOST, "localhost"].into_iter().find(is_ours);
    match (usual, names.first()) {
        (Some(usual), _) => usual.to_owned(),
        (None, Some(first)) if job.in_kubernetes == Some(false) => first.clone(),
        (None, _) => "localhost".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::*, *};
    use crate::settings::subject_names::SubjectName;

    #[test]
    fn on_kubernetes_the_four_variables_are_named() {
        let text = told(&in_kubernetes(job(&[])), &tls());
        for part in [
            "CLIENT-HOST",
            "/var/run/docker.sock in the job's own container",
            "DOCKER_HOST: tcp://docker:2376",
            "DOCKER_TLS_VERIFY: 1",
            "DOCKER_CERT_PATH: /certs/client",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let text = told(&in_kubernetes(job(&[])), &plain());
        assert!(text.ends_with("DOCKER_HOST: tcp://docker:2375"), "{text}");
        let without_alias = Served {
            names: Vec::new(),
            ..plain()
        };
        let text = told(&in_kubernetes(job(&[])), &without_alias);
        assert!(text.contains("tcp://localhost:2375"), "{text}");
    }

    #[test]
    fn what_else_leads_here_is_right() {
        let shared = Served {
            unix_is_shared: true,
            ..tls()
        };
        let entrypoint = ClientVariables {
            entrypoint: Entrypoint::Unknown,
            ..in_kubernetes(job(&[]))
        };
        for (job, served) in [
            // The Docker executor runs the image's entrypoint.
            (job(&[]), tls()),
            (entrypoint, tls()),
            (in_kubernetes(job(&[])), shared),
            // The CLI dials localhost:2376.
            (in_kubernetes(job(&TLS[1..])), tls()),
            // Not GitLab: whoever made the pod knows.
            (
                ClientVariables {
                    in_gitlab: false,
                    ..in_kubernetes(job(&[]))
                },
                tls(),
            ),
        ] {
            assert_eq!(ids(&job, &served), "", "{job:?}");
        }
    }

    /// As lint knows it, of the job itself.
    fn by_its_files(entrypoint: Entrypoint) -> ClientVariables {
        ClientVariables {
            entrypoint,
            are_the_service_s: false,
            ..job(&[])
        }
    }

    #[test]
    fn who_knows_the_job_is_told_why_nothing_sets_it() {
        let image = Because::OtherImage("gradle".into());
        for (because, part) in [
            (image, "the image gradle does not set it"),
            (Because::Replaced, "is replaced"),
            (Because::TakenAway, "Take `unset DOCKER_HOST` out"),
        ] {
            let severity = match because {
                Because::TakenAway => "error",
                _ => "warning",
            };
            let job = by_its_files(Entrypoint::Missing(because));
            assert_eq!(ids(&job, &tls()), format!("CLIENT-HOST {severity}"));
            let text = told(&job, &tls());
            assert!(text.contains(part) && !text.contains("not among"), "{text}");
        }
    }

    #[test]
    fn the_docker_image_looks_for_a_service_that_is_called_docker() {
        let runs = |finds_a_service| by_its_files(Entrypoint::Runs { finds_a_service });
        assert_eq!(ids(&runs(true), &tls()), "");
        let named = Served {
            names: SubjectName::from_host("my-dind").into_iter().collect(),
            ..tls()
        };
        let text = told(&runs(false), &named);
        for part in [
            "This one is called my-dind",
            "DOCKER_HOST: tcp://my-dind:2376",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn how_the_daemon_serves_need_not_be_known() {
        let text = finding(&in_kubernetes(job(&[])), None).unwrap().to_string();
        assert!(text.contains("DOCKER_HOST: tcp://docker:2376"), "{text}");
    }
}
